/** Gap meter: collects the times in which a thread that reads the clock without pause did not run. */

/** Readings are 0.1 µs apart; what takes a millisecond did not run. */
const GAP_MS = 1

export class GapMeter {
  readonly #fromMs: number
  #lastMs: number
  #longestMs = 0
  #lostMs = 0

  constructor(nowMs: number) {
    this.#fromMs = nowMs
    this.#lastMs = nowMs
  }

  /** One more reading of the clock. */
  see(nowMs: number): void {
    const gapMs = nowMs - this.#lastMs
    this.#lastMs = nowMs
    if (gapMs < GAP_MS) return
    this.#lostMs += gapMs
    this.#longestMs = Math.max(this.#longestMs, gapMs)
  }

  get longestMs(): number {
    return this.#longestMs
  }

  /** Of all the time so far, 0…100. */
  get lostPct(): number {
    const wholeMs = this.#lastMs - this.#fromMs
    return wholeMs > 0 ? (this.#lostMs * 100) / wholeMs : 0
  }
}
