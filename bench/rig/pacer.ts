/**
 * Pacer: one clock for all simulated calls. Every call gets a turn each 20 ms, at an absolute
 * deadline.
 *
 *   calls ─► 10 lanes, 2 ms apart ─► each lane's calls are stepped at  origin + lane·2 ms + n·20 ms
 *
 * Spreading calls over the lanes keeps the rig's load even, as telephone traffic is. A late timer
 * never shifts the deadlines: missed turns are made up at once, in order, as a carrier's small
 * bursts are. How late each turn came is kept, because a result is only as good as the rig's own
 * punctuality.
 */
import { Histogram } from './histogram.ts'

export const FRAME_MS = 20
const LANES = 10
const LANE_MS = FRAME_MS / LANES

/**
 * Stepped once per 20 ms with the deadline (ms, `performance.now` scale), which lies in the past by the lateness. An object and not a
 * function: a closure of each call's own is two objects more to fetch for every frame.
 */
export interface Paced {
  step(deadlineMs: number): void
}

export class Pacer {
  /** How late each turn of a lane began, ms. */
  readonly lateness = new Histogram()
  readonly #lanes: Set<Paced>[] = Array.from({ length: LANES }, () => new Set<Paced>())
  readonly #originMs = performance.now()
  #turn = 0
  #timer: NodeJS.Timeout | null = null

  /**
   * Steps `paced` every 20 ms from now on, in the lane with the fewest calls. Returns the way out;
   * idempotent.
   */
  join(paced: Paced): () => void {
    const lane = this.#lanes.reduce((least, other) => (other.size < least.size ? other : least))
    lane.add(paced)
    if (this.#timer === null) {
      this.#turn = Math.ceil((performance.now() - this.#originMs) / LANE_MS)
      this.#schedule()
    }
    return () => {
      lane.delete(paced)
      if (this.#timer !== null && this.#lanes.every((other) => other.size === 0)) {
        clearTimeout(this.#timer)
        this.#timer = null
      }
    }
  }

  #schedule(): void {
    const waitMs = this.#originMs + this.#turn * LANE_MS - performance.now()
    this.#timer = setTimeout(() => this.#run(), Math.max(0, waitMs))
  }

  #run(): void {
    this.#timer = null
    // A timer may fire up to 1 ms early; then no deadline has passed and the loop does nothing.
    for (;;) {
      const deadlineMs = this.#originMs + this.#turn * LANE_MS
      const lateMs = performance.now() - deadlineMs
      if (lateMs < 0) break
      const lane = this.#lanes[this.#turn % LANES]
      if (lane !== undefined && lane.size > 0) {
        this.lateness.add(lateMs)
        for (const paced of lane) paced.step(deadlineMs)
      }
      this.#turn++
    }
    if (this.#lanes.some((lane) => lane.size > 0)) this.#schedule()
  }
}
