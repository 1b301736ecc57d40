/**
 * Phone desk: the telephone calls of this process from their first ring to their last report, whether they have a media
 * stream yet or not. The webhooks and the API ask it; answer.ts tells it when a stream opens.
 *
 *   ring ─► incoming() ─► invitation, 10 s ─► opened() ─► Call          report() ─► the call, or the row of one without
 *   API  ─► dial() ─► ringing ─► answered ─► invitation ─► opened()
 *
 * Invariants: a carrier's call is known once, however often its webhooks come; a call that has ended stays ended; every call
 * that rang leaves a row with an end reason; at most CALLS_MAX are known.
 */
import { randomUUID } from 'node:crypto'
import { resolveProfile, type ProfileSettings } from '../agent-settings.ts'
import type { LineControl, StreamInvite } from '../carriers/carrier.ts'
import type { OutboundLimits } from '../config.ts'
import { CarrierError, errorText } from '../errors.ts'
import type { Metrics } from '../metrics.ts'
import type { Agent } from '../store/agents.ts'
import type { AdmissionGate } from './admission.ts'
import type { AgentSource } from './agent-source.ts'
import type { EndReason } from './call-state.ts'
import { OutboundPace } from './outbound-pace.ts'
import type { DialOutcome, DialRequest, PhoneCall, PhoneCarrier } from './phone-call.ts'
import { PastCalls, type RecentCall } from './past-calls.ts'
import { PhoneDiary, type PhoneDiaryDeps } from './phone-diary.ts'
import type { PhoneReport, Ring } from './phone-reports.ts'
import type { CallRegistry } from './registry.ts'

export type { DialOutcome, DialRequest, PhoneCall, PhoneCarrier } from './phone-call.ts'

export const STREAM_WITHIN_MS = 10_000
const CALLS_MAX = 5_000
const RING_SEC = 45

export interface DeskDeps extends PhoneDiaryDeps {
  registry: CallRegistry
  gate: AdmissionGate
  agents: AgentSource
  metrics: Metrics
  outbound: OutboundLimits
  /** Null where the account has no REST side. */
  lineFor(carrier: PhoneCarrier, account: string | null): LineControl
  issueToken(claims: {
    client: PhoneCarrier
    callId: string
    carrierCallId: string
    account: string | null
  }): string
  /** The media socket's address for a carrier; a token in it where the carrier wants it there. */
  mediaUrl(carrier: PhoneCarrier, token: string): string
  /** A call of this agent is about to begin: what takes time may be opened. Must not throw. Default: nothing. */
  prepare?(settings: ProfileSettings, line: Pick<PhoneCall, 'carrier' | 'account'>): void
  monotonicMs(): number
}

export class PhoneDesk {
  readonly #deps: DeskDeps
  readonly #calls = new Map<string, PhoneCall>()
  readonly #byCarrierId = new Map<string, PhoneCall>()
  readonly #ringing = new Map<string, Promise<PhoneCall | string>>()
  readonly #past = new PastCalls()
  readonly #diary: PhoneDiary
  readonly #paces = new Map<string, OutboundPace>()

  constructor(deps: DeskDeps) {
    this.#deps = deps
    this.#diary = new PhoneDiary(deps)
  }

  get(callId: string): PhoneCall | undefined {
    return this.#calls.get(callId)
  }

  /** A call that is known here, or was until a moment ago. */
  recall(callId: string): RecentCall | undefined {
    return this.#calls.get(callId) ?? this.#past.recall(callId)
  }

  /** Takes a ringing call, or says why not. The same call again gets the same answer and no second place. */
  async incoming(ring: Ring & { carrier: PhoneCarrier }): Promise<PhoneCall | string> {
    const key = ring.carrierCallId
    if (this.#past.has(key)) return 'over'
    const known = this.#byCarrierId.get(key)
    if (known) return known
    const pending = this.#ringing.get(key) ?? this.#take(ring)
    this.#ringing.set(key, pending)
    try {
      return await pending
    } finally {
      this.#ringing.delete(key)
    }
  }

  /** Answers an incoming call by REST, where that is how it is done. */
  async answer(call: PhoneCall): Promise<void> {
    try {
      await this.#line(call).answer(call.carrierCallId ?? '')
    } catch (error) {
      this.#fail(call, 'carrierFailed', error)
    }
  }

  /** Ends a ringing call that is not taken. */
  refuse(ring: Ring & { carrier: PhoneCarrier }): void {
    const line = this.#deps.lineFor(ring.carrier, ring.account)
    if (!line.reject) return void this.#hangUp(ring)
    line.reject(ring.carrierCallId).catch((error: unknown) => {
      this.#deps.log.error({ carrier: ring.carrier, error: errorText(error) }, 'refusal refused')
    })
  }

  /** Ends a call that has no stream yet; false when there is none. */
  hangup(callId: string, reason: EndReason): boolean {
    const call = this.#withoutStream(callId)
    if (call) void this.#cut(call, reason)
    return call !== undefined
  }

  /** The server stops: calls without a stream end too. Settles when the carriers have been told. */
  async endAll(reason: EndReason): Promise<void> {
    const calls = [...this.#calls.keys()].map((id) => this.#withoutStream(id))
    await Promise.all(calls.map((call) => call && this.#cut(call, reason)))
  }

  /** A call of an earlier process is over, whatever is still told of it. */
  isOver(carrierCallId: string, callId: string): void {
    this.#past.note(carrierCallId, callId)
  }

  /** Invites the carrier to open the call's stream, with a new token; it has 10 s. */
  invite(call: PhoneCall): StreamInvite & { language: string } {
    const { id: callId, carrier, account, from, to } = call
    const token = this.#deps.issueToken({
      client: carrier,
      callId,
      carrierCallId: call.carrierCallId ?? '',
      account,
    })
    if (!this.#deps.registry.get(callId)) {
      call.invited = true
      if (call.streamTimer) clearTimeout(call.streamTimer)
      const detail = `no media stream within ${STREAM_WITHIN_MS / 1_000} s`
      const giveUp = () => this.streamRefused(callId, detail)
      call.streamTimer = setTimeout(giveUp, STREAM_WITHIN_MS).unref()
    }
    const url = this.#deps.mediaUrl(carrier, token)
    return { url, token, from, to, language: call.settings.language }
  }

  /** A stream has opened for this call: from here on it is a Call's. */
  opened(callId: string): PhoneCall | undefined {
    const call = this.#calls.get(callId)
    if (call?.streamTimer) clearTimeout(call.streamTimer)
    if (call) call.streamTimer = null
    return call
  }

  /** The stream for this call did not come, or can never be used: nobody is left listening to nothing. */
  streamRefused(callId: string, detail: string): void {
    const live = this.#deps.registry.get(callId)
    if (live) return live.hangup('streamLost')
    const call = this.#calls.get(callId)
    if (call) this.#fail(call, 'noStream', new CarrierError('NO_STREAM', detail))
  }

  /** The Call is over, and with it all that is known of it here. */
  closed(callId: string): void {
    const call = this.#calls.get(callId)
    if (call) this.#forget(call)
  }

  /** @throws CarrierError with the carrier's own words */
  async dial(request: DialRequest): Promise<DialOutcome> {
    const { carrier, account } = request
    const line = this.#deps.lineFor(carrier, account)
    const nowMs = this.#deps.monotonicMs()
    const live = [...this.#calls.values()].filter(
      (call) =>
        call.direction === 'outbound' && call.carrier === carrier && call.account === account,
    ).length
    const agent = await this.#deps.agents.find({ agentId: request.agentId, to: null })
    if (request.agentId !== null && agent.id !== request.agentId) {
      return { ok: false, reason: 'noAgent', waitMs: 0 }
    }
    const pace = this.#pace(`${carrier} ${account ?? ''}`).take(live, nowMs)
    if (!pace.ok) return pace
    if (!this.#deps.gate.admit(this.#deps.registry.size, nowMs).ok) {
      return { ok: false, reason: 'full', waitMs: 5_000 }
    }
    const call = this.#remember(request, { direction: 'outbound', agent })
    this.#diary.opened(call, 'dialing')
    try {
      const { to, from, settings } = call
      const carrierCallId = await line.dial({
        callId: call.id,
        to,
        from,
        detectMachine: settings.machineDetection,
        ringSec: RING_SEC,
      })
      this.#name(call, carrierCallId)
      // Ended while it was being placed: nobody is to answer a telephone for nothing.
      if (!this.#calls.has(call.id)) this.#leave(call)
      await this.#diary.written()
      return { ok: true, id: call.id, carrierCallId }
    } catch (error) {
      this.#fail(call, 'carrierFailed', error)
      throw error
    }
  }

  /** Takes in what a carrier tells; unknown and repeated reports change nothing. */
  report(report: PhoneReport): void {
    const call = this.#find(report)
    if (report.kind === 'recording' || report.kind === 'transferEnded') {
      return this.#diary.told(call?.id ?? this.#past.idOf(report.carrierCallId), report)
    }
    if (call === undefined) return this.#stray(report)
    const live = this.#deps.registry.get(call.id)
    if (report.kind === 'ended') {
      if (live) live.hangup(report.reason)
      else this.#end(call, report.reason)
    } else if (report.kind === 'party') {
      if (live) live.party?.(report.party, report.mayLeaveMessage)
      else call.early.push(report)
    } else if (report.kind === 'ringing' && !live) this.#diary.status(call, 'ringing')
    else if (report.kind === 'answered' && !live) this.#answered(call)
    else if (report.kind === 'streamFailed') {
      this.#deps.log.warn({ callId: call.id, detail: report.detail }, 'the carrier’s stream failed')
      if (!live) this.#fail(call, 'noStream', new CarrierError('NO_STREAM', report.detail))
    }
  }

  #take(ring: Ring & { carrier: PhoneCarrier }): Promise<PhoneCall | string> {
    const admission = this.#deps.gate.admit(this.#deps.registry.size, this.#deps.monotonicMs())
    const open = async () => {
      const agent = await this.#deps.agents.find({ agentId: null, to: ring.to })
      const request = { ...ring, agentId: null, profile: ring.carrier, variables: {} }
      const call = this.#remember(request, { direction: 'inbound', agent })
      this.#name(call, ring.carrierCallId)
      this.#diary.opened(call, 'ringing')
      if (admission.ok) this.#deps.prepare?.(call.settings, call)
      if (admission.ok) return call
      this.#deps.metrics.callsRefused.inc({ carrier: ring.carrier, reason: admission.reason })
      this.#deps.log.warn({ callId: call.id, reason: admission.reason }, 'call turned away')
      this.#end(call, 'refused')
      return admission.reason
    }
    return open()
  }

  #remember(
    request: Omit<DialRequest, 'agentId'>,
    { direction, agent }: { direction: PhoneCall['direction']; agent: Agent },
  ): PhoneCall {
    const { carrier, account, from, to, profile, variables } = request
    const call: PhoneCall = {
      ...{ id: randomUUID(), carrier, account, carrierCallId: null, direction, from, to, agent },
      ...{ profile, variables, early: [], streamTimer: null, invited: false },
      settings: resolveProfile(agent.settings, profile),
    }
    this.#calls.set(call.id, call)
    if (this.#calls.size > CALLS_MAX) {
      const [oldest] = this.#calls.values()
      if (oldest) this.#forget(oldest)
      this.#deps.metrics.droppedItems.inc({ queue: 'phoneCalls' })
    }
    return call
  }

  #name(call: PhoneCall, carrierCallId: string): void {
    if (call.carrierCallId === carrierCallId || carrierCallId === '') return
    call.carrierCallId = carrierCallId
    this.#byCarrierId.set(carrierCallId, call)
    if (call.direction === 'outbound') this.#diary.named(call, carrierCallId)
  }

  #find(report: PhoneReport): PhoneCall | undefined {
    const call =
      this.#byCarrierId.get(report.carrierCallId) ??
      (report.callId === null ? undefined : this.#calls.get(report.callId))
    // The report of a call out may come before the carrier's answer to our request.
    if (call?.carrierCallId === null) this.#name(call, report.carrierCallId)
    return call
  }

  /** Answered: where the carrier opens streams by REST, it is told to now; else it asks by a webhook. */
  #answered(call: PhoneCall): void {
    if (call.invited) return
    this.#diary.status(call, 'answered')
    if (call.direction === 'outbound') this.#deps.prepare?.(call.settings, call)
    const line = this.#line(call)
    if (!line.openStream) return
    line.openStream(call.carrierCallId ?? '', this.invite(call)).catch((error: unknown) => {
      this.#fail(call, 'noStream', error)
    })
  }

  /** Something about a call without a stream went wrong: it ends here and at the carrier. */
  #fail(call: PhoneCall, reason: EndReason, error: unknown): void {
    const gone = error instanceof CarrierError && error.code === 'CARRIER_CALL_GONE'
    const { id: callId, carrier } = call
    // The message may quote the number that was called; the carrier's code says enough.
    const code =
      error instanceof CarrierError ? (error.carrierCode ?? error.code) : errorText(error)
    this.#deps.log.warn({ callId, carrier, reason, code }, 'call without a stream ended')
    if (gone) this.#end(call, 'userHangup')
    else void this.#cut(call, reason)
  }

  #withoutStream(callId: string): PhoneCall | undefined {
    return this.#deps.registry.get(callId) ? undefined : this.#calls.get(callId)
  }

  /** Ends a call here and at the carrier. */
  #cut(call: PhoneCall, reason: EndReason): Promise<void> {
    this.#end(call, reason)
    return call.carrierCallId === null ? Promise.resolve() : this.#hangUp(call)
  }

  async #hangUp(call: Pick<PhoneCall, 'carrier' | 'account' | 'carrierCallId'>): Promise<void> {
    try {
      await this.#deps.lineFor(call.carrier, call.account).hangup(call.carrierCallId ?? '')
    } catch (error) {
      this.#deps.log.error({ carrier: call.carrier, error: errorText(error) }, 'hang-up refused')
    }
  }

  /** A call that has ended already gets its carrier's id too late. */
  #leave(call: PhoneCall): void {
    if (call.carrierCallId !== null) this.#byCarrierId.delete(call.carrierCallId)
    this.#past.add(call)
    void this.#hangUp(call)
  }

  /** A report about a call that we do not know: one that a restart left behind is ended, the rest is old news. */
  #stray(report: PhoneReport): void {
    if (report.kind !== 'streamFailed' || this.#past.has(report.carrierCallId)) return
    const { carrierCallId, account } = report
    void this.#hangUp({ carrier: report.carrier as PhoneCarrier, account, carrierCallId })
  }

  #end(call: PhoneCall, endReason: EndReason): void {
    if (!this.#calls.has(call.id)) return
    this.#forget(call)
    if (endReason !== 'refused') this.#deps.gate.settle()
    this.#diary.ended(call, endReason)
    this.#deps.metrics.callsEnded.inc({ carrier: call.carrier, reason: endReason })
  }

  #forget(call: PhoneCall): void {
    if (call.streamTimer) clearTimeout(call.streamTimer)
    call.streamTimer = null
    this.#calls.delete(call.id)
    this.#past.add(call)
    if (call.carrierCallId !== null) this.#byCarrierId.delete(call.carrierCallId)
  }

  #line(call: PhoneCall): LineControl {
    return this.#deps.lineFor(call.carrier, call.account)
  }

  #pace(account: string): OutboundPace {
    const pace = this.#paces.get(account) ?? new OutboundPace(this.#deps.outbound)
    this.#paces.set(account, pace)
    return pace
  }
}
