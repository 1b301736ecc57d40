/**
 * One simulated Twilio call: webhook, TwiML, media socket, user audio out, agent audio played,
 * hang-up.
 *
 *   POST /incoming-call ─► <Connect><Stream> ─► socket: connected, start ─► media every 20 ms (pacer) ─► stop
 *                                               media ─► play-out ─► what the user hears; mark, clear ─► echoes
 *
 * The wire is Twilio's: text messages, counters as strings, silence as 0xFF frames, the signature
 * over the public URL even though the socket goes to this machine. A frame leaves at the end of the
 * 20 ms that it holds, so the user's sound of stream time t is sent 0-20 ms later, as on a real
 * line.
 *
 * Used by: scenario-run.ts (speech), run.ts (load), tests/fuzz (foreign messages through
 * `sendRaw`).
 */
import { randomBytes } from 'node:crypto'
import { MediaSocket, UpgradeRefused } from './media-socket.ts'
import type { Paced, Pacer } from './pacer.ts'
import { PlayOut } from './play-out.ts'
import type { LineProbe, SimulatedCall } from './simulated-call.ts'
import { mediaFrames } from './twilio-media.ts'
import { UserAudio } from './user-audio.ts'
import {
  AgentMessageReader,
  connectedMessage,
  dtmfMessage,
  markMessage,
  startMessage,
  stopMessage,
  type AgentMessages,
  type StreamIdentity,
} from './twilio-messages.ts'
import { parseTwiml, type Verb } from './twiml.ts'
import { postForm, signature, type WebhookTarget } from './twilio-webhook.ts'

const INCOMING_PATH = '/api/v1/twilio/incoming-call'
/** The account of every simulated call. */
export const RIG_ACCOUNT = `AC${'0'.repeat(32)}`
const STATUS_PATH = '/api/v1/twilio/status'

export interface CallerOptions extends WebhookTarget {
  /** The shared clock of all calls of this process. */
  pacer: Pacer
  /** Keep what both sides said and heard; off for load. */
  record: boolean
  from: string
  to: string
  /** Replaces the user's voice and ears. */
  probe?: LineProbe
}

export interface CallEnd {
  by: 'user' | 'server' | 'error'
  /** ms since `start`. */
  atMs: number
  closeCode: number
}

/** The server did not take the call: its TwiML, or its refusal of the socket, says why. */
export class CallRefused extends Error {
  override readonly name = 'CallRefused'
}

export class TwilioCall implements SimulatedCall, AgentMessages, Paced {
  // What each frame needs comes first: it lies together in memory.
  #over = false
  readonly #socket: MediaSocket
  readonly #probe: LineProbe | null
  readonly #streamSid: Uint8Array
  readonly playOut: PlayOut
  sentFrames = 0
  receivedFrames = 0
  #sequence = 0
  readonly #records: boolean
  readonly identity: StreamIdentity
  readonly user: UserAudio
  /** What Twilio's debugger would show, e.g. 31951 → 2. */
  readonly warnings = new Map<number, number>()
  readonly ended: Promise<CallEnd>
  readonly startMs: number
  readonly #options: CallerOptions
  readonly #leavePacer: () => void
  readonly #afterStream: Verb[]
  #resolveEnded: (end: CallEnd) => void = () => {}
  #hungUp = false
  #left = false

  /**
   * Calls the server and resolves when the media stream has started.
   * @throws CallRefused when the TwiML holds no stream or the socket is not accepted; Error when nobody answers.
   */
  static async place(options: CallerOptions): Promise<TwilioCall> {
    const identity = newIdentity()
    const answer = await postForm(options, INCOMING_PATH, callFields(identity, options, 'ringing'))
    if (answer.status !== 200) {
      throw new CallRefused(`incoming-call answered ${answer.status}: ${answer.body.slice(0, 300)}`)
    }
    return TwilioCall.connect(options, identity, answer.body)
  }

  /** Opens the stream that `twiml` tells of: the call's first, or another one. @throws CallRefused */
  static async connect(
    options: CallerOptions,
    identity: StreamIdentity,
    twiml: string,
  ): Promise<TwilioCall> {
    const verbs = parseTwiml(twiml)
    const index = verbs.findIndex((verb) => verb.kind === 'stream')
    const stream = verbs[index]
    if (stream?.kind !== 'stream') {
      throw new CallRefused(`TwiML without <Connect><Stream>: ${twiml.slice(0, 300)}`)
    }
    const socket = await openSocket(options, stream.url)
    return new TwilioCall(options, identity, {
      socket,
      parameters: stream.parameters,
      after: verbs.slice(index + 1),
    })
  }

  private constructor(
    options: CallerOptions,
    identity: StreamIdentity,
    stream: { socket: MediaSocket; parameters: Record<string, string>; after: Verb[] },
  ) {
    this.#options = options
    this.identity = identity
    this.#socket = stream.socket
    this.#afterStream = stream.after
    this.#streamSid = Uint8Array.from(Buffer.from(identity.streamSid, 'latin1'))
    this.#probe = options.probe ?? null
    this.#records = options.record
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve))
    this.startMs = performance.now()
    this.user = new UserAudio({ record: options.record })
    this.playOut = new PlayOut({
      startMs: this.startMs,
      record: options.record,
      onMark: (name) => this.sendRaw(markMessage(identity, ++this.#sequence, name)),
      onQueueFull: () => this.#warn(31931),
    })
    this.#listen()
    this.sendRaw(connectedMessage())
    this.sendRaw(startMessage(identity, ++this.#sequence, stream.parameters))
    this.#leavePacer = options.pacer.join(this)
  }

  get carrierCallId(): string {
    return this.identity.callSid
  }

  /** ms since `start`. */
  nowMs(): number {
    return performance.now() - this.startMs
  }

  get isOver(): boolean {
    return this.#over
  }

  pressDigit(digit: string): void {
    this.sendRaw(dtmfMessage(this.identity, ++this.#sequence, digit))
  }

  /**
   * The user hangs up: `stop`, socket close, status callback. Resolves when the socket is closed.
   */
  async hangup(): Promise<CallEnd> {
    if (!this.#over && !this.#hungUp) {
      this.#hungUp = true
      this.#leavePacer()
      this.sendRaw(stopMessage(this.identity, ++this.#sequence))
      this.#socket.ws.close(1000)
    }
    return this.ended
  }

  /** The call gets other TwiML: this stream ends, the call does not. */
  async leave(): Promise<void> {
    this.#left = true
    await this.hangup()
  }

  /** The server has ended the call by REST. */
  endedByServer(): void {
    this.sendRaw(stopMessage(this.identity, ++this.#sequence))
    this.#socket.ws.close(1000)
  }

  /** The line breaks: no `stop`, no close message. */
  drop(): void {
    this.#socket.ws.terminate()
  }

  /**
   * Sends any message as it is, legal or not: Twilio's are text. Dropped once the socket is
   * closing.
   */
  sendRaw(message: string | Buffer, options: { isText: boolean } = { isText: true }): void {
    if (!this.#socket.isOpen) return
    this.#socket.ws.send(message, { binary: !options.isText })
  }

  #listen(): void {
    const reader = new AgentMessageReader(this.#streamSid, this)
    this.#socket.reader = reader
    this.#socket.ws.on('message', (data, isBinary) => {
      if (Buffer.isBuffer(data)) reader.read(data, isBinary)
    })
    this.#socket.ws.on('error', () => this.#end('error', 1006))
    this.#socket.ws.on('close', (code) => this.#end(this.#hungUp ? 'user' : 'server', code))
  }

  /** From the reader. */
  onPayload(payload: Uint8Array): void {
    const nowMs = performance.now()
    this.receivedFrames++
    this.playOut.push(payload, nowMs)
    this.#probe?.receive(payload, nowMs)
  }

  /** From the reader. */
  onMark(name: string): void {
    this.playOut.mark(name, performance.now())
  }

  /** From the reader. */
  onClear(): void {
    this.playOut.clear(performance.now())
  }

  /** From the reader. */
  onWarning(code: number): void {
    this.#warn(code)
  }

  /** From the pacer: sends the frame that is due. */
  step(deadlineMs: number): void {
    if (this.#over || !this.#socket.isOpen) return
    const index = this.sentFrames++
    const base64 = this.#probe?.frame(index, deadlineMs) ?? this.user.nextFrame(this.nowMs())
    const frame = mediaFrames.write(this.#streamSid, ++this.#sequence, index, base64)
    // Normally the kernel has taken the bytes by now; when it has not, they must not be overwritten.
    if (!this.#socket.sendFrame(frame)) mediaFrames.detach(frame)
    if (this.#records) this.playOut.listen(performance.now())
  }

  #end(by: CallEnd['by'], closeCode: number): void {
    if (this.#over) return
    this.#over = true
    this.#leavePacer()
    this.playOut.finish(performance.now())
    const end = { by, atMs: this.nowMs(), closeCode }
    const told = this.#left ? Promise.resolve() : this.#reportCompleted()
    void told.finally(() => this.#resolveEnded(end))
  }

  /**
   * What follows the stream in the TwiML would run now; then Twilio reports the call as completed.
   */
  async #reportCompleted(): Promise<void> {
    if (this.#afterStream.some((verb) => verb.kind === 'stream')) this.#warn(31921)
    const fields = callFields(this.identity, this.#options, 'completed')
    const durationSec = String(Math.ceil(this.nowMs() / 1_000))
    try {
      await postForm(this.#options, STATUS_PATH, {
        ...fields,
        Timestamp: new Date().toUTCString().replace('GMT', '+0000'),
        CallbackSource: 'call-progress-events',
        SequenceNumber: '0',
        CallDuration: durationSec,
        Duration: String(Math.ceil(this.nowMs() / 60_000)),
      })
    } catch {
      this.#warn(11200) // "HTTP retrieval failure": Twilio notes it and goes on
    }
  }

  #warn(code: number): void {
    this.warnings.set(code, (this.warnings.get(code) ?? 0) + 1)
  }
}

/** Of a new call, or of another stream of `callSid`. */
export function newIdentity(callSid?: string): StreamIdentity {
  const hex = (): string => randomBytes(16).toString('hex')
  return { accountSid: RIG_ACCOUNT, callSid: callSid ?? `CA${hex()}`, streamSid: `MZ${hex()}` }
}

function callFields(
  identity: StreamIdentity,
  options: CallerOptions,
  status: string,
): Record<string, string> {
  return {
    AccountSid: identity.accountSid,
    ApiVersion: '2010-04-01',
    CallSid: identity.callSid,
    CallStatus: status,
    Called: options.to,
    Caller: options.from,
    CallerCity: '',
    CallerCountry: 'MX',
    Direction: 'inbound',
    From: options.from,
    FromCity: '',
    FromCountry: 'MX',
    To: options.to,
    ToCountry: 'MX',
  }
}

/**
 * Opens the stream's public URL on the machine where the server listens, signed as Twilio signs an
 * upgrade.
 */
async function openSocket(options: CallerOptions, publicUrl: string): Promise<MediaSocket> {
  const wanted = new URL(publicUrl)
  const target = new URL(wanted.pathname, options.server.replace(/^http/, 'ws'))
  const headers: Record<string, string> = { host: wanted.host, 'user-agent': 'Twilio.TmeWs/1.0' }
  if (options.authToken !== null) {
    headers['x-twilio-signature'] = signature(options.authToken, publicUrl, {})
  }
  try {
    return await MediaSocket.open(target, headers)
  } catch (error) {
    if (error instanceof UpgradeRefused) throw new CallRefused(`31920: ${error.message}`)
    throw error
  }
}
