/**
 * Outbound message: the frames that leave for the line in the same moment, as one payload. The carrier lays what it gets end to
 * end, so two frames in one message sound like two messages, for half the work of this process and of the system.
 *
 *   frame ─┐
 *   frame ─┴─► [ ≤ 3 frames, end to end ] ─► sendPayload, once
 *
 * A frame that leaves alone, as nearly all do, is not copied.
 *
 * Invariants: nothing waits here between two turns of the playout; memory is allocated with the first two frames only.
 */

/** 60 ms. A turn rarely finds more than two frames prepared, and a socket that takes nothing should lose little at once. */
export const MESSAGE_MAX_FRAMES = 3

export class OutboundMessage {
  /** `frames[i]` is one frame's place, `payloads[n - 1]` the first n of them together. */
  #frames: Uint8Array[] = []
  #payloads: Uint8Array[] = []
  #count = 0
  /** A frame that is still where it was prepared: the first, as long as no other follows it. */
  #lent: Uint8Array | null = null

  get count(): number {
    return this.#count
  }

  get isFull(): boolean {
    return this.#count === MESSAGE_MAX_FRAMES
  }

  /**
   * Adds one frame to the end; all frames of a line have one length. The message must not be full. The bytes must stay until take(), or
   * until own() is called.
   */
  add(frame: Uint8Array): void {
    if (this.#count === 0) this.#lent = frame
    else {
      this.own()
      this.#frames[this.#count]!.set(frame)
    }
    this.#count++
  }

  /** Copies what was added and is still elsewhere: its bytes may be used again. */
  own(): void {
    if (this.#lent === null || this.#count === 0) return
    const frame = this.#lent
    this.#lent = null
    if (this.#frames[0]?.length !== frame.length) this.#allocate(frame.length)
    this.#frames[0]!.set(frame)
  }

  /** What was added since the last call as one payload, valid until the next add(); null when that is nothing. */
  take(): Uint8Array | null {
    if (this.#count === 0) return null
    const payload = this.#lent ?? this.#payloads[this.#count - 1]!
    this.#count = 0
    return payload
  }

  /** Forgets what was added. */
  discard(): void {
    this.#count = 0
  }

  /** The frame at `index` of the message that was taken last. */
  frame(index: number): Uint8Array {
    return this.#lent ?? this.#frames[index]!
  }

  #allocate(frameBytes: number): void {
    const bytes = new Uint8Array(MESSAGE_MAX_FRAMES * frameBytes)
    const places = Array.from({ length: MESSAGE_MAX_FRAMES }, (_, i) => i)
    this.#frames = places.map((i) => bytes.subarray(i * frameBytes, (i + 1) * frameBytes))
    this.#payloads = places.map((i) => bytes.subarray(0, (i + 1) * frameBytes))
  }
}
