/**
 * Unprompted: what the agent says when nothing happens, or too much time has: idle prompts, the warning before the
 * longest duration, the goodbyes. Pure; audio time in ms.
 */
import type { ProfileSettings } from '../agent-settings.ts'
import type { AfterTurn } from './agent-turn.ts'
import { CallLength } from './call-length.ts'
import type { Turn } from './conversation-events.ts'
import { IdleWatch } from './idle.ts'
import { phrasesFor } from './phrases.ts'

export interface UnpromptedSpeech {
  kind: Turn['kind']
  text: string
  after: AfterTurn
  interruptible: boolean
}

type Settings = Pick<
  ProfileSettings,
  'language' | 'idleTimeoutSec' | 'inactivityMaxRetries' | 'idleMessage' | 'maxDurationSec'
>

const LISTEN: AfterTurn = { kind: 'listen' }

export class Unprompted {
  readonly #settings: Settings
  readonly #idle: IdleWatch
  readonly #length: CallLength

  constructor(settings: Settings, startMs: number) {
    this.#settings = settings
    this.#idle = new IdleWatch(settings)
    this.#length = new CallLength(startMs, settings.maxDurationSec)
  }

  userTurn(): void {
    this.#idle.userTurn()
  }

  /** `quiet`: nobody speaks and nothing is being prepared. */
  tick(atMs: number, quiet: boolean): UnpromptedSpeech | null {
    const phrases = phrasesFor(this.#settings.language)
    const length = this.#length.tick(atMs, quiet)
    if (length === 'end') {
      const after: AfterTurn = { kind: 'hangup', reason: 'maxDuration' }
      return { kind: 'goodbye', text: phrases.lengthGoodbye, after, interruptible: false }
    }
    if (length === 'warn') {
      return { kind: 'idle', text: phrases.lengthWarning, after: LISTEN, interruptible: true }
    }
    const idle = this.#idle.tick(atMs, quiet)
    if (idle === 'none') return null
    if (idle === 'prompt') {
      return { kind: 'idle', text: this.#settings.idleMessage, after: LISTEN, interruptible: true }
    }
    const after: AfterTurn = { kind: 'hangup', reason: 'idle' }
    return { kind: 'goodbye', text: phrases.idleGoodbye, after, interruptible: true }
  }
}
