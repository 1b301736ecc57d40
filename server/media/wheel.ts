/**
 * The wheel: one 5 ms clock for all calls. Each turn lets every call send what is due, then gives the pool its batch.
 *
 * One timer with an absolute schedule, not a timer per call: intervals drift and two hundred of them starve each other.
 * A stall of the event loop shows as lateness; the turns that were missed are not made up, because sending is itself
 * paced by absolute deadlines (playout.ts).
 */
export const WHEEL_MS = 5

export interface WheelRider {
  turn(nowMs: number): void
}

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
  readonly #riders = new Set<WheelRider>()
  #timer: NodeJS.Timeout | null = null
  #dueMs = 0

  constructor(deps: WheelDeps) {
    this.#deps = deps
  }

  add(rider: WheelRider): void {
    this.#riders.add(rider)
  }

  remove(rider: WheelRider): void {
    this.#riders.delete(rider)
  }

  start(): void {
    if (this.#timer) return
    this.#dueMs = this.#deps.nowMs() + WHEEL_MS
    this.#arm()
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }

  /** One turn at `nowMs`; a rider that throws is reported and does not disturb the others. */
  turn(nowMs: number): void {
    for (const rider of this.#riders) {
      try {
        rider.turn(nowMs)
      } catch (error) {
        this.#deps.onFault(error, rider)
      }
    }
    try {
      this.#deps.tickPool(nowMs)
    } catch (error) {
      this.#deps.onFault(error, null)
    }
  }

  #arm(): void {
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, this.#dueMs - this.#deps.nowMs()))
  }

  #fire(): void {
    const nowMs = this.#deps.nowMs()
    // Timers may fire up to 1 ms early; such a turn counts as on time.
    this.#deps.onLateness(Math.max(0, nowMs - this.#dueMs))
    this.turn(nowMs)
    // A rider may have stopped the wheel.
    if (!this.#timer) return
    const missed = Math.floor((this.#deps.nowMs() - this.#dueMs) / WHEEL_MS)
    this.#dueMs += WHEEL_MS * (1 + Math.max(0, missed))
    this.#arm()
  }
}
