/**
 * The wheel: one 5 ms clock for all calls. Each turn gives a fourth of them their turn, lets the others send what is due this very
 * moment, then gives the pool its batch.
 *
 * One timer with an absolute schedule, not a timer per call: intervals drift and two hundred of them starve each other.
 * A stall of the event loop shows as lateness; the turns that were missed are not made up, because sending is itself
 * paced by absolute deadlines (playout.ts).
 */
import type { NumberRow } from './number-rows.ts'

export const WHEEL_MS = 5
/** Every rider gets a turn in each fourth turn of the wheel: what is prepared for a line leaves with its batch (leg.ts). */
const GROUPS = 4
/** Timers may fire so much before their time. */
const EARLY_MS = 1

export interface WheelRider {
  turn(nowMs: number): void
  /** At each turn of the wheel that is not its own: what cannot wait up to 15 ms more. Nearly always there is nothing, so it is cheap. */
  look?(nowMs: number): void
  /**
   * Its first number is the time before which look() does nothing; none: it is called every time. Asked for once: thousands of looks a
   * second that find nothing would each fetch the rider from far memory.
   */
  readonly lookRow?: NumberRow
}

/** A fourth of the riders. Those that leave during a walk through it are passed over, and their places closed behind it. */
class Group {
  readonly riders: (WheelRider | null)[] = []
  readonly #values: Float64Array[] = []
  readonly #places: number[] = []
  #holes = 0

  get size(): number {
    return this.riders.length - this.#holes
  }

  add(rider: WheelRider): void {
    const row = rider.lookRow ?? ALWAYS
    this.riders.push(rider)
    this.#values.push(row.values)
    this.#places.push(row.at)
  }

  remove(rider: WheelRider): void {
    const i = this.riders.indexOf(rider)
    if (i < 0) return
    this.riders[i] = null
    this.#holes++
  }

  /** Is a look at the rider at index `i` worth its while? */
  isDue(i: number, nowMs: number): boolean {
    return this.#values[i]![this.#places[i]!]! <= nowMs
  }

  close(): void {
    if (this.#holes === 0) return
    let to = 0
    for (let i = 0; i < this.riders.length; i++) {
      if (this.riders[i] === null) continue
      this.riders[to] = this.riders[i]!
      this.#values[to] = this.#values[i]!
      this.#places[to++] = this.#places[i]!
    }
    this.riders.length = to
    this.#values.length = to
    this.#places.length = to
    this.#holes = 0
  }
}

const ALWAYS: NumberRow = { values: new Float64Array(1), at: 0 }

export interface WheelDeps {
  /** Monotonic wall time, ms. */
  nowMs(): number
  tickPool(nowMs: number): void
  /** How late a turn began, ms: the server's most honest sign of overload. */
  onLateness(ms: number): void
  /** `rider` is the one that threw; null when it was the pool. */
  onFault(error: unknown, rider: WheelRider | null): void
}

export class Wheel {
  readonly #deps: WheelDeps
  readonly #groups = Array.from({ length: GROUPS }, () => new Group())
  /** The schedule: turn n is owed at origin + n · 5 ms. */
  #originMs: number | null = null
  #turned = -1
  #timer: NodeJS.Timeout | null = null
  #dueMs = 0

  constructor(deps: WheelDeps) {
    this.#deps = deps
  }

  add(rider: WheelRider): void {
    const least = this.#groups.reduce((a, b) => (b.size < a.size ? b : a))
    least.add(rider)
  }

  remove(rider: WheelRider): void {
    for (const group of this.#groups) group.remove(rider)
  }

  start(): void {
    if (this.#timer) return
    this.#dueMs = this.#deps.nowMs() + WHEEL_MS
    this.#originMs = this.#dueMs
    this.#turned = -1
    this.#arm()
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }

  /**
   * One turn at `nowMs`: the fourth of the riders whose turn it is by the schedule, and those whose turn was missed; a late turn does
   * not move anybody's place. A rider that throws is reported and does not disturb the others.
   */
  turn(nowMs: number): void {
    this.#originMs ??= nowMs
    const owed = Math.floor((nowMs - this.#originMs + EARLY_MS) / WHEEL_MS)
    const from = Math.max(this.#turned + 1, owed - GROUPS + 1)
    for (let n = from; n <= owed; n++) this.#turnGroup(n % GROUPS, nowMs)
    for (let n = owed - GROUPS + 1; n < from; n++) this.#lookAtGroup(n, nowMs)
    this.#turned = Math.max(this.#turned, owed)
    try {
      this.#deps.tickPool(nowMs)
    } catch (error) {
      this.#deps.onFault(error, null)
    }
  }

  #turnGroup(n: number, nowMs: number): void {
    const group = this.#groups[n]!
    for (const rider of group.riders) {
      try {
        rider?.turn(nowMs)
      } catch (error) {
        this.#deps.onFault(error, rider)
      }
    }
    group.close()
  }

  /** `n` may lie before the first turn. */
  #lookAtGroup(n: number, nowMs: number): void {
    const group = this.#groups[(n + GROUPS) % GROUPS]!
    for (let i = 0; i < group.riders.length; i++) {
      if (!group.isDue(i, nowMs)) continue
      const rider = group.riders[i]!
      try {
        rider?.look?.(nowMs)
      } catch (error) {
        this.#deps.onFault(error, rider)
      }
    }
    group.close()
  }

  #arm(): void {
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, this.#dueMs - this.#deps.nowMs()))
  }

  #fire(): void {
    const nowMs = this.#deps.nowMs()
    // One that fires early counts as on time.
    this.#deps.onLateness(Math.max(0, nowMs - this.#dueMs))
    this.turn(nowMs)
    // A rider may have stopped the wheel.
    if (!this.#timer) return
    const missed = Math.floor((this.#deps.nowMs() - this.#dueMs) / WHEEL_MS)
    this.#dueMs += WHEEL_MS * (1 + Math.max(0, missed))
    this.#arm()
  }
}
