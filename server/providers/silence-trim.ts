/**
 * Shortens the silence around synthesised speech while it streams.
 *
 * Pico puts up to 300 ms before a sentence and about 500 ms behind it, with a soft click in either; between two
 * sentences of one answer that sounds like a lost line. Silence inside the sentence is kept: it is held back until
 * speech follows it.
 *
 * Invariant: what is held back is bounded by the pauses inside one sentence, before its first sound by ½ s.
 */

/** Below this is silence (exact zeros with a little dither). About −46 dBFS. */
const QUIET = 160
/** From here on it is speech; between the two lie soft onsets, decays and Pico's clicks. About −35 dBFS. */
const SPEECH = 600
/** A soft sound followed by this much silence does not belong to the word after it: it was a click. */
const CLICK_GAP_MS = 30
/** A soft onset is not longer. */
const ONSET_MS = 500

export interface TrimLimits {
  rateHz: number
  leadMs: number
  tailMs: number
}

export class SilenceTrim {
  readonly #leadSamples: number
  readonly #tailSamples: number
  readonly #clickGapSamples: number
  readonly #onsetSamples: number
  #held: Int16Array[] = []
  #heldSamples = 0
  /** Silence at the end of what is held. */
  #quietSamples = 0
  #started = false

  constructor({ rateHz, leadMs, tailMs }: TrimLimits) {
    const samples = (ms: number): number => Math.round((ms * rateHz) / 1_000)
    this.#leadSamples = samples(leadMs)
    this.#tailSamples = samples(tailMs)
    this.#clickGapSamples = samples(CLICK_GAP_MS)
    this.#onsetSamples = samples(ONSET_MS)
  }

  /** Takes a piece of any length; returns what can be played now, in order. */
  push(pcm: Int16Array): Int16Array[] {
    if (pcm.length === 0) return []
    const peak = peakOf(pcm)
    if (peak < SPEECH) {
      this.#hold(pcm, peak)
      return []
    }
    const out = [...this.#held, pcm]
    this.#held = []
    this.#heldSamples = 0
    this.#quietSamples = 0
    this.#started = true
    return out
  }

  /** What remains at the end: the decay of the last sound and a short breath. */
  finish(): Int16Array[] {
    if (!this.#started) return []
    let room = this.#tailSamples
    const out: Int16Array[] = []
    for (const piece of this.#held) {
      if (room <= 0) break
      out.push(piece.subarray(0, room))
      room -= piece.length
    }
    this.#held = []
    return out
  }

  #hold(pcm: Int16Array, peak: number): void {
    this.#held.push(pcm)
    this.#heldSamples += pcm.length
    this.#quietSamples = peak < QUIET ? this.#quietSamples + pcm.length : 0
    if (this.#started) return
    // Silence or a click: only the lead is kept. A soft sound: it may be how the first word begins.
    const onlyLead = this.#quietSamples === this.#heldSamples
    const click = this.#quietSamples >= this.#clickGapSamples
    this.#keepLast(onlyLead || click ? this.#leadSamples : this.#onsetSamples)
  }

  #keepLast(samples: number): void {
    while (this.#held.length > 0 && this.#heldSamples - this.#held[0]!.length >= samples) {
      this.#heldSamples -= this.#held.shift()!.length
    }
    this.#quietSamples = Math.min(this.#quietSamples, this.#heldSamples)
  }
}

function peakOf(pcm: Int16Array): number {
  let peak = 0
  for (const sample of pcm) peak = Math.max(peak, Math.abs(sample))
  return peak
}
