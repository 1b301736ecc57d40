/**
 * The carriers' media message, read and written as bytes (Telnyx's is Twilio's with two other names). Fifty of them a second and call come in one fixed shape, so they are
 * compared with it byte by byte instead of parsed: every byte outside the numbers and the payload must be the expected one,
 * from the first brace to the last. Whatever differs, however slightly, is for JSON.parse to judge.
 *
 *   {"event":"media","sequenceNumber":"4","media":{"track":"inbound","chunk":"2","timestamp":"20","payload":"…"},"streamSid":"…"}
 */

import type { WebSocket } from 'ws'
import type { MediaWire } from './carrier.ts'
import { encodeBase64, encodedLength } from './base64.ts'

/** Header of a WebSocket frame of 126 to 65 535 bytes; a media message always is one: its fixed text alone is 80 bytes. */
const FRAME_HEADER_BYTES = 4

const MEDIA = Buffer.from('","media":{"track":"inbound","chunk":"')
const TIMESTAMP = Buffer.from('","timestamp":"')
const PAYLOAD = Buffer.from('","payload":"')
const OUTBOUND_TAIL = Buffer.from('"}}')
const TIMESTAMP_MAX_DIGITS = 12
const CHUNK_MAX_DIGITS = 12

/** What a carrier calls the two fields around the payload. */
export interface MediaNames {
  sequence: string
  stream: string
}

export const TWILIO_NAMES: MediaNames = { sequence: 'sequenceNumber', stream: 'streamSid' }

/** Where the payload's base64 lies in the message, and the stream time of its first sample. */
export interface FoundMedia {
  from: number
  to: number
  timestampMs: number
  /** Counts the stream's media messages. */
  chunk: number
}

/** Reads one stream's media messages. The result is reused by the next call. */
export class MediaScanner {
  readonly #found: FoundMedia = { from: 0, to: 0, timestampMs: 0, chunk: 0 }
  readonly #opening: Buffer
  readonly #closing: Buffer

  constructor(streamSid: string, names: MediaNames = TWILIO_NAMES) {
    this.#opening = ownBytes(`{"event":"media","${names.sequence}":"`)
    this.#closing = ownBytes(`"},"${names.stream}":${JSON.stringify(streamSid)}}`)
  }

  /** Null when the message, the first `length` bytes, is anything but a media message of this stream in Twilio's own shape. */
  scan(bytes: Buffer, length: number): FoundMedia | null {
    let at = skip(bytes, 0, this.#opening)
    at = skip(bytes, skipDigits(bytes, at), MEDIA)
    const count = at
    const chunkTo = skipDigits(bytes, at)
    at = skip(bytes, chunkTo, TIMESTAMP)
    const stamp = at
    at = skipDigits(bytes, at)
    if (at < 0 || at - stamp > TIMESTAMP_MAX_DIGITS || chunkTo - count > CHUNK_MAX_DIGITS) {
      return null
    }
    const stampTo = at
    const from = skip(bytes, at, PAYLOAD)
    const to = length - this.#closing.length
    if (from < 0 || to <= from || skip(bytes, to, this.#closing) < 0) return null
    // A quote inside would end the payload early; it is not base64 either, so the decoder refuses it.
    this.#found.from = from
    this.#found.to = to
    this.#found.timestampMs = number(bytes, stamp, stampTo)
    this.#found.chunk = number(bytes, count, chunkTo)
    return this.#found
  }
}

/** The place behind `text` when it stands at `at`, else -1. */
function skip(bytes: Buffer, at: number, text: Buffer): number {
  if (at < 0 || at + text.length > bytes.length) return -1
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return -1
  return at + text.length
}

/** The place behind one digit or more, else -1. */
function skipDigits(bytes: Buffer, at: number): number {
  if (at < 0) return -1
  let end = at
  while (end < bytes.length && bytes[end]! >= 0x30 && bytes[end]! <= 0x39) end++
  return end > at ? end : -1
}

/** The number that the digits `bytes[from…to)` write. */
function number(bytes: Buffer, from: number, to: number): number {
  let value = 0
  for (let i = from; i < to; i++) value = value * 10 + (bytes[i]! - 0x30)
  return value
}

interface MediaFrame {
  bytes: Buffer
  /** The place of the payload's base64 within it. */
  text: Uint16Array
}

/**
 * Writes one stream's media messages, each as a whole WebSocket text frame (RFC 6455 section 5.2: FIN and opcode 1; 126 and 16
 * bits of length; no mask from a server): one write of one buffer, which is a call's largest cost. The buffer is reused.
 */
export class MediaWriter {
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
    encodeBase64(payload, frame.text)
    if (wire) wire.write(frame.bytes)
    else socket.send(frame.bytes.subarray(FRAME_HEADER_BYTES), { binary: false })
    if (!wire || wire.writableLength > 0) this.#frames.clear()
  }

  #shape(payloadBytes: number): MediaFrame {
    const head = this.#head
    const characters = encodedLength(payloadBytes)
    const length = head.length + characters + OUTBOUND_TAIL.length
    const textAt = FRAME_HEADER_BYTES + head.length
    // Elements of two bytes can only lie at even places.
    const skew = textAt % 2
    const memory = new ArrayBuffer(FRAME_HEADER_BYTES + length + skew)
    const bytes = Buffer.from(memory, skew)
    bytes[0] = 0x81
    bytes[1] = 126
    bytes[2] = length >> 8
    bytes[3] = length & 0xff
    bytes.set(head, FRAME_HEADER_BYTES)
    bytes.set(OUTBOUND_TAIL, bytes.length - OUTBOUND_TAIL.length)
    const frame = { bytes, text: new Uint16Array(memory, skew + textAt, characters / 2) }
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
