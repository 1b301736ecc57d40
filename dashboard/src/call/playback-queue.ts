/**
 * PlaybackQueue: the agent's audio waiting to be played, and the marks between its samples.
 *
 *   push() ─► [ ring, ≤ capacity ] ─► pull()       a mark is played when the sample before it was pulled
 *
 * Playing starts `leadSamples` of play time after the first sample arrives in an empty queue, so that a frame that is
 * a little late does not tear the speech. clear() forgets the audio and the marks: a forgotten mark is never reported.
 * Positions count samples since the start and are never reset, so a mark's position stays valid across the ring.
 */
export class PlaybackQueue {
  readonly #ring: Int16Array
  readonly #leadSamples: number
  #written = 0
  #read = 0
  #wait: number
  #marks: { name: string; position: number }[] = []
  /** Samples that did not fit; the newest are dropped, never what is about to be heard. */
  droppedSamples = 0

  constructor(limits: { capacitySamples: number; leadSamples: number }) {
    this.#ring = new Int16Array(limits.capacitySamples)
    this.#leadSamples = limits.leadSamples
    this.#wait = limits.leadSamples
  }

  get queuedSamples(): number {
    return this.#written - this.#read
  }

  /** Appends samples; what exceeds the capacity is dropped and counted. */
  push(pcm: Int16Array): void {
    const accepted = Math.min(pcm.length, this.#ring.length - this.queuedSamples)
    this.droppedSamples += pcm.length - accepted
    const at = this.#written % this.#ring.length
    const first = Math.min(accepted, this.#ring.length - at)
    this.#ring.set(pcm.subarray(0, first), at)
    this.#ring.set(pcm.subarray(first, accepted), 0)
    this.#written += accepted
  }

  /** Notes a mark after what is queued. True when nothing is queued: it counts as played at once. */
  mark(name: string): boolean {
    if (this.queuedSamples === 0) return true
    this.#marks.push({ name, position: this.#written })
    return false
  }

  /** Fills `out` (−1…1, silence where nothing is due) and returns the marks that were passed, in order. */
  pull(out: Float32Array): string[] {
    let at = 0
    if (this.queuedSamples > 0) {
      at = Math.min(this.#wait, out.length)
      this.#wait -= at
      out.fill(0, 0, at)
    }
    while (at < out.length && this.#read < this.#written) {
      out[at++] = (this.#ring[this.#read++ % this.#ring.length] ?? 0) / 32_768
    }
    if (this.#read === this.#written) this.#wait = this.#leadSamples
    out.fill(0, at)
    return this.#passedMarks()
  }

  clear(): void {
    this.#read = this.#written
    this.#wait = this.#leadSamples
    this.#marks = []
  }

  #passedMarks(): string[] {
    const passed: string[] = []
    while (this.#marks[0] && this.#marks[0].position <= this.#read) {
      passed.push(this.#marks[0].name)
      this.#marks.shift()
    }
    return passed
  }
}
