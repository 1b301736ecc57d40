/**
 * Shortens the silence around synthesised speech while it streams.
 *
 * Pico puts up to 150 ms before a sentence and about 500 ms behind it; between two sentences of one answer that sounds
 * like a lost line. Silence inside the sentence is kept: it is held back until sound follows it.
 */

/** Pico's pauses are exact zeros with a little dither; speech onsets pass this within 2 ms. About −46 dBFS. */
const QUIET = 160

export interface TrimLimits {
  leadSamples: number
  tailSamples: number
}

export class SilenceTrim {
  readonly #limits: TrimLimits
  #held: Int16Array[] = []
  #heldSamples = 0
  #started = false

  constructor(limits: TrimLimits) {
    this.#limits = limits
  }

  /** Takes a piece of any length; returns what can be played now, in order. */
  push(pcm: Int16Array): Int16Array[] {
    if (pcm.length === 0) return []
    const quiet = pcm.every((sample) => sample < QUIET && sample > -QUIET)
    if (quiet) {
      this.#hold(pcm)
      return []
    }
    const out = [...this.#held, pcm]
    this.#held = []
    this.#heldSamples = 0
    this.#started = true
    return out
  }

  /** What remains of the silence at the end. */
  finish(): Int16Array[] {
    if (!this.#started) return []
    let room = this.#limits.tailSamples
    const out: Int16Array[] = []
    for (const piece of this.#held) {
      if (room <= 0) break
      out.push(piece.subarray(0, room))
      room -= piece.length
    }
    this.#held = []
    return out
  }

  #hold(pcm: Int16Array): void {
    this.#held.push(pcm)
    this.#heldSamples += pcm.length
    if (this.#started) return
    while (
      this.#held.length > 0 &&
      this.#heldSamples - this.#held[0]!.length >= this.#limits.leadSamples
    ) {
      this.#heldSamples -= this.#held.shift()!.length
    }
  }
}
