/**
 * Telnyx media streaming, the wire: `connected`, `start`, `media`, `dtmf`, `mark`, `stop`, `error` in; `media`, `mark`,
 * `clear` out, in mode rtp (bare codec bytes, no stream id).
 *
 *   socket ─► scanner or JSON.parse ─► reorder ─► StreamEvents    sendPayload / sendMark / clear ─► socket
 *
 * Like Twilio's in most (twilio-media.ts reads both), but: names in snake case, order not promised, numbers in `start`, the
 * one-time token in the socket's URL, and closing the socket does not end the call. Keys pressed come here and as webhooks;
 * these are the ones that count.
 *
 * Wire facts: docs/telnyx.md.
 */
import type { RawData, WebSocket } from 'ws'
import { z } from 'zod'
import type { AudioFormat } from '../media/audio-format.ts'
import { wireCore } from '../../dsp/wire.ts'
import type { CarrierStream, MediaReader, MediaWire, StreamEvents } from './carrier.ts'
import { Reorder } from './reorder.ts'
import { swapSamples, telnyxFormat, TELNYX_NAMES } from './telnyx-media.ts'
import { MediaScanner, MediaWriter, type FoundMedia } from './twilio-media.ts'

const MESSAGE_MAX_BYTES = 16_384
/** 100 ms of the largest format, L16 at 16 kHz. */
const PAYLOAD_MAX_BYTES = 3_200
/** What Telnyx says of what we sent; anything else is counted without its number. */
const KNOWN_ERRORS = new Set(['100002', '100003', '100004', '100005'])

const id = z.string().min(1).max(128)
const number = z.string().max(255).nullish()
const digits = z.string().regex(/^\d{1,12}$/)
const parameter = z.object({ name: z.string().max(128), value: z.string().max(1_000) })
const problem = z.object({ code: z.union([z.string(), z.number()]).transform(String) })
const message = z.discriminatedUnion('event', [
  z.object({ event: z.literal('connected') }),
  z.object({
    event: z.literal('start'),
    stream_id: id,
    start: z.object({
      call_control_id: id,
      from: number,
      to: number,
      media_format: z.object({
        encoding: z.string().max(32),
        sample_rate: z.number(),
        channels: z.literal(1).default(1),
      }),
      custom_parameters: z
        .union([z.array(parameter).max(50), z.record(z.string(), z.string().max(1_000))])
        .nullish(),
    }),
  }),
  z.object({
    event: z.literal('media'),
    stream_id: id,
    media: z.object({
      // With both tracks asked for our own audio comes back as outbound; it must never be taken for the user.
      track: z.literal('inbound').optional(),
      chunk: digits,
      timestamp: digits,
      payload: z.string(),
    }),
  }),
  z.object({
    event: z.literal('mark'),
    stream_id: id,
    mark: z.object({ name: z.string().max(128) }),
  }),
  z.object({
    event: z.literal('dtmf'),
    stream_id: id,
    dtmf: z.object({ digit: z.string().regex(/^[0-9*#A-D]$/) }),
  }),
  z.object({ event: z.literal('stop'), stream_id: id }),
  z.object({ event: z.literal('error'), payload: problem.optional(), error: problem.optional() }),
])
type TelnyxMessage = z.infer<typeof message>

export interface TelnyxStreamOptions {
  /** Came in the socket's URL. */
  token: string | null
  /** What was asked for in both directions; a `start` in another codec is refused, because we would be heard as noise. */
  codec: AudioFormat['codec']
  l16ByteOrder: 'big' | 'little'
}

export class TelnyxStream implements CarrierStream, MediaReader {
  readonly carrier = 'telnyx' as const
  readonly #socket: WebSocket
  readonly #events: StreamEvents
  readonly #options: TelnyxStreamOptions
  readonly #wire: MediaWire | null
  readonly #core = wireCore()
  readonly #order: Reorder
  readonly #writer = new MediaWriter(null)
  #streamId = ''
  #scanner: MediaScanner | null = null
  /** Ours in the line's byte order, while that is not the machine's. */
  #swap: Buffer | null = null
  #stopped = false
  /** The socket is closing, by us, or has closed. */
  #closed = false

  /** `wire` is the connection beneath `socket`; without it media messages take the longer way through the socket. */
  constructor(
    socket: WebSocket,
    events: StreamEvents,
    options: TelnyxStreamOptions,
    wire: MediaWire | null = null,
  ) {
    this.#socket = socket
    this.#events = events
    this.#options = options
    this.#wire = wire
    this.#order = new Reorder((payload, timestampMs) => events.onPayload(payload, timestampMs))
    if (wire) wire.reader = this
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary))
    socket.on('close', () => {
      this.#closed = true
      this.#scanner?.close()
      this.#writer.close()
      this.#stop('close')
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
    if (this.#streamId === '' || this.#closed) return false
    const ordered = this.#swap
      ? swapSamples(payload, this.#swap.subarray(0, payload.length))
      : payload
    return this.#writer.send(ordered, this.#socket, this.#wire)
  }

  sendMark(name: string): void {
    this.#send({ event: 'mark', mark: { name } })
  }

  clear(): void {
    this.#send({ event: 'clear' })
  }

  /** Telephones have no screen. */
  sendEvent(): void {}

  close(): void {
    this.#closed = true
    if (this.#socket.readyState <= this.#socket.OPEN) this.#socket.close(1000)
  }

  #send(body: Record<string, unknown>): void {
    if (this.#streamId === '' || this.#socket.readyState !== this.#socket.OPEN) return
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
    return found ? this.#deliver(bytes, found) : false
  }

  /** Decodes one payload and hands it on in its order; false (nothing delivered) when it is not base64 of a sane length. */
  #deliver(text: Uint8Array, { from, to, timestampMs, chunk }: FoundMedia): boolean {
    const payload = this.#core.decode(text, from, to)
    if (payload === null || payload.length > PAYLOAD_MAX_BYTES) return false
    if (this.#swap) swapSamples(payload, payload)
    const { late } = this.#order
    this.#order.push(chunk, timestampMs, payload)
    if (this.#order.late > late) this.#events.onBadInput('latePayload')
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

  #dispatch(received: TelnyxMessage): void {
    if (received.event === 'connected') return
    if (received.event === 'start') return this.#start(received)
    if (received.event === 'error') return this.#complain(received)
    if (this.#streamId === '') return this.#events.onBadInput(`${received.event}BeforeStart`)
    if (received.stream_id !== this.#streamId) return this.#events.onBadInput('wrongStreamId')
    if (received.event === 'mark') return this.#events.onMarkPlayed(received.mark.name)
    if (received.event === 'dtmf') return this.#events.onDigit(received.dtmf.digit)
    if (received.event === 'stop') return this.#stop('stop')
    const text = Buffer.from(received.media.payload, 'latin1')
    const { chunk, timestamp } = received.media
    const place = { from: 0, to: text.length, timestampMs: Number(timestamp), chunk: Number(chunk) }
    if (!this.#deliver(text, place)) this.#events.onBadInput('badPayload')
  }

  #start({ stream_id: streamId, start }: Extract<TelnyxMessage, { event: 'start' }>): void {
    if (this.#streamId !== '') return this.#events.onBadInput('secondStart')
    const { encoding, sample_rate: rateHz } = start.media_format
    const format = telnyxFormat(encoding, rateHz)
    if (format?.codec !== this.#options.codec) return this.#refuse('badFormat')
    this.#streamId = streamId
    this.#scanner = new MediaScanner(streamId, TELNYX_NAMES)
    if (format.codec === 'L16' && this.#options.l16ByteOrder === 'big') {
      this.#swap = Buffer.alloc(PAYLOAD_MAX_BYTES)
    }
    const given = start.custom_parameters ?? {}
    const parameters = Array.isArray(given)
      ? Object.fromEntries(given.map(({ name, value }) => [name, value]))
      : given
    this.#events.onStart({
      streamId,
      carrierCallId: start.call_control_id,
      token: this.#options.token,
      from: start.from ?? null,
      to: start.to ?? null,
      parameters,
      format,
    })
  }

  /** Nothing better will come on this socket, and a person hears nothing meanwhile. */
  #refuse(code: string): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#events.onBadInput(code)
    this.#events.onUnusable(code)
    this.close()
  }

  #complain(received: Extract<TelnyxMessage, { event: 'error' }>): void {
    const code = (received.payload ?? received.error)?.code ?? ''
    this.#events.onBadInput(KNOWN_ERRORS.has(code) ? `carrierError${code}` : 'carrierError')
  }

  #stop(cause: 'stop' | 'close' | 'error'): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#events.onStop(cause)
  }
}

const EVENTS = ['connected', 'start', 'media', 'mark', 'dtmf', 'stop', 'error']

/** Names what was wrong with a message that is JSON but not one of Telnyx's. */
function badInputCode(json: unknown): string {
  const event = typeof json === 'object' && json !== null && 'event' in json ? json.event : null
  if (typeof event !== 'string') return 'notAMessage'
  return EVENTS.includes(event) ? `bad${event[0]!.toUpperCase()}${event.slice(1)}` : 'unknownEvent'
}
