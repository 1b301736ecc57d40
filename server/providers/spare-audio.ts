/**
 * Spare audio: memory for audio of one length that is used again and again, by all calls together.
 *
 *   take() ─► filled, kept as long as it may be asked for ─► give() ─► … take()
 *
 * What is kept for seconds is old to the garbage collector: it comes free only when the whole heap is marked, and a heap
 * that is marked for it stops every call. 20 KB a second and call came and went that way.
 *
 * Invariants: at most `most` pieces wait here; what a piece holds when it is taken is whatever it held before.
 */
export class SpareAudio {
  readonly #bytes: number
  readonly #most: number
  readonly #spare: ArrayBuffer[] = []

  /** @param options.samples of 16 bits in each piece */
  constructor({ samples, most }: { samples: number; most: number }) {
    this.#bytes = samples * Int16Array.BYTES_PER_ELEMENT
    this.#most = most
  }

  /** Pieces that wait. */
  get count(): number {
    return this.#spare.length
  }

  take(): Int16Array<ArrayBuffer> {
    return new Int16Array(this.#spare.pop() ?? new ArrayBuffer(this.#bytes))
  }

  /** Nobody may read it any more. One of another length is left to the garbage collector. */
  give(buffer: ArrayBuffer): void {
    if (buffer.byteLength === this.#bytes && this.#spare.length < this.#most)
      this.#spare.push(buffer)
  }
}
