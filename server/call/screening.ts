/**
 * Screening of a call out: who has answered, and what the agent does about it. Pure; wall time is handed in.
 *
 *   answered ─► waiting ─┬─ verdict human, or none in 5 s ─► talk          machine, message wanted ─► wait for its end
 *                        └─ settings say ─► hang up                        ─► leave the message, at most 40 s later
 *
 * A verdict that comes after the agent began to talk still counts when it says machine or fax.
 */
import type { ProfileSettings } from '../agent-settings.ts'
import type { EndReason } from './call-state.ts'
import type { Party } from './phone-reports.ts'

/** A person says "¿bueno?" and waits; longer than this they hang up. Machines are found later too. */
export const VERDICT_MAX_MS = 5_000
/** The longest greetings of machines; carriers give up after 30 s themselves. */
export const BEEP_MAX_MS = 40_000

export type ScreeningAction =
  | { kind: 'none' }
  | { kind: 'talk' }
  | { kind: 'leaveMessage' }
  | { kind: 'hangup'; reason: EndReason }

type Settings = Pick<ProfileSettings, 'machineDetection' | 'onMachine' | 'onFax' | 'onUnknownParty'>

const NONE: ScreeningAction = { kind: 'none' }

export class Screening {
  readonly #settings: Settings
  #state: 'waiting' | 'talking' | 'forBeep' | 'done' = 'waiting'
  #untilMs: number

  constructor(settings: Settings, nowMs: number) {
    this.#settings = settings
    this.#untilMs = nowMs + VERDICT_MAX_MS
  }

  /** True while the agent must be silent. */
  get silent(): boolean {
    return this.#state === 'waiting' || this.#state === 'forBeep'
  }

  verdict(party: Party, mayLeaveMessage: boolean, nowMs: number): ScreeningAction {
    if (this.#state === 'done') return NONE
    if (party === 'human') return this.#talk()
    if (party === 'fax') {
      return this.#settings.onFax === 'talk' ? this.#talk() : this.#hangup('fax')
    }
    const wanted = party === 'machine' ? this.#settings.onMachine : this.#settings.onUnknownParty
    // Somebody the agent already talks with is not left because the carrier never found out who it is.
    if (party === 'unknown' && this.#state === 'talking') return NONE
    if (wanted === 'talk') return this.#talk()
    if (wanted === 'hangup') return this.#hangup('voicemail')
    if (mayLeaveMessage || party === 'unknown') return this.#leaveMessage()
    this.#state = 'forBeep'
    this.#untilMs = nowMs + BEEP_MAX_MS
    return NONE
  }

  tick(nowMs: number): ScreeningAction {
    if (nowMs < this.#untilMs) return NONE
    if (this.#state === 'waiting') return this.#talk()
    return this.#state === 'forBeep' ? this.#leaveMessage() : NONE
  }

  #talk(): ScreeningAction {
    if (this.#state === 'talking') return NONE
    this.#state = 'talking'
    return { kind: 'talk' }
  }

  #leaveMessage(): ScreeningAction {
    this.#state = 'done'
    return { kind: 'leaveMessage' }
  }

  #hangup(reason: EndReason): ScreeningAction {
    this.#state = 'done'
    return { kind: 'hangup', reason }
  }
}
