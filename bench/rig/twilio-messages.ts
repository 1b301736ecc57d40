/**
 * Media Streams messages: what the simulated Twilio sends, and the strict reading of what it
 * receives.
 *
 * The frame path is cheap both ways. Out: twilio-media.ts. In: the first `media` message of the server is parsed strictly; one of
 * any call whose bytes around stream and payload equal it needs no parsing again. Anything else takes the strict way every time.
 */
import { z } from 'zod'
import { wireCore } from '../../dsp/wire.ts'

export const FRAME_BYTES = 160

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

/** What stands around the stream's name and the payload in the server's media messages. */
interface MediaShape {
  before: Uint8Array
  between: Uint8Array
  after: Uint8Array
}

/** The shape that was read last: one for all calls, since of each call's own it would be the coldest memory of a frame. */
let shape: MediaShape | null = null

export class AgentMessageReader {
  readonly #out: AgentMessages
  readonly #core = wireCore()
  readonly #streamSid: Uint8Array

  /** `streamSid`: the stream's name in ASCII. */
  constructor(streamSid: Uint8Array, out: AgentMessages) {
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
    if (shape === null) return false
    const { before, between, after } = shape
    const sid = this.#streamSid
    const from = before.length + sid.length + between.length
    const to = length - after.length
    if (to <= from || to - from > PAYLOAD_LIMIT_BYTES) return false
    if (!holds(message, 0, before) || !holds(message, before.length, sid)) return false
    if (!holds(message, from - between.length, between) || !holds(message, to, after)) return false
    const payload = this.#core.decode(message, from, to)
    // The strict reading says what is wrong.
    if (payload === null) return false
    this.#out.onPayload(payload)
    return true
  }

  #readStrictly(message: Buffer): void {
    const text = message.toString('utf8')
    const parsed = agentMessage.safeParse(parseJson(text))
    if (!parsed.success || parsed.data.streamSid !== asciiOf(this.#streamSid)) {
      this.#out.onWarning(31951, text.slice(0, 200))
      return
    }
    const data = parsed.data
    if (data.event === 'mark') this.#out.onMark(data.mark.name)
    else if (data.event === 'clear') this.#out.onClear()
    else {
      learn(message, data.streamSid, data.media.payload)
      this.#out.onPayload(Buffer.from(data.media.payload, 'base64'))
    }
  }
}

/** The shape of a message that was read strictly. One that names the stream behind the payload has none that is known here. */
function learn(message: Buffer, streamSid: string, payload: string): void {
  const sidAt = message.indexOf(`"${streamSid}"`) + 1
  const payloadAt = message.indexOf(ANCHOR) + ANCHOR.length
  if (sidAt <= 0 || payloadAt < ANCHOR.length || sidAt > payloadAt) return
  shape = {
    before: Uint8Array.from(message.subarray(0, sidAt)),
    between: Uint8Array.from(message.subarray(sidAt + streamSid.length, payloadAt)),
    after: Uint8Array.from(message.subarray(payloadAt + payload.length)),
  }
}

/** Does `text` stand at `at`? For texts this short a loop is cheaper than a call out of JavaScript. */
function holds(bytes: Buffer, at: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false
  return true
}

function asciiOf(text: Uint8Array): string {
  return Buffer.from(text).toString('latin1')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // reported as 31951 by the caller, like every other shape that is not known
  }
}
