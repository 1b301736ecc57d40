/**
 * Counts of durations in steps of 0.1 ms up to 10 s, so that 10 million samples cost as little as
 * ten.
 */

const STEP_MS = 0.1
const STEPS = 100_000

export class Histogram {
  readonly #counts = new Uint32Array(STEPS + 1)
  count = 0
  maxMs = 0

  /**
   * Negative values count as 0; everything above 10 s in the last step (maxMs keeps the true
   * value).
   */
  add(valueMs: number): void {
    const step = Math.min(STEPS, Math.max(0, Math.floor(valueMs / STEP_MS)))
    this.#counts[step] = (this.#counts[step] ?? 0) + 1
    this.count++
    if (valueMs > this.maxMs) this.maxMs = valueMs
  }

  /**
   * The value that `share` (0…1) of the samples do not exceed, to 0.1 ms; 0 when there are none.
   */
  percentileMs(share: number): number {
    const wanted = Math.ceil(this.count * share)
    let seen = 0
    for (let step = 0; step <= STEPS && this.count > 0; step++) {
      seen += this.#counts[step] ?? 0
      if (seen >= wanted) return Math.min(Math.round((step + 1) * STEP_MS * 10) / 10, this.maxMs)
    }
    return 0
  }

  reset(): void {
    this.#counts.fill(0)
    this.count = 0
    this.maxMs = 0
  }
}

/** Percentile of a short list by nearest rank; null when it is empty. */
export function percentile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null
}
