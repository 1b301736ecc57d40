/**
 * One simulated Telnyx call: webhooks, commands of the server, media socket, user audio out, agent audio played, hang-up.
 *
 *   call.initiated ─► answer ─► call.answered ─► streaming_start ─► socket: connected, start ─► media every 20 ms ─► stop
 *
 * Unlike Twilio's, the call outlives its socket: it ends by the user, or by the server's command. A socket that broke may be
 * asked for again.
 */
import { randomUUID } from 'node:crypto'
import { WebSocket } from 'ws'
import { NO_TROUBLE, Trouble, type TroubleOptions } from './trouble.ts'
import type { CallEnd } from './twilio-caller.ts'
import { CallRefused } from './twilio-caller.ts'
import { FRAME_MS, type Pacer } from './pacer.ts'
import { PlayOut } from './play-out.ts'
import type { TelnyxCarrier, TelnyxLeg, TelnyxWebhookTarget } from './telnyx-carrier.ts'
import { lineCodec } from './telnyx-codecs.ts'
import { readTelnyxAgent, telnyxMessages, type TelnyxIdentity } from './telnyx-messages.ts'
import type { LineProbe, SimulatedCall } from './simulated-call.ts'
import { UserAudio } from './user-audio.ts'

const OPEN_WITHIN_MS = 15_000

export interface TelnyxCallerOptions extends TelnyxWebhookTarget {
  carrier: TelnyxCarrier
  pacer: Pacer
  record: boolean
  from: string
  to: string
  trouble?: TroubleOptions
  /** False: the stream that the server asks for never comes. */
  opensStream?: boolean
  /** Of a line in L16; default: big. */
  l16ByteOrder?: 'big' | 'little'
  /** Replaces the user's voice and ears. */
  probe?: LineProbe
}

export class TelnyxCall implements TelnyxLeg, SimulatedCall {
  readonly identity: TelnyxIdentity
  readonly user: UserAudio
  readonly ended: Promise<CallEnd>
  readonly warnings = new Map<number, number>()
  /** Digits that the server sent. */
  readonly digitsHeard: string[] = []
  /** Webhooks that the server was not there to take. */
  undelivered = 0
  isAnswered = false
  isOver = false
  /** What the server told to open the stream with, latest last. */
  readonly streams: Record<string, unknown>[] = []
  startMs = performance.now()
  playOut: PlayOut
  receivedFrames = 0
  sentFrames = 0
  readonly #options: TelnyxCallerOptions
  readonly #trouble: Trouble
  readonly #opened: Promise<void>
  #resolveOpened: () => void = () => {}
  #resolveEnded: (end: CallEnd) => void = () => {}
  #socket: WebSocket | null = null
  #mode: 'rtp' | 'mp3' = 'mp3'
  #codec = lineCodec('PCMU', 'big')
  #leavePacer: (() => void) | null = null
  #sequence = 0
  #chunk = 0
  #clientState: string | null

  /** Rings at the server and resolves when its stream is open. @throws CallRefused */
  static async place(options: TelnyxCallerOptions): Promise<TelnyxCall> {
    const call = new TelnyxCall(options, null)
    options.carrier.join(call)
    const status = await call.tell('call.initiated', { direction: 'incoming', state: 'parked' })
    if (status !== 200) throw new CallRefused(`call-control answered ${status}`)
    await call.opened()
    return call
  }

  /** `clientState`: of a call that the server placed. */
  constructor(options: TelnyxCallerOptions, clientState: string | null) {
    this.#options = options
    this.#clientState = clientState
    this.#trouble = new Trouble(options.trouble ?? NO_TROUBLE)
    this.identity = {
      callControlId: `v3:${randomUUID()}`,
      callSessionId: randomUUID(),
      callLegId: randomUUID(),
      streamId: randomUUID(),
    }
    this.user = new UserAudio({ record: options.record })
    this.playOut = this.#newPlayOut()
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve))
    this.#opened = new Promise((resolve) => (this.#resolveOpened = resolve))
  }

  get carrierCallId(): string {
    return this.identity.callControlId
  }

  get callControlId(): string {
    return this.identity.callControlId
  }

  nowMs(): number {
    return performance.now() - this.startMs
  }

  /** @throws CallRefused when the call ends, or 15 s pass, before the stream is open */
  async opened(): Promise<void> {
    const timer = Promise.withResolvers<'late'>()
    const late = setTimeout(() => timer.resolve('late'), OPEN_WITHIN_MS)
    const first = await Promise.race([this.#opened, timer.promise, this.ended])
    clearTimeout(late)
    if (first !== undefined) throw new CallRefused('the server opened no stream')
  }

  /** Tells the server something about this call. */
  tell(type: string, payload: Record<string, unknown> = {}): Promise<number> {
    const { carrier, from, to } = this.#options
    const { callControlId, callLegId, callSessionId } = this.identity
    return carrier.tell(this.#options, type, {
      call_control_id: callControlId,
      call_leg_id: callLegId,
      call_session_id: callSessionId,
      client_state: this.#clientState,
      connection_id: '1494404757140276705',
      from,
      to,
      ...payload,
    })
  }

  /** Tells it when it can be told: Telnyx would try again for a while, which nothing here waits for. */
  #report(type: string, payload: Record<string, unknown> = {}): Promise<unknown> {
    return this.tell(type, payload).catch(() => this.undelivered++)
  }

  /** The person called picks up. */
  async pickUp(): Promise<void> {
    this.isAnswered = true
    await this.#report('call.answered', { codec: 'PCMU' })
  }

  command(action: string, body: Record<string, unknown>): void {
    if (typeof body['client_state'] === 'string') this.#clientState = body['client_state']
    if (action === 'answer') void this.pickUp()
    else if (action === 'hangup' || action === 'reject') this.#end('server', 1_000)
    else if (action === 'send_dtmf') this.digitsHeard.push(String(body['digits']))
    else if (action === 'streaming_start') void this.#openSocket(body)
    else if (action === 'streaming_stop') this.#closeSocket()
  }

  bridged(): void {
    void this.#report('call.bridged')
  }

  pressDigit(digit: string): void {
    this.#send(telnyxMessages.dtmf(this.identity, ++this.#sequence, digit))
    void this.#report('call.dtmf.received', { digit })
  }

  async hangup(): Promise<CallEnd> {
    this.#end('user', 1_000)
    return this.ended
  }

  /** The socket breaks without a word; the call goes on. */
  drop(): void {
    this.#socket?.terminate()
  }

  /** Sends any message as it is, legal or not. */
  sendRaw(message: string | Buffer, options: { isText: boolean } = { isText: true }): void {
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(message, { binary: !options.isText })
    }
  }

  #send(message: string): void {
    this.sendRaw(message)
  }

  async #openSocket(body: Record<string, unknown>): Promise<void> {
    this.streams.push(body)
    if (this.#options.opensStream === false) return
    this.#mode = body['stream_bidirectional_mode'] === 'rtp' ? 'rtp' : 'mp3'
    const codec = String(body['stream_codec'] ?? 'PCMU')
    this.#codec = lineCodec(codec, this.#options.l16ByteOrder ?? 'big')
    const wanted = new URL(String(body['stream_url']))
    const { server } = this.#options
    const target = new URL(wanted.pathname + wanted.search, server.replace(/^http/, 'ws'))
    const socket = new WebSocket(target, { perMessageDeflate: false })
    socket.on(
      'error',
      () => void this.#report('streaming.failed', { failure_reason: 'connection_failed' }),
    )
    socket.once('open', () => this.#startStream(socket))
    await Promise.resolve()
  }

  #startStream(socket: WebSocket): void {
    const { from, to, pacer } = this.#options
    this.#socket = socket
    this.#sequence = 0
    this.#chunk = 0
    this.identity.streamId = randomUUID()
    if (this.streams.length === 1) {
      this.startMs = performance.now()
      this.playOut = this.#newPlayOut()
    }
    socket.removeAllListeners('error').on('error', () => socket.terminate())
    socket.on('message', (data, isBinary) => {
      if (Buffer.isBuffer(data)) this.#hear(data, isBinary)
    })
    socket.on('close', () => this.#socketClosed(socket))
    this.#send(telnyxMessages.connected())
    const { format } = this.#codec
    const call = { from, to, format, sequence: ++this.#sequence }
    this.#send(telnyxMessages.start(this.identity, call))
    this.#leavePacer?.()
    this.#leavePacer = pacer.join({ step: (deadlineMs) => this.#sendFrame(deadlineMs) })
    void this.#report('streaming.started', { stream_url: this.streams.at(-1)?.['stream_url'] })
    this.#resolveOpened()
  }

  #hear(data: Buffer, isBinary: boolean): void {
    const now = performance.now()
    readTelnyxAgent(
      data,
      { isBinary, mode: this.#mode },
      {
        onPayload: (payload) => {
          this.receivedFrames++
          const pcmu = this.#codec.fromLine(payload)
          this.playOut.push(pcmu, now)
          this.#options.probe?.receive(pcmu, now)
        },
        onMark: (name) => this.playOut.mark(name, now),
        onClear: () => this.playOut.clear(now),
        onWarning: (code) => {
          this.warnings.set(code, (this.warnings.get(code) ?? 0) + 1)
          this.#send(telnyxMessages.error(this.identity, code))
        },
      },
    )
  }

  #sendFrame(deadlineMs: number): void {
    if (this.isOver) return
    const voice = this.#options.probe?.frame(this.sentFrames, deadlineMs)
    const pcmu = (voice ?? this.user.nextFrame(this.nowMs())).toString('latin1')
    const base64 =
      this.#codec.format.encoding === 'PCMU'
        ? pcmu
        : Buffer.from(this.#codec.toLine(Buffer.from(pcmu, 'base64'))).toString('base64')
    const chunk = ++this.#chunk
    this.sentFrames++
    const frame = { sequence: ++this.#sequence, chunk, timestampMs: (chunk - 1) * FRAME_MS, base64 }
    for (const message of this.#trouble.pass(telnyxMessages.media(this.identity, frame))) {
      this.#send(message)
    }
    if (this.#options.record) this.playOut.listen(performance.now())
  }

  #newPlayOut(): PlayOut {
    return new PlayOut({
      startMs: this.startMs,
      record: this.#options.record,
      onMark: (name) => this.#send(telnyxMessages.mark(this.identity, ++this.#sequence, name)),
    })
  }

  #socketClosed(socket: WebSocket): void {
    if (socket !== this.#socket) return
    this.#socket = null
    this.#leavePacer?.()
    this.#leavePacer = null
    if (!this.isOver) void this.#report('streaming.stopped')
  }

  #closeSocket(): void {
    this.#send(telnyxMessages.stop(this.identity, ++this.#sequence))
    this.#socket?.close(1_000)
  }

  #end(by: CallEnd['by'], closeCode: number): void {
    if (this.isOver) return
    this.isOver = true
    this.#leavePacer?.()
    this.#closeSocket()
    this.playOut.finish(performance.now())
    const end = { by, atMs: this.nowMs(), closeCode }
    const cause = {
      hangup_cause: 'normal_clearing',
      hangup_source: by === 'user' ? 'caller' : 'callee',
    }
    void this.#report('call.hangup', cause).then(() => this.#resolveEnded(end))
  }
}
