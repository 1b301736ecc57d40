/** Timings: the last SAMPLES durations of something, for percentiles. Recording costs one store. */

const SAMPLES = 1_024

export interface Percentiles {
  p50: number
  p99: number
  max: number
}

export class Timings {
  readonly #ring = new Float64Array(SAMPLES)
  #count = 0

  record(ms: number): void {
    this.#ring[this.#count++ % SAMPLES] = ms
  }

  /** Over the last 1 024 records; zeros before the first. */
  percentiles(): Percentiles {
    const sorted = this.#ring.slice(0, Math.min(this.#count, SAMPLES)).sort()
    const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0
    return { p50: at(0.5), p99: at(0.99), max: at(1) }
  }
}
