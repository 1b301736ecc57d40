/**
 * The `media` messages that the simulated Twilio sends: whole WebSocket frames, made in the same memory for all calls.
 *
 *   digits of the counters ─► template ─► counters, payload, stream written in place ─► frame
 *
 * Calls that began within minutes of each other differ in numbers and stream only. Messages of each call's own would be four objects and
 * eight lines of cold memory to fetch for every frame, on the processor that the server's workers share with the rig.
 */
import { FRAME_MS } from './pacer.ts'

const BASE64_LENGTH = 216
const DIGIT_ZERO = 0x30
/** Header of a client's WebSocket frame of 126 to 65 535 bytes (RFC 6455 section 5.2); its mask is zero. */
export const FRAME_HEADER_BYTES = 8

/** A number's end is the place behind its last digit. */
interface Template {
  frame: Buffer
  sequenceEnd: number
  chunkEnd: number
  timestampEnd: number
  payloadAt: number
  streamAt: number
}

export class MediaFrames {
  /** By the lengths of what is written into them. */
  readonly #templates = new Map<number, Template>()

  /**
   * The media frame `index` (0…) with `base64` (the 216 ASCII bytes of a 160-byte payload) of the stream whose name `streamSid` holds in
   * ASCII. Valid until the next call, unless `detach`ed.
   */
  write(streamSid: Uint8Array, sequence: number, index: number, base64: Buffer): Buffer {
    const chunk = index + 1
    const timestampMs = index * FRAME_MS
    const key =
      (((streamSid.length << 4) | digitCount(sequence)) << 8) |
      (digitCount(chunk) << 4) |
      digitCount(timestampMs)
    let template = this.#templates.get(key)
    if (template === undefined) {
      template = build(streamSid.length, sequence, chunk, timestampMs)
      this.#templates.set(key, template)
    }
    const { frame, payloadAt, streamAt } = template
    writeDigits(frame, template.sequenceEnd, sequence)
    writeDigits(frame, template.chunkEnd, chunk)
    writeDigits(frame, template.timestampEnd, timestampMs)
    for (let i = 0; i < base64.length; i++) frame[payloadAt + i] = base64[i]!
    for (let i = 0; i < streamSid.length; i++) frame[streamAt + i] = streamSid[i]!
    return frame
  }

  /** Leaves a frame to its holder, a socket that is still writing it, and goes on with a copy. */
  detach(frame: Buffer): void {
    for (const template of this.#templates.values()) {
      if (template.frame === frame) template.frame = Buffer.from(frame)
    }
  }
}

function build(
  streamSidLength: number,
  sequence: number,
  chunk: number,
  timestampMs: number,
): Template {
  const parts = [
    '{"event":"media","sequenceNumber":"',
    String(sequence),
    '","media":{"track":"inbound","chunk":"',
    String(chunk),
    '","timestamp":"',
    String(timestampMs),
    '","payload":"',
    '/'.repeat(BASE64_LENGTH),
    '"},"streamSid":"',
    'x'.repeat(streamSidLength),
    '"}',
  ]
  const message = parts.join('')
  const at = (index: number): number => FRAME_HEADER_BYTES + parts.slice(0, index).join('').length
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + message.length)
  frame.writeUInt16BE(0x81fe)
  frame.writeUInt16BE(message.length, 2)
  frame.write(message, FRAME_HEADER_BYTES, 'latin1')
  return {
    frame,
    ...{
      sequenceEnd: at(2),
      chunkEnd: at(4),
      timestampEnd: at(6),
      payloadAt: at(7),
      streamAt: at(9),
    },
  }
}

function digitCount(value: number): number {
  let count = 1
  for (let rest = value; rest >= 10; rest = (rest / 10) | 0) count++
  return count
}

/** `value` in decimal, its last digit before `end`. Whole, 0 or more, below 2^31. */
function writeDigits(bytes: Buffer, end: number, value: number): void {
  let at = end
  let rest = value
  do {
    const tens = (rest / 10) | 0
    bytes[--at] = DIGIT_ZERO + rest - tens * 10
    rest = tens
  } while (rest > 0)
}

/** One for all calls of this process. */
export const mediaFrames = new MediaFrames()
