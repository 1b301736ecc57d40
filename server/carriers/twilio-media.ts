/**
 * The carriers' media message, read and written as bytes (Telnyx's is Twilio's with two other names). Fifty of them a second and call come in one fixed shape, so they are
 * compared with it byte by byte instead of parsed: every byte outside the numbers and the payload must be the expected one,
 * from the first brace to the last. Whatever differs, however slightly, is for JSON.parse to judge.
 *
 *   {"event":"media","sequenceNumber":"4","media":{"track":"inbound","chunk":"2","timestamp":"20","payload":"…"},"streamSid":"…"}
 */

import type { WebSocket } from 'ws'
import {
  base64Length,
  wireCore,
  type FoundMedia,
  type MediaTexts,
  type WireCore,
} from '../../dsp/wire.ts'
import type { MediaWire } from './carrier.ts'

export type { FoundMedia } from '../../dsp/wire.ts'

/** Header of a WebSocket frame of 126 to 65 535 bytes; a media message always is one: its fixed text alone is 80 bytes. */
const FRAME_HEADER_BYTES = 4

const OUTBOUND_TAIL = Buffer.from('"}}')

/** What a carrier calls the two fields around the payload. */
export interface MediaNames {
  sequence: string
  stream: string
}

export const TWILIO_NAMES: MediaNames = { sequence: 'sequenceNumber', stream: 'streamSid' }

/** Reads one stream's media messages. The result is reused by the next call. */
export class MediaScanner {
  readonly #core: WireCore
  /** Null for a stream with a name so long that no carrier gives it: everything is for JSON.parse then. */
  readonly #texts: MediaTexts | null

  constructor(streamSid: string, names: MediaNames = TWILIO_NAMES) {
    this.#core = wireCore()
    this.#texts = this.#core.textsOf(
      [
        `{"event":"media","${names.sequence}":"`,
        '","media":{"track":"inbound","chunk":"',
        '","timestamp":"',
        '","payload":"',
      ],
      `"},"${names.stream}":${JSON.stringify(streamSid)}}`,
    )
  }

  /**
   * Null when the message, the first `length` bytes, is anything but a media message of this stream in Twilio's own shape. A quote
   * inside the payload would end it early; it is not base64 either, so the decoder refuses it.
   */
  scan(bytes: Buffer, length: number): FoundMedia | null {
    return this.#texts === null ? null : this.#core.scan(bytes, length, this.#texts)
  }
}

interface MediaFrame {
  bytes: Buffer
  /** Where the payload's base64 begins. */
  textAt: number
}

/**
 * Writes one stream's media messages, each as a whole WebSocket text frame (RFC 6455 section 5.2: FIN and opcode 1; 126 and 16
 * bits of length; no mask from a server): one write of one buffer, which is a call's largest cost. The buffer is reused.
 */
export class MediaWriter {
  readonly #core = wireCore()
  readonly #head: Buffer
  /** By payload length: a line sends one, two or three frames at a time. */
  readonly #frames = new Map<number, MediaFrame>()

  /** `streamSid` is null where messages name no stream (Telnyx). */
  constructor(streamSid: string | null) {
    const sid = streamSid === null ? '' : `"streamSid":${JSON.stringify(streamSid)},`
    this.#head = ownBytes(`{"event":"media",${sid}"media":{"payload":"`)
  }

  /**
   * Sends one payload: past the socket as a whole frame where there is a wire, else through it. While the bytes are still in use the
   * next frame gets memory of its own.
   */
  send(payload: Uint8Array, socket: WebSocket, wire: MediaWire | null): void {
    const frame = this.#frames.get(payload.length) ?? this.#shape(payload.length)
    this.#core.encode(payload, frame.bytes, frame.textAt)
    if (wire) wire.write(frame.bytes)
    else socket.send(frame.bytes.subarray(FRAME_HEADER_BYTES), { binary: false })
    if (!wire || wire.writableLength > 0) this.#frames.clear()
  }

  #shape(payloadBytes: number): MediaFrame {
    const head = this.#head
    const characters = base64Length(payloadBytes)
    const length = head.length + characters + OUTBOUND_TAIL.length
    const textAt = FRAME_HEADER_BYTES + head.length
    const bytes = Buffer.allocUnsafeSlow(FRAME_HEADER_BYTES + length)
    bytes[0] = 0x81
    bytes[1] = 126
    bytes[2] = length >> 8
    bytes[3] = length & 0xff
    bytes.set(head, FRAME_HEADER_BYTES)
    bytes.set(OUTBOUND_TAIL, bytes.length - OUTBOUND_TAIL.length)
    const frame = { bytes, textAt }
    this.#frames.set(payloadBytes, frame)
    return frame
  }
}

/** Memory of its own: a short Buffer that lives as long as a call would keep the 64 KiB of Node's pool that it is cut from. */
function ownBytes(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
  bytes.write(text)
  return bytes
}
