/**
 * Spare memory: blocks of one length that are used again and again, by all calls together.
 *
 *   take() ─► filled, kept as long as it may be asked for ─► give() ─► … take()
 *
 * What is kept for seconds is old to the garbage collector: it comes free only when the whole heap is marked, and a heap
 * that is marked for it stops every call. 20 KB a second and call came and went that way.
 *
 * Invariants: at most `most` blocks wait here; what a block holds when it is taken is whatever it held before.
 */
export class SpareMemory {
  readonly #bytes: number
  readonly #most: number
  readonly #spare: ArrayBuffer[] = []

  constructor({ bytes, most }: { bytes: number; most: number }) {
    this.#bytes = bytes
    this.#most = most
  }

  /** Blocks that wait. */
  get count(): number {
    return this.#spare.length
  }

  take(): ArrayBuffer {
    return this.#spare.pop() ?? new ArrayBuffer(this.#bytes)
  }

  /** Nobody may read it any more. One of another length is left to the garbage collector. */
  give(block: ArrayBuffer): void {
    if (block.byteLength === this.#bytes && this.#spare.length < this.#most) this.#spare.push(block)
  }
}
