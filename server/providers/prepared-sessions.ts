/**
 * Sessions that are opened for calls which still ring.
 *
 *   add() ─► [ waiting ≤ 50 ] ─► one built every 20 ms ─► [ built ≤ 50, each for 20 s ] ─► take()
 *
 * Building one costs some 2 ms of the main thread (the SDK's objects, the connection), and the place that asks is the
 * answer to a carrier's webhook: twenty calls that ring at once would make each other's answers 40 ms late.
 *
 * Invariants: add() builds nothing itself; a call that comes before its session was built builds its own, and the waiting
 * one is forgotten; what nobody takes is closed.
 */
import { BoundedQueue } from '../bounded-queue.ts'

const LIMIT = 50
const KEPT_MS = 20_000
const EVERY_MS = 20

interface Wanted<S> {
  key: string
  build(onGone: () => void): S
}

interface Built<S> {
  key: string
  session: S
  timer: NodeJS.Timeout
}

export class PreparedSessions<S extends { close(): void }> {
  readonly #waiting: BoundedQueue<Wanted<S>>
  #built: Built<S>[] = []
  #timer: NodeJS.Timeout | null = null

  /** @param name of the queue, for its count of what was refused */
  constructor(name: string) {
    this.#waiting = new BoundedQueue(name, LIMIT)
  }

  /**
   * Costs microseconds; the session is built 20 ms later at the earliest. Refused when 50 wait.
   * @param key sessions of one key are alike
   * @param build makes the session; it calls `onGone` when the session can no longer be used
   */
  add(key: string, build: (onGone: () => void) => S): void {
    this.#waiting.push({ key, build })
    this.#timer ??= setTimeout(() => this.#buildNext(), EVERY_MS).unref()
  }

  /** A session of this key that was built ahead, or none. */
  take(key: string): S | undefined {
    const built = this.#built.find((one) => one.key === key)
    if (built !== undefined) this.#remove(built)
    else this.#waiting.take((one) => one.key === key)
    return built?.session
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#waiting.takeAll()
    for (const one of [...this.#built]) this.#discard(one)
  }

  #buildNext(): void {
    this.#timer = null
    const wanted = this.#waiting.shift()
    if (wanted === undefined) return
    // Fifty calls that were never connected: the oldest makes room.
    if (this.#built.length >= LIMIT) this.#discard(this.#built[0]!)
    const { key, build } = wanted
    let isGone = false
    const session = build(() => {
      isGone = true
      const gone = this.#built.find((one) => one.session === session)
      if (gone !== undefined) this.#remove(gone)
    })
    if (!isGone) {
      const timer = setTimeout(() => this.#discard(one), KEPT_MS).unref()
      const one: Built<S> = { key, session, timer }
      this.#built.push(one)
    }
    if (this.#waiting.length > 0) {
      this.#timer = setTimeout(() => this.#buildNext(), EVERY_MS).unref()
    }
  }

  #remove(one: Built<S>): void {
    clearTimeout(one.timer)
    this.#built = this.#built.filter((other) => other !== one)
  }

  #discard(one: Built<S>): void {
    this.#remove(one)
    one.session.close()
  }
}
