/**
 * Stream slot: the place of a call's media stream, which may be empty for a while and be taken by another one. Twilio closes
 * the stream to press keys and opens a new one; Telnyx opens a new one when its socket broke.
 *
 *   call, playout ─► slot ─► stream 1 … (nothing) … stream 2
 *
 * Invariants: a stream that was replaced is never written to again; while empty, payloads are refused and the rest is void.
 */
import type { CarrierName, CarrierStream } from '../carriers/carrier.ts'

export class StreamSlot implements CarrierStream {
  readonly carrier: CarrierName
  #stream: CarrierStream | null

  constructor(stream: CarrierStream) {
    this.carrier = stream.carrier
    this.#stream = stream
  }

  get current(): CarrierStream | null {
    return this.#stream
  }

  get bufferedBytes(): number {
    return this.#stream?.bufferedBytes ?? 0
  }

  put(stream: CarrierStream): void {
    this.#stream?.close()
    this.#stream = stream
  }

  empty(): void {
    this.#stream?.close()
    this.#stream = null
  }

  sendPayload(payload: Uint8Array): boolean {
    return this.#stream?.sendPayload(payload) ?? false
  }

  sendMark(name: string): void {
    this.#stream?.sendMark(name)
  }

  clear(): void {
    this.#stream?.clear()
  }

  sendEvent(event: Record<string, unknown>): void {
    this.#stream?.sendEvent(event)
  }

  close(): void {
    this.#stream?.close()
  }
}
