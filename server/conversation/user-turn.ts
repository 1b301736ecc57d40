/**
 * User turn: the user's newest turn while it can still change. A late final corrects it, speech before the answer
 * reopens it; when neither can happen any more it is settled and reported with `final: true`, once.
 */
import type { ConversationEvent, Turn } from './conversation-events.ts'
import type { CommitTimes } from './latency.ts'

export type UserTurnKind = 'speech' | 'typed' | 'digits'

export class UserTurn {
  readonly #emit: (event: ConversationEvent) => void
  readonly #nextTurnId: () => number
  #turn: Turn | null = null
  #times: CommitTimes | null = null
  #isOpen = false

  constructor(emit: (event: ConversationEvent) => void, nextTurnId: () => number) {
    this.#emit = emit
    this.#nextTurnId = nextTurnId
  }

  /** A new turn, or the reopened one with its new text. */
  commit(kind: UserTurnKind, text: string, times: CommitTimes): void {
    const reopened = this.#isOpen && kind === 'speech' ? this.#turn : null
    if (!reopened) this.settle()
    this.#isOpen = false
    this.#times = times
    this.#turn = {
      turnId: reopened?.turnId ?? this.#nextTurnId(),
      role: 'user',
      kind,
      textSpoken: text,
      textHeard: text,
      truncated: false,
      startMs: reopened?.startMs ?? times.startMs,
      endMs: times.speechEndMs ?? times.committedMs,
      latency: null,
    }
    this.#emit({ kind: 'turn', turn: this.#turn, final: false })
  }

  /** @returns the times of the corrected turn, or null when there is none to correct. */
  correct(text: string): CommitTimes | null {
    if (this.#turn?.kind !== 'speech' || this.#isOpen) return null
    this.#turn = { ...this.#turn, textSpoken: text, textHeard: text }
    this.#emit({ kind: 'turn', turn: this.#turn, final: false })
    return this.#times
  }

  /** The user goes on with it. @returns the end of its speech so far, or null when it cannot be gone on with. */
  reopen(): number | null {
    if (this.#turn?.kind !== 'speech' || this.#isOpen) return null
    this.#isOpen = true
    return this.#turn.endMs
  }

  /** Reports the turn as finished. Idempotent. */
  settle(): void {
    const turn = this.#turn
    this.#turn = null
    this.#isOpen = false
    if (turn) this.#emit({ kind: 'turn', turn, final: true })
  }
}
