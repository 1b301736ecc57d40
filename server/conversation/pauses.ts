/**
 * Pauses: the silences inside one sentence's audio, as it arrives. A voice that tells no word times pauses where the text has a
 * comma or a full stop, so each silence says when the word behind the mark begins (heard.ts).
 *
 *   audio   |▓▓▓▓▓▓▓▓▓▓▓▓░░░░░▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓░░
 *                        └───┘ a pause        └ not one, nothing follows
 */

/** The stop before a "p" or "t" is shorter, the pause at a comma longer. */
const PAUSE_MIN_MS = 110
const WINDOW_MS = 5
/** −46 dBFS: below any vowel or hiss of a synthesised voice, above its noise. */
const SILENT_PEAK = 160
/** Every second sample tells loud from silent. */
const STEP = 2

/** In audio time of the sentence, ms. */
export interface Pause {
  fromMs: number
  toMs: number
}

export class PauseFinder {
  /** Where the first sound begins; null while there was none. */
  soundFromMs: number | null = null
  /** Where the last sound so far ends. */
  soundToMs = 0
  readonly pauses: Pause[] = []
  readonly #windowSamples: number
  #windows = 0
  #filled = 0
  #peak = 0

  constructor(rateHz: number) {
    this.#windowSamples = Math.round((rateHz * WINDOW_MS) / 1_000)
  }

  /** The next audio of the sentence, in chunks of any length. */
  push(pcm: Int16Array): void {
    for (let i = 0; i < pcm.length; i += STEP) {
      const magnitude = Math.abs(pcm[i] ?? 0)
      if (magnitude > this.#peak) this.#peak = magnitude
      this.#filled += Math.min(STEP, pcm.length - i)
      if (this.#filled >= this.#windowSamples) this.#close()
    }
  }

  #close(): void {
    const fromMs = this.#windows * WINDOW_MS
    this.#windows++
    this.#filled -= this.#windowSamples
    const isSound = this.#peak > SILENT_PEAK
    this.#peak = 0
    if (!isSound) return
    if (this.soundFromMs === null) this.soundFromMs = fromMs
    else if (fromMs - this.soundToMs >= PAUSE_MIN_MS) {
      this.pauses.push({ fromMs: this.soundToMs, toMs: fromMs })
    }
    this.soundToMs = fromMs + WINDOW_MS
  }
}
