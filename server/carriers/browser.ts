/**
 * The browser as a carrier: PCM frames as binary messages, everything else as JSON (docs/browser-protocol.md).
 * 16 kHz mono, signed 16 bit little-endian, 20 ms = 640 bytes, both ways.
 */
import type { RawData, WebSocket } from 'ws'
import { z } from 'zod'
import type { CarrierStream, StreamEvents } from './carrier.ts'

const MESSAGE_MAX_BYTES = 16_384
const FRAME_BYTES = 640
/** About one second of audio: a browser that far behind gets no more until it catches up. */
const SEND_BUFFER_MAX_BYTES = 32_768

const message = z.discriminatedUnion('type', [
  z.object({ type: z.literal('start'), sampleRateHz: z.literal(16_000) }),
  z.object({ type: z.literal('text'), text: z.string().trim().min(1).max(1_000) }),
  z.object({ type: z.literal('dtmf'), digit: z.string().regex(/^[0-9*#]$/) }),
  z.object({ type: z.literal('played'), mark: z.string().max(128) }),
  z.object({ type: z.literal('stop') }),
])

export class BrowserStream implements CarrierStream {
  readonly carrier = 'browser' as const
  readonly #socket: WebSocket
  readonly #events: StreamEvents
  readonly #streamId: string
  readonly #token: string | null
  #started = false
  #stopped = false
  #framesIn = 0

  /** `streamId` is ours to choose; `token` came with the upgrade request. */
  constructor(
    socket: WebSocket,
    events: StreamEvents,
    identity: { streamId: string; token: string | null },
  ) {
    this.#socket = socket
    this.#events = events
    this.#streamId = identity.streamId
    this.#token = identity.token
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary))
    socket.on('close', () => this.#stop('close'))
    socket.on('error', () => this.#stop('error'))
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount
  }

  sendPayload(payload: Uint8Array): boolean {
    if (!this.#started || this.#socket.readyState !== this.#socket.OPEN) return false
    if (this.#socket.bufferedAmount > SEND_BUFFER_MAX_BYTES) return false
    for (let at = 0; at < payload.length; at += FRAME_BYTES) {
      // A copy: the payload is a view of memory that will be overwritten.
      this.#socket.send(Buffer.from(payload.subarray(at, at + FRAME_BYTES)), { binary: true })
    }
    return true
  }

  sendMark(name: string): void {
    this.sendEvent({ type: 'mark', name })
  }

  clear(): void {
    this.sendEvent({ type: 'clear' })
  }

  sendEvent(event: Record<string, unknown>): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(event))
  }

  close(): void {
    if (this.#socket.readyState <= this.#socket.OPEN) this.#socket.close(1000)
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#stopped) return
    const bytes = data as Buffer
    if (isBinary) return this.#receiveFrame(bytes)
    if (bytes.length > MESSAGE_MAX_BYTES) return this.#events.onBadInput('oversizedMessage')
    let json: unknown
    try {
      json = JSON.parse(bytes.toString('utf8'))
    } catch {
      return this.#events.onBadInput('malformedJson')
    }
    const parsed = message.safeParse(json)
    if (!parsed.success) return this.#events.onBadInput('badMessage')
    this.#dispatch(parsed.data)
  }

  #receiveFrame(bytes: Buffer): void {
    if (!this.#started) return this.#events.onBadInput('mediaBeforeStart')
    if (bytes.length !== FRAME_BYTES) return this.#events.onBadInput('badPayload')
    this.#events.onPayload(bytes, this.#framesIn++ * 20)
  }

  #dispatch(received: z.infer<typeof message>): void {
    if (received.type === 'start') return this.#start()
    if (!this.#started) return this.#events.onBadInput(`${received.type}BeforeStart`)
    if (received.type === 'text') return this.#events.onText(received.text)
    if (received.type === 'dtmf') return this.#events.onDigit(received.digit)
    if (received.type === 'played') return this.#events.onMarkPlayed(received.mark)
    this.#stop('stop')
  }

  #start(): void {
    if (this.#started) return this.#events.onBadInput('secondStart')
    this.#started = true
    this.#events.onStart({
      streamId: this.#streamId,
      carrierCallId: this.#streamId,
      token: this.#token,
      from: null,
      to: null,
      parameters: {},
      format: { codec: 'L16', sampleRateHz: 16_000 },
    })
  }

  #stop(cause: 'stop' | 'close' | 'error'): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#events.onStop(cause)
  }
}
