/**
 * Reorder: puts a stream's payloads back in order where the carrier does not promise it. A payload that comes early waits
 * for those before it, as long as at most HELD_MAX wait; then what is missing is given up, and the gap is user-audio's to
 * conceal.
 *
 *   chunk 4, 6, 5, 7  ─►  4, (6 held) 5, 6, 7
 *
 * Invariants: what comes out is in strictly rising order; bytes held are copies; nothing is allocated while order holds.
 */

/** 60 ms: what swapped messages of one network burst span, and what a user does not notice as delay. */
const HELD_MAX = 3

export interface OrderedPayload {
  chunk: number
  timestampMs: number
  payload: Uint8Array
}

export class Reorder {
  readonly #deliver: (payload: Uint8Array, timestampMs: number) => void
  #next: number | null = null
  #held: OrderedPayload[] = []
  /** Came after it had been given up, or twice. */
  late = 0

  constructor(deliver: (payload: Uint8Array, timestampMs: number) => void) {
    this.#deliver = deliver
  }

  /** `chunk` counts payloads from wherever the first one begins. The bytes may be reused by the caller afterwards. */
  push(chunk: number, timestampMs: number, payload: Uint8Array): void {
    this.#next ??= chunk
    if (chunk < this.#next || this.#held.some((held) => held.chunk === chunk)) {
      this.late++
      return
    }
    if (chunk === this.#next) {
      this.#pass(chunk, timestampMs, payload)
      if (this.#held.length > 0) this.#passHeld()
      return
    }
    this.#held.push({ chunk, timestampMs, payload: payload.slice() })
    this.#held.sort((a, b) => a.chunk - b.chunk)
    if (this.#held.length <= HELD_MAX) return
    this.#next = this.#held[0]!.chunk
    this.#passHeld()
  }

  #passHeld(): void {
    while (this.#held[0]?.chunk === this.#next) {
      const { chunk, timestampMs, payload } = this.#held.shift()!
      this.#pass(chunk, timestampMs, payload)
    }
  }

  #pass(chunk: number, timestampMs: number, payload: Uint8Array): void {
    this.#next = chunk + 1
    this.#deliver(payload, timestampMs)
  }
}
