/** Voicemail: a machine has answered a call out and finished; the message is said into it, whatever it does. */
import type { CallControl } from './conversation-events.ts'
import type { Floor } from './floor.ts'
import { fillVariables } from './prompt.ts'

/** Says `message` and ends the call as voicemail; with nothing to say the call ends at once. */
export function leaveMessage(
  floor: Floor,
  message: string,
  call: { variables: Readonly<Record<string, string>>; control: CallControl },
): void {
  floor.stop()
  const text = fillVariables(message, call.variables).trim()
  if (text === '') return call.control.hangup('voicemail')
  const after = { kind: 'hangup', reason: 'voicemail' } as const
  floor.begin('goodbye', { interruptible: false }).speak(text, after)
}
