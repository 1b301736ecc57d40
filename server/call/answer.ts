/**
 * Answer: from an accepted media socket to a call. A stream must say who it is within ten seconds, with a token that we
 * issued for it; only then is there a call, a slot and a provider session.
 *
 *   socket ─► carrier stream ─► start + token ─► agent ─► Call          audio that arrives meanwhile (≤ 1 s) waits
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { WebSocket } from 'ws'
import { resolveProfile } from '../agent-settings.ts'
import { BrowserStream } from '../carriers/browser.ts'
import {
  SOCKET_ONLY_LINE,
  type CarrierStream,
  type LineControl,
  type MediaWire,
  type StreamEvents,
  type StreamStart,
} from '../carriers/carrier.ts'
import { TelnyxStream, type TelnyxStreamOptions } from '../carriers/telnyx.ts'
import { TwilioStream } from '../carriers/twilio.ts'
import { DspError, errorText } from '../errors.ts'
import type { Agent } from '../store/agents.ts'
import type { AdmissionGate } from './admission.ts'
import type { AgentSource } from './agent-source.ts'
import { CallDiary, type DiaryDeps } from './call-diary.ts'
import { Call } from './call.ts'
import type { CallDeps } from './call-facts.ts'
import type { PhoneCall, PhoneCarrier, PhoneDesk } from './phone-desk.ts'
import type { CallRegistry } from './registry.ts'

const START_WITHIN_MS = 10_000
/** Payloads kept while the agent is looked up: one second. */
const EARLY_PAYLOADS_MAX = 50

/** What a token that we issued says about the stream it opens. */
export interface StreamClaims {
  client: string
  agentId?: string | undefined
  /** Telephone calls: which call of ours the stream belongs to, and which of the carrier's. */
  callId?: string | undefined
  carrierCallId?: string | undefined
}

export interface AnswerDeps {
  call: CallDeps
  diary: DiaryDeps
  agents: AgentSource
  registry: CallRegistry
  gate: AdmissionGate
  recordingsDir: string
  phone: Pick<PhoneDesk, 'opened' | 'closed' | 'invite' | 'streamRefused'>
  lineFor(carrier: PhoneCarrier, account: string | null): LineControl
  /** How a telnyx stream opened with this token is coded; read before the token is taken. */
  telnyxOptions(token: string | null): TelnyxStreamOptions
  /** Takes a token out of circulation; null when it is unknown, used or too old. */
  takeToken(token: string): StreamClaims | null
}

export type MediaClient = 'browser' | 'twilio' | 'telnyx'

export interface MediaSocket {
  socket: WebSocket
  /** The connection beneath it; null when only the socket is to be used. */
  wire: MediaWire | null
  client: MediaClient
  /** It came with the upgrade (browser), or comes in the start message (carriers). */
  token: string | null
}

/** Takes over a media socket. */
export function answer({ socket, wire, client, token }: MediaSocket, deps: AnswerDeps): void {
  const pending = new PendingStream({ client, token }, deps)
  pending.attach(openStream({ socket, wire, client, token }, pending, deps))
}

function openStream(
  { socket, wire, client, token }: MediaSocket,
  events: StreamEvents,
  deps: AnswerDeps,
): CarrierStream {
  if (client === 'twilio') return new TwilioStream(socket, events, wire)
  if (client === 'telnyx') return new TelnyxStream(socket, events, deps.telnyxOptions(token), wire)
  return new BrowserStream(socket, events, { streamId: randomUUID(), token })
}

class PendingStream implements StreamEvents {
  readonly #client: MediaClient
  readonly #token: string | null
  readonly #deps: AnswerDeps
  readonly #startTimer: NodeJS.Timeout
  #stream: CarrierStream | null = null
  #call: Call | null = null
  #early: { payload: Uint8Array; timestampMs: number }[] = []
  #stopped: 'stop' | 'close' | 'error' | null = null

  /** `token`: the one of the address, where there is one. */
  constructor({ client, token }: Pick<MediaSocket, 'client' | 'token'>, deps: AnswerDeps) {
    this.#client = client
    this.#token = token
    this.#deps = deps
    this.#startTimer = setTimeout(() => this.#refuse('startMissing'), START_WITHIN_MS)
  }

  attach(stream: CarrierStream): void {
    this.#stream = stream
  }

  onStart(start: StreamStart): void {
    clearTimeout(this.#startTimer)
    const claims = start.token ? this.#deps.takeToken(start.token) : null
    if (!claims || claims.client !== this.#client) return this.#refuse('badToken')
    const { callId, carrierCallId } = claims
    if (carrierCallId !== undefined && carrierCallId !== start.carrierCallId) {
      return this.#refuse('wrongCall')
    }
    const live = callId === undefined ? undefined : this.#deps.registry.get(callId)
    if (live instanceof Call) {
      this.#call = live
      return live.streamReplaced(this.#stream!)
    }
    void this.#open(start, claims)
  }

  onPayload(payload: Uint8Array, timestampMs: number): void {
    if (this.#call) return this.#call.payload(payload, timestampMs)
    if (this.#early.length >= EARLY_PAYLOADS_MAX) {
      this.#deps.diary.metrics.droppedItems.inc({ queue: 'earlyPayloads' })
      return
    }
    this.#early.push({ payload: payload.slice(), timestampMs })
  }

  onMarkPlayed(name: string): void {
    this.#call?.markPlayed(name)
  }

  onDigit(digit: string): void {
    this.#call?.digit(digit)
  }

  onText(text: string): void {
    this.#call?.typed(text)
  }

  onStop(cause: 'stop' | 'close' | 'error'): void {
    clearTimeout(this.#startTimer)
    this.#stopped = cause
    this.#call?.streamStopped(cause, this.#stream)
  }

  onUnusable(code: string): void {
    clearTimeout(this.#startTimer)
    const claims = this.#token === null ? null : this.#deps.takeToken(this.#token)
    this.#refuse(code)
    if (claims?.callId !== undefined) this.#deps.phone.streamRefused(claims.callId, code)
  }

  onBadInput(code: string): void {
    this.#deps.diary.metrics.badInputs.inc({ carrier: this.#client, code })
  }

  async #open(start: StreamStart, claims: StreamClaims): Promise<void> {
    const { deps, stream } = { deps: this.#deps, stream: this.#stream! }
    const phone = claims.callId === undefined ? undefined : deps.phone.opened(claims.callId)
    if (claims.callId !== undefined && !phone) return this.#refuse('callOver')
    const agent =
      phone?.agent ?? (await deps.agents.find({ agentId: claims.agentId ?? null, to: start.to }))
    if (this.#stopped) return
    const id = phone?.id ?? randomUUID()
    try {
      this.#call = this.#begin(id, { start, agent, stream, phone })
    } catch (error) {
      const reason = error instanceof DspError ? 'noSlot' : 'internalError'
      deps.diary.log.error({ callId: id, error: errorText(error) }, 'call could not be opened')
      return this.#refuse(reason)
    } finally {
      // From here on the call counts as live, or its place is free again.
      deps.gate.settle()
    }
    deps.registry.add(this.#call)
    if (phone) void this.#call.ended.then(() => deps.phone.closed(phone.id))
    for (const { payload, timestampMs } of this.#early) this.#call.payload(payload, timestampMs)
    this.#early = []
  }

  #begin(
    id: string,
    parts: {
      start: StreamStart
      agent: Agent
      stream: CarrierStream
      phone?: PhoneCall | undefined
    },
  ): Call {
    const { start, agent, stream, phone } = parts
    const { diary, lineFor, recordingsDir, call } = this.#deps
    const settings = phone?.settings ?? resolveProfile(agent.settings, this.#client)
    // An echo is a measurement; nobody will listen to it.
    const recorded = settings.recording && !call.echo
    const recordingPath = recorded ? join(recordingsDir, `${id}.wav`) : null
    const { direction } = phone ?? { direction: 'inbound' as const }
    const known = phone !== undefined
    return new Call(
      { id, agent, settings, start, recordingPath },
      {
        stream,
        line: phone ? lineFor(phone.carrier, phone.account) : SOCKET_ONLY_LINE,
        diary: new CallDiary(
          { id, agent, carrier: this.#client, start, settings, direction, known },
          diary,
        ),
        phone: phone && {
          direction,
          invite: () => this.#deps.phone.invite(phone),
          early: phone.early,
          variables: phone.variables,
        },
      },
      call,
    )
  }

  #refuse(code: string): void {
    this.#deps.diary.metrics.callsRefused.inc({ carrier: this.#client, reason: code })
    this.#deps.diary.log.warn({ carrier: this.#client, code }, 'media stream refused')
    this.#stream?.sendEvent({
      type: 'error',
      code,
      message: REFUSALS[code] ?? REFUSALS.internalError,
    })
    this.#stream?.close()
  }
}

const REFUSALS: Record<string, string> = {
  startMissing: 'no start message within 10 s',
  badToken: 'the stream token is missing, used or older than 60 s; ask for a new one',
  wrongCall: 'the stream token belongs to another call',
  callOver: 'the call that this stream belongs to is over',
  badFormat: 'the stream is coded in another way than was asked for',
  noSlot: 'every line is busy; try again in a moment',
  internalError: 'the call could not be opened; the log says why',
}
