/**
 * The carriers' media message, read and written as bytes (Telnyx's is Twilio's with two other names). Fifty of them a second and call come in one fixed shape, so they are
 * compared with it byte by byte instead of parsed: every byte outside the numbers and the payload must be the expected one,
 * from the first brace to the last. Whatever differs, however slightly, is for JSON.parse to judge.
 *
 *   {"event":"media","sequenceNumber":"4","media":{"track":"inbound","chunk":"2","timestamp":"20","payload":"…"},"streamSid":"…"}
 */

import type { WebSocket } from 'ws'
import { wireCore, type FoundMedia, type WireCore } from '../../dsp/wire.ts'
import type { MediaWire } from './carrier.ts'

export type { FoundMedia } from '../../dsp/wire.ts'

/** Header of a WebSocket frame of 126 to 65 535 bytes; a media message always is one: its fixed text alone is 80 bytes. */
const FRAME_HEADER_BYTES = 4

/** About 2 s of G.711 frames waiting in the socket: the network is behind, more would only be late. */
const SEND_BUFFER_MAX_BYTES = 32_768

const OUTBOUND_TAIL = '"}}'

/** What a carrier calls the two fields around the payload. */
export interface MediaNames {
  sequence: string
  stream: string
}

export const TWILIO_NAMES: MediaNames = { sequence: 'sequenceNumber', stream: 'streamSid' }

/** Reads one stream's media messages. The result is reused by the next call. To be closed with the stream. */
export class MediaScanner {
  readonly #core: WireCore
  /** Where the core has the texts; 0 for a stream with a name so long that no carrier gives it: everything is for JSON.parse then. */
  readonly #sharedAt: number
  #closingAt: number

  constructor(streamSid: string, names: MediaNames = TWILIO_NAMES) {
    this.#core = wireCore()
    const texts = this.#core.textsOf(
      [
        `{"event":"media","${names.sequence}":"`,
        '","media":{"track":"inbound","chunk":"',
        '","timestamp":"',
        '","payload":"',
      ],
      `"},"${names.stream}":${JSON.stringify(streamSid)}}`,
    )
    this.#sharedAt = texts?.sharedAt ?? 0
    this.#closingAt = texts?.closingAt ?? 0
  }

  /**
   * Null when the message, the first `length` bytes, is anything but a media message of this stream in Twilio's own shape. A quote
   * inside the payload would end it early; it is not base64 either, so the decoder refuses it.
   */
  scan(bytes: Buffer, length: number): FoundMedia | null {
    if (this.#closingAt === 0) return null
    return this.#core.scan(bytes, length, this.#sharedAt, this.#closingAt)
  }

  /** Everything is for JSON.parse from here on. Idempotent. */
  close(): void {
    if (this.#closingAt !== 0) this.#core.dropText(this.#closingAt)
    this.#closingAt = 0
  }
}

/**
 * Wires that the system has not yet taken a frame from: those bytes must stay as they are, so until it has, frames of all streams are
 * copies. Nearly always there is none, and every frame leaves from the same memory.
 */
const behind = new Set<MediaWire>()

function isMemoryFree(): boolean {
  for (const wire of behind) if (wire.isSpent || wire.writableLength === 0) behind.delete(wire)
  return behind.size === 0
}

/**
 * Writes one stream's media messages, each as a whole WebSocket text frame (RFC 6455 section 5.2: FIN and opcode 1; 126 and 16
 * bits of length; no mask from a server): one write of one buffer, which is a call's largest cost. To be closed with the stream.
 */
export class MediaWriter {
  readonly #core = wireCore()
  readonly #head: string
  /** Where the core has the head; null for a stream that it has no room for, whose messages are strings then. */
  #headAt: number | null

  /** `streamSid` is null where messages name no stream (Telnyx). */
  constructor(streamSid: string | null) {
    const sid = streamSid === null ? '' : `"streamSid":${JSON.stringify(streamSid)},`
    this.#head = `{"event":"media",${sid}"media":{"payload":"`
    this.#headAt = this.#core.keepText(this.#head)
  }

  /**
   * Sends one payload: past the socket as a whole frame where there is a wire, else through it. False when it holds 2 s of audio back.
   * For a socket that is open, as its stream knows: to ask it would fetch one object more for each frame.
   */
  send(payload: Uint8Array, socket: WebSocket, wire: MediaWire | null): boolean {
    const waitingBytes = wire ? wire.writableLength : socket.bufferedAmount
    if (waitingBytes > SEND_BUFFER_MAX_BYTES) return false
    const headAt = this.#headAt
    if (headAt === null) {
      const text = Buffer.from(payload).toString('base64')
      socket.send(`${this.#head}${text}${OUTBOUND_TAIL}`)
    } else if (!wire) {
      // A copy: ws may keep what it is given.
      const frame = Buffer.from(this.#core.frame(headAt, payload, 1))
      socket.send(frame.subarray(FRAME_HEADER_BYTES), { binary: false })
    } else if (behind.size > 0 && !isMemoryFree()) {
      wire.write(Buffer.from(this.#core.frame(headAt, payload, 1)))
    } else {
      wire.write(this.#core.frame(headAt, payload))
      if (wire.writableLength > 0) behind.add(wire)
    }
    return true
  }

  /** Nothing is sent afterwards that is worth its haste. Idempotent. */
  close(): void {
    if (this.#headAt !== null) this.#core.dropText(this.#headAt)
    this.#headAt = null
  }
}
