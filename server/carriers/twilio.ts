/**
 * Twilio Media Streams, the wire: `connected`, `start`, `media`, `dtmf`, `mark`, `stop` in; `media`, `mark`, `clear` out.
 *
 *   socket ─► twilio-media or JSON.parse ─► StreamEvents    sendPayload / sendMark / clear ─► socket
 *
 * Fifty `media` messages a second and call come in one fixed shape, which twilio-media.ts reads by its bytes; whatever
 * differs in a single byte goes to JSON.parse: both ways accept the same messages with the same meaning. Everything a stranger can send is counted through onBadInput and otherwise
 * ignored.
 *
 * Wire facts: docs/twilio.md. Sequence numbers, chunks and timestamps are strings of digits; silence is 0xFF.
 */
import type { RawData, WebSocket } from 'ws'
import { z } from 'zod'
import type { CarrierStream, MediaReader, MediaWire, StreamEvents } from './carrier.ts'
import { wireCore } from '../../dsp/wire.ts'
import { MediaScanner, MediaWriter, type FoundMedia } from './twilio-media.ts'

/** Longest text message taken; a real one is about 400 bytes, a start with parameters below 4 kB. */
const MESSAGE_MAX_BYTES = 16_384
/** A payload is 20 ms = 160 bytes in practice; Twilio promises no length, so up to 100 ms is taken. */
const PAYLOAD_MAX_BYTES = 800

/** RFC 6455 section 7.1.5: the connection ended without a word. Twilio says goodbye when it means it. */
const ABNORMAL = 1006

const id = z.string().min(1).max(128)
const message = z.discriminatedUnion('event', [
  z.object({ event: z.literal('connected') }),
  z.object({
    event: z.literal('start'),
    streamSid: id,
    start: z.object({
      callSid: id,
      mediaFormat: z.object({
        encoding: z.literal('audio/x-mulaw'),
        sampleRate: z.literal(8_000),
        channels: z.literal(1),
      }),
      customParameters: z.record(z.string(), z.string().max(1_000)).default({}),
    }),
  }),
  z.object({
    event: z.literal('media'),
    streamSid: id,
    media: z.object({
      // Our own audio comes back only on streams we do not ask for; it must never be taken for the user.
      track: z.literal('inbound').optional(),
      timestamp: z.string().regex(/^\d{1,12}$/),
      payload: z.string(),
    }),
  }),
  z.object({
    event: z.literal('mark'),
    streamSid: id,
    mark: z.object({ name: z.string().max(128) }),
  }),
  z.object({
    event: z.literal('dtmf'),
    streamSid: id,
    dtmf: z.object({ digit: z.string().regex(/^[0-9*#A-D]$/) }),
  }),
  z.object({ event: z.literal('stop'), streamSid: id }),
])
type TwilioMessage = z.infer<typeof message>

export class TwilioStream implements CarrierStream, MediaReader {
  readonly carrier = 'twilio' as const
  readonly #socket: WebSocket
  readonly #events: StreamEvents
  readonly #core = wireCore()
  readonly #wire: MediaWire | null
  #streamSid = ''
  #writer: MediaWriter | null = null
  #scanner: MediaScanner | null = null
  #stopped = false
  /** The socket is closing, by us, or has closed. */
  #closed = false

  /** `wire` is the connection beneath `socket`; without it media messages take the longer way through the socket. */
  constructor(socket: WebSocket, events: StreamEvents, wire: MediaWire | null = null) {
    this.#socket = socket
    this.#events = events
    this.#wire = wire
    if (wire) wire.reader = this
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary))
    socket.on('close', (code) => {
      this.#closed = true
      this.#scanner?.close()
      this.#writer?.close()
      this.#stop(code === ABNORMAL ? 'error' : 'close')
    })
    socket.on('error', () => this.#stop('error'))
  }

  /** From the wire. */
  readText(bytes: Buffer, length: number): boolean {
    return !this.#stopped && this.#scanMedia(bytes, length)
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount
  }

  sendPayload(payload: Uint8Array): boolean {
    if (this.#writer === null || this.#closed) return false
    return this.#writer.send(payload, this.#socket, this.#wire)
  }

  sendMark(name: string): void {
    this.#send({ event: 'mark', streamSid: this.#streamSid, mark: { name } })
  }

  clear(): void {
    this.#send({ event: 'clear', streamSid: this.#streamSid })
  }

  /** Telephones have no screen. */
  sendEvent(): void {}

  close(): void {
    this.#closed = true
    if (this.#socket.readyState <= this.#socket.OPEN) this.#socket.close(1000)
  }

  #send(body: Record<string, unknown>): void {
    if (this.#streamSid === '' || this.#socket.readyState !== this.#socket.OPEN) return
    this.#socket.send(JSON.stringify(body))
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#stopped) return
    if (isBinary) return this.#events.onBadInput('binaryMessage')
    const bytes = data as Buffer
    if (bytes.length > MESSAGE_MAX_BYTES) return this.#events.onBadInput('oversizedMessage')
    if (this.#scanMedia(bytes, bytes.length)) return
    this.#parse(bytes)
  }

  /** The fast path: true when the message was a well-formed media message and has been delivered. */
  #scanMedia(bytes: Buffer, length: number): boolean {
    const found = this.#scanner?.scan(bytes, length)
    if (!found) return false
    return this.#deliver(bytes, found)
  }

  /** Decodes and hands on one payload; false (nothing delivered) when it is not base64 of a sane length. */
  #deliver(text: Uint8Array, { from, to, timestampMs }: Omit<FoundMedia, 'chunk'>): boolean {
    const payload = this.#core.decode(text, from, to)
    if (payload === null || payload.length > PAYLOAD_MAX_BYTES) return false
    this.#events.onPayload(payload, timestampMs)
    return true
  }

  #parse(bytes: Buffer): void {
    let json: unknown
    try {
      json = JSON.parse(bytes.toString('utf8'))
    } catch {
      return this.#events.onBadInput('malformedJson')
    }
    const parsed = message.safeParse(json)
    if (!parsed.success) return this.#events.onBadInput(badInputCode(json))
    this.#dispatch(parsed.data)
  }

  #dispatch(received: TwilioMessage): void {
    if (received.event === 'connected') return
    if (received.event === 'start') return this.#start(received)
    if (this.#streamSid === '') return this.#events.onBadInput(`${received.event}BeforeStart`)
    if (received.streamSid !== this.#streamSid) return this.#events.onBadInput('wrongStreamSid')
    if (received.event === 'mark') return this.#events.onMarkPlayed(received.mark.name)
    if (received.event === 'dtmf') return this.#events.onDigit(received.dtmf.digit)
    if (received.event === 'stop') return this.#stop('stop')
    const text = Buffer.from(received.media.payload, 'latin1')
    const timestampMs = Number(received.media.timestamp)
    if (!this.#deliver(text, { from: 0, to: text.length, timestampMs })) {
      this.#events.onBadInput('badPayload')
    }
  }

  #start(received: Extract<TwilioMessage, { event: 'start' }>): void {
    if (this.#streamSid !== '') return this.#events.onBadInput('secondStart')
    this.#streamSid = received.streamSid
    this.#writer = new MediaWriter(received.streamSid)
    this.#scanner = new MediaScanner(received.streamSid)
    const { token = null, from = null, to = null, ...parameters } = received.start.customParameters
    this.#events.onStart({
      streamId: received.streamSid,
      carrierCallId: received.start.callSid,
      token,
      from,
      to,
      parameters,
      format: { codec: 'PCMU', sampleRateHz: 8_000 },
    })
  }

  #stop(cause: 'stop' | 'close' | 'error'): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#events.onStop(cause)
  }
}

/** Names what was wrong with a message that is JSON but not one of Twilio's. */
function badInputCode(json: unknown): string {
  const event = typeof json === 'object' && json !== null && 'event' in json ? json.event : null
  if (typeof event !== 'string') return 'notAMessage'
  const known = ['connected', 'start', 'media', 'mark', 'dtmf', 'stop'].includes(event)
  return known ? `bad${event[0]!.toUpperCase()}${event.slice(1)}` : 'unknownEvent'
}
