/** A simulated call, whatever its carrier: what a scenario does with it and reads from it. */
import type { PlayOut } from './play-out.ts'
import type { CallEnd } from './twilio-caller.ts'
import type { UserAudio } from './user-audio.ts'

/** Stands where the user would be. */
export interface LineProbe {
  /** The base64 (216 ASCII bytes) of the PCMU frame that the line carries as its `index`-th, sent at `deadlineMs`. */
  frame(index: number, deadlineMs: number): Buffer
  /** Sees each agent payload on arrival, as PCMU; bytes are valid during the call only. */
  receive(payload: Uint8Array, nowMs: number): void
}

export interface SimulatedCall {
  /** CallSid or call_control_id. */
  readonly carrierCallId: string
  readonly playOut: PlayOut
  readonly user: UserAudio
  /** What the carrier would complain about, by its own number. */
  readonly warnings: ReadonlyMap<number, number>
  readonly ended: Promise<CallEnd>
  readonly isOver: boolean
  /** ms since the media stream's start. */
  nowMs(): number
  pressDigit(digit: string): void
  /** The user hangs up. */
  hangup(): Promise<CallEnd>
  /** The media socket breaks without a word. */
  drop(): void
}
