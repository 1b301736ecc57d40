/** Call length: warns before the longest permitted duration and ends the call at it. Pure; audio time in ms. */

/** Enough to finish a sentence and to say goodbye. Calls shorter than twice this get no warning. */
export const WARNING_MS = 30_000

export type LengthDecision = 'none' | 'warn' | 'end'

export class CallLength {
  readonly #endMs: number
  readonly #warnMs: number
  #warned = false
  #ended = false

  constructor(startMs: number, maxDurationSec: number) {
    const maxMs = maxDurationSec * 1_000
    this.#endMs = startMs + maxMs
    this.#warnMs = maxMs >= 2 * WARNING_MS ? this.#endMs - WARNING_MS : Infinity
  }

  /** `quiet`: a warning would cut nobody off; without quiet it is left out. Each decision is given once. */
  tick(atMs: number, quiet: boolean): LengthDecision {
    if (this.#ended) return 'none'
    if (atMs >= this.#endMs) {
      this.#ended = true
      return 'end'
    }
    if (this.#warned || atMs < this.#warnMs || !quiet) return 'none'
    this.#warned = true
    return 'warn'
  }
}
