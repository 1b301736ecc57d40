/**
 * Media Streams messages: what the simulated Twilio sends, and the strict reading of what it
 * receives.
 *
 * Both ways the frame path is cheap. Out: one prebuilt `media` message per call, in which counters
 * and payload are overwritten in place. In: the first `media` message of the server is parsed
 * strictly; one whose bytes before and after the payload equal it needs no parsing again. Anything
 * else takes the strict way every time.
 */
import { z } from 'zod'
import { wireCore } from '../../dsp/wire.ts'

export const FRAME_BYTES = 160
const BASE64_LENGTH = 216
const INDEX_ZERO = 0x30

export interface StreamIdentity {
  accountSid: string
  callSid: string
  streamSid: string
}

export function connectedMessage(): string {
  return JSON.stringify({ event: 'connected', protocol: 'Call', version: '1.0.0' })
}

export function startMessage(
  identity: StreamIdentity,
  sequence: number,
  customParameters: Record<string, string>,
): string {
  const { accountSid, callSid, streamSid } = identity
  return JSON.stringify({
    event: 'start',
    sequenceNumber: String(sequence),
    start: {
      accountSid,
      streamSid,
      callSid,
      tracks: ['inbound'],
      mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
      customParameters,
    },
    streamSid,
  })
}

export function markMessage(identity: StreamIdentity, sequence: number, name: string): string {
  const { streamSid } = identity
  return JSON.stringify({
    event: 'mark',
    sequenceNumber: String(sequence),
    streamSid,
    mark: { name },
  })
}

export function dtmfMessage(identity: StreamIdentity, sequence: number, digit: string): string {
  const { streamSid } = identity
  const dtmf = { track: 'inbound_track', digit }
  return JSON.stringify({ event: 'dtmf', streamSid, sequenceNumber: String(sequence), dtmf })
}

export function stopMessage(identity: StreamIdentity, sequence: number): string {
  const { accountSid, callSid, streamSid } = identity
  const stop = { accountSid, callSid }
  return JSON.stringify({ event: 'stop', sequenceNumber: String(sequence), streamSid, stop })
}

/** Header of a client's WebSocket frame of 126 to 65 535 bytes; its mask is zero. */
const FRAME_HEADER_BYTES = 8

/** The `media` message of one call, rewritten in place for each frame. */
export class MediaTemplate {
  readonly #streamSid: string
  #frame: Buffer = Buffer.alloc(0)
  #bytes: Buffer = Buffer.alloc(0)
  #digits = { sequence: 0, chunk: 0, timestamp: 0 }
  #at = { sequence: 0, chunk: 0, timestamp: 0, payload: 0 }

  constructor(streamSid: string) {
    this.#streamSid = streamSid
  }

  /**
   * `base64`: the 216 ASCII bytes of a 160-byte payload. The buffer is reused by the next call
   * unless `detach`ed.
   */
  write(
    counters: { sequence: number; chunk: number; timestampMs: number },
    base64: Buffer,
  ): Buffer {
    const { sequence, chunk, timestampMs } = counters
    if (
      digitCount(sequence) !== this.#digits.sequence ||
      digitCount(chunk) !== this.#digits.chunk ||
      digitCount(timestampMs) !== this.#digits.timestamp
    ) {
      this.#build(sequence, chunk, timestampMs)
    }
    const at = this.#at
    writeDigits(this.#bytes, at.sequence, this.#digits.sequence, sequence)
    writeDigits(this.#bytes, at.chunk, this.#digits.chunk, chunk)
    writeDigits(this.#bytes, at.timestamp, this.#digits.timestamp, timestampMs)
    base64.copy(this.#bytes, at.payload)
    return this.#bytes
  }

  /** The last message as a whole WebSocket frame. */
  get frame(): Buffer {
    return this.#frame
  }

  /**
   * Leaves the last message to its holder (a socket that is still writing it) and goes on with a
   * copy.
   */
  detach(): void {
    this.#take(Buffer.from(this.#frame))
  }

  #take(frame: Buffer): void {
    this.#frame = frame
    this.#bytes = frame.subarray(FRAME_HEADER_BYTES)
  }

  #build(sequence: number, chunk: number, timestampMs: number): void {
    const parts = [
      '{"event":"media","sequenceNumber":"',
      String(sequence),
      '","media":{"track":"inbound","chunk":"',
      String(chunk),
      '","timestamp":"',
      String(timestampMs),
      '","payload":"',
      '/'.repeat(BASE64_LENGTH),
      `"},"streamSid":"${this.#streamSid}"}`,
    ]
    const offset = (index: number): number => parts.slice(0, index).join('').length
    this.#at = { sequence: offset(1), chunk: offset(3), timestamp: offset(5), payload: offset(7) }
    this.#digits = {
      sequence: digitCount(sequence),
      chunk: digitCount(chunk),
      timestamp: digitCount(timestampMs),
    }
    const message = parts.join('')
    const frame = Buffer.alloc(FRAME_HEADER_BYTES + message.length)
    frame.writeUInt16BE(0x81fe)
    frame.writeUInt16BE(message.length, 2)
    frame.write(message, FRAME_HEADER_BYTES, 'latin1')
    this.#take(frame)
  }
}

function digitCount(value: number): number {
  let count = 1
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) count++
  return count
}

function writeDigits(bytes: Buffer, at: number, count: number, value: number): void {
  let rest = value
  for (let i = at + count - 1; i >= at; i--) {
    bytes[i] = INDEX_ZERO + (rest % 10)
    rest = Math.floor(rest / 10)
  }
}

const sid = z.string()
/** Exactly the three shapes that Twilio takes; unexpected fields are warning 31951. */
const agentMessage = z.discriminatedUnion('event', [
  z.strictObject({
    event: z.literal('media'),
    streamSid: sid,
    media: z.strictObject({ payload: z.base64().min(1) }),
  }),
  z.strictObject({
    event: z.literal('mark'),
    streamSid: sid,
    mark: z.strictObject({ name: z.string().min(1) }),
  }),
  z.strictObject({ event: z.literal('clear'), streamSid: sid }),
])

/** Receives what the server says. `payload` is only valid during the call. */
export interface AgentMessages {
  onPayload(payload: Uint8Array): void
  onMark(name: string): void
  onClear(): void
  /**
   * 31950 binary message, 31951 anything that is not one of the three shapes; the message is
   * ignored.
   */
  onWarning(code: 31950 | 31951, detail: string): void
}

const ANCHOR = '"payload":"'
/** Longer payloads (1 s) are legal, but not what a paced server sends: they take the strict way. */
const PAYLOAD_LIMIT_BYTES = 8_000

export class AgentMessageReader {
  readonly #streamSid: string
  readonly #out: AgentMessages
  readonly #core = wireCore()
  #prefix: Buffer | null = null
  #suffix: Buffer | null = null

  constructor(streamSid: string, out: AgentMessages) {
    this.#streamSid = streamSid
    this.#out = out
  }

  read(message: Buffer, isBinary: boolean): void {
    if (isBinary) {
      this.#out.onWarning(31950, `${message.length} bytes`)
      return
    }
    if (!this.readText(message, message.length)) this.#readStrictly(message)
  }

  /**
   * A media message, the first `length` bytes of `message`, in the shape of those before it. False:
   * nothing was told, read() must judge it.
   */
  readText(message: Buffer, length: number): boolean {
    const prefix = this.#prefix
    const suffix = this.#suffix
    if (prefix === null || suffix === null) return false
    const from = prefix.length
    const to = length - suffix.length
    if (to <= from || to - from > PAYLOAD_LIMIT_BYTES) return false
    if (message.compare(prefix, 0, from, 0, from) !== 0) return false
    if (message.compare(suffix, 0, suffix.length, to, length) !== 0) return false
    const payload = this.#core.decode(message, from, to)
    // The strict reading says what is wrong.
    if (payload === null) return false
    this.#out.onPayload(payload)
    return true
  }

  #readStrictly(message: Buffer): void {
    const text = message.toString('utf8')
    const parsed = agentMessage.safeParse(parseJson(text))
    if (!parsed.success || parsed.data.streamSid !== this.#streamSid) {
      this.#out.onWarning(31951, text.slice(0, 200))
      return
    }
    const data = parsed.data
    if (data.event === 'mark') this.#out.onMark(data.mark.name)
    else if (data.event === 'clear') this.#out.onClear()
    else {
      this.#learn(message, data.media.payload)
      this.#out.onPayload(Buffer.from(data.media.payload, 'base64'))
    }
  }

  #learn(message: Buffer, payload: string): void {
    const at = message.indexOf(ANCHOR)
    if (at < 0) return
    this.#prefix = Buffer.from(message.subarray(0, at + ANCHOR.length))
    this.#suffix = Buffer.from(message.subarray(at + ANCHOR.length + payload.length))
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // reported as 31951 by the caller, like every other shape that is not known
  }
}
