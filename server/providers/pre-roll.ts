/**
 * Pre-roll: the newest audio that was held back, to be sent first when a sound begins.
 *
 *   hold ─► [ 30 frames of 20 ms, the oldest is overwritten ] ─► release: in order, each with its own time
 *
 * Of the labelled speech (bench `vad`) what begins softly enough to be held begins less than 200 ms before the frame that
 * opens the gate. 600 ms is three times that, and gives a recogniser the quiet before a word, too.
 *
 * Invariants: allocated once; a frame that is longer is not taken.
 */
import type { SttRateHz } from './stt.ts'

const FRAME_MS = 20
export const PRE_ROLL_MS = 600
const FRAMES = PRE_ROLL_MS / FRAME_MS

export class PreRoll {
  readonly #samplesPerMs: number
  readonly #frameSamples: number
  readonly #pcm: Int16Array
  readonly #startsMs = new Float64Array(FRAMES)
  readonly #lengths = new Uint16Array(FRAMES)
  #next = 0
  #count = 0
  #keptMs = 0

  constructor(rateHz: SttRateHz) {
    this.#samplesPerMs = rateHz / 1_000
    this.#frameSamples = FRAME_MS * this.#samplesPerMs
    this.#pcm = new Int16Array(FRAMES * this.#frameSamples)
  }

  /** 0…600. */
  get keptMs(): number {
    return this.#keptMs
  }

  /** Samples are copied. @returns false when the frame has more than 20 ms */
  hold(pcm: Int16Array, atMs: number): boolean {
    if (pcm.length > this.#frameSamples) return false
    const overwritten = this.#count === FRAMES ? this.#lengths[this.#next]! : 0
    this.#keptMs += (pcm.length - overwritten) / this.#samplesPerMs
    this.#pcm.set(pcm, this.#next * this.#frameSamples)
    this.#startsMs[this.#next] = atMs
    this.#lengths[this.#next] = pcm.length
    this.#next = (this.#next + 1) % FRAMES
    this.#count = Math.min(FRAMES, this.#count + 1)
    return true
  }

  /** Gives all of it to `send`, the oldest first, and is empty. The samples are valid during the call. */
  release(send: (pcm: Int16Array, atMs: number) => void): void {
    const count = this.#count
    this.#count = 0
    this.#keptMs = 0
    for (let i = 0; i < count; i++) {
      const place = (this.#next + FRAMES - count + i) % FRAMES
      const from = place * this.#frameSamples
      send(this.#pcm.subarray(from, from + this.#lengths[place]!), this.#startsMs[place]!)
    }
  }
}
