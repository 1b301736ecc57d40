/**
 * User turns: the newest turn while the user can go on with it, and older ones whose finals have not come.
 *
 *   commit ─► open ──(answer heard, next turn)──► closed ──(all finals there)──► reported with `final: true`, once
 *               ▲ reopen                            ▲ correct
 *
 * Changed: a closed turn is no longer reported while a final may still correct it; only the end of the call, or
 * TURNS_KEPT newer turns, report it as it is.
 */
import type { ConversationEvent, Turn } from './conversation-events.ts'
import type { CommitTimes } from './latency.ts'
import { TURNS_KEPT } from './user-words.ts'

export type UserTurnKind = 'speech' | 'typed' | 'digits'

export interface UserTurnsDeps {
  emit(event: ConversationEvent): void
  nextTurnId(): number
  /** False while a final may still change the words with this key. */
  settled(wordsKey: number): boolean
}

/** What was said, typed or keyed; `key` of UserWords, null for what was not spoken. */
export interface Said {
  kind: UserTurnKind
  text: string
  key: number | null
}

interface Entry {
  turn: Turn
  times: CommitTimes
  key: number | null
  /** The user is going on with it. */
  isOpen: boolean
  isClosed: boolean
}

export class UserTurns {
  readonly #deps: UserTurnsDeps
  #entries: Entry[] = []

  constructor(deps: UserTurnsDeps) {
    this.#deps = deps
  }

  /** The newest turn, when it was spoken and is not being gone on with. */
  get newest(): { turnId: number; key: number; endMs: number; text: string } | null {
    const entry = this.#entries.at(-1)
    if (!entry || entry.key === null || entry.isOpen) return null
    const { turnId, endMs, textSpoken } = entry.turn
    return { turnId, endMs, key: entry.key, text: textSpoken }
  }

  /** A new turn, or the reopened one with its new text. @returns its id. */
  commit(said: Said, times: CommitTimes): number {
    const newest = this.#entries.at(-1)
    const reopened = newest?.isOpen && said.kind === 'speech' ? newest.turn : null
    if (reopened) this.#entries.pop()
    else this.settle()
    const turn: Turn = {
      turnId: reopened?.turnId ?? this.#deps.nextTurnId(),
      role: 'user',
      kind: said.kind,
      textSpoken: said.text,
      textHeard: said.text,
      truncated: false,
      startMs: reopened?.startMs ?? times.startMs,
      endMs: times.speechEndMs ?? times.committedMs,
      latency: null,
    }
    this.#entries.push({ turn, times, key: said.key, isOpen: false, isClosed: false })
    this.#deps.emit({ kind: 'turn', turn, final: false })
    return turn.turnId
  }

  /** Other words for a turn; `endMs` when they reach further. Null when it is not known any more. */
  correct(key: number, text: string, endMs = 0): { turnId: number; times: CommitTimes } | null {
    const entry = this.#entries.find((one) => one.key === key)
    if (!entry || entry.isOpen) return null
    const turn = { ...entry.turn, textSpoken: text, textHeard: text }
    entry.turn = { ...turn, endMs: Math.max(turn.endMs, endMs) }
    this.#deps.emit({ kind: 'turn', turn: entry.turn, final: false })
    return { turnId: turn.turnId, times: entry.times }
  }

  /** The user goes on with the newest turn. Null when it cannot be gone on with. */
  reopen(): { turnId: number; key: number; endMs: number } | null {
    const { newest } = this
    const entry = this.#entries.at(-1)
    if (!newest || !entry || entry.isClosed) return null
    entry.isOpen = true
    return newest
  }

  /** Nobody goes on with the newest turn; reports what cannot change any more. Idempotent. */
  settle(): void {
    const newest = this.#entries.at(-1)
    if (newest) {
      newest.isClosed = true
      newest.isOpen = false
    }
    this.report()
  }

  /** Reports closed turns whose finals have come. */
  report(): void {
    const surplus = this.#entries.length - TURNS_KEPT
    const isOver = (entry: Entry, i: number): boolean =>
      i < surplus || (entry.isClosed && (entry.key === null || this.#deps.settled(entry.key)))
    this.#take(isOver)
  }

  /** The call ends: reports every turn as it is. */
  end(): void {
    this.#take(() => true)
  }

  #take(isOver: (entry: Entry, i: number) => boolean): void {
    const over = this.#entries.filter(isOver)
    this.#entries = this.#entries.filter((entry) => !over.includes(entry))
    for (const { turn } of over) this.#deps.emit({ kind: 'turn', turn, final: true })
  }
}
