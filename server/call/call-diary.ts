/**
 * What a call leaves behind: rows for the journal, counts for the metrics, lines for the log. The call says what happened;
 * here is decided where that goes. Nothing waits: the journal is a bounded write-behind queue.
 */
import { randomUUID } from 'node:crypto'
import type { ProfileSettings } from '../agent-settings.ts'
import type { EndedCall } from '../aftercall/after-call.ts'
import type { StreamStart, CarrierName } from '../carriers/carrier.ts'
import type { ConversationEvent, Turn } from '../conversation/conversation-events.ts'
import type { ProviderError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Leg } from '../media/leg.ts'
import type { RecordingFacts } from '../media/recorder.ts'
import { observeTurn, type Metrics } from '../metrics.ts'
import type { Prices } from '../prices.ts'
import type { CallUsage } from '../providers/select.ts'
import type { Agent } from '../store/agents.ts'
import type { Journal } from '../store/journal.ts'
import { costOf } from './call-cost.ts'
import type { EndReason } from './call-state.ts'

export interface DiaryDeps {
  journal: Journal
  metrics: Metrics
  log: Log
  /** Calendar time, ms: only for rows, never for decisions. */
  dateMs(): number
  providerNames: { stt: string; llm: string; tts: string }
  /** Takes the call for its analysis; must return at once. */
  afterCall?(call: EndedCall): void
  /** Asked at the end of each call. Absent: calls are stored without a cost. */
  prices?(): Prices
}

export interface DiaryCall {
  direction?: 'inbound' | 'outbound'
  /** The call has a row since it rang. */
  known?: boolean
  id: string
  agent: Agent
  carrier: CarrierName
  start: StreamStart
  settings: ProfileSettings
}

/** Turns kept for the analysis of a call: an hour of talk. */
const TURNS_KEPT = 1_000

/** Conversation events kept with the call; partials and states would only fill the table. */
const KEPT = new Set<ConversationEvent['kind']>([
  'bargeIn',
  'ignored',
  'tool',
  'providerError',
  'providerSwitch',
])

export class CallDiary {
  readonly #deps: DiaryDeps
  readonly #call: DiaryCall
  readonly #startedAt: number
  #log: Log
  readonly #turns: Turn[] = []
  #turnCount = 0
  #recordingId: string | null = null

  constructor(call: DiaryCall, deps: DiaryDeps) {
    this.#deps = deps
    this.#call = call
    this.#startedAt = deps.dateMs()
    this.#log = deps.log.child({ callId: call.id })
  }

  opened(): void {
    const { carrier, start, agent, id, direction = 'inbound', known = false } = this.#call
    this.#deps.metrics.callsStarted.inc({ carrier, direction })
    this.#deps.metrics.liveCalls.inc({ carrier })
    this.#deps.journal.record({
      kind: 'call',
      row: {
        id,
        agentId: agent.id,
        agentVersion: agent.version,
        direction,
        carrier,
        carrierCallId: start.carrierCallId,
        streamId: start.streamId,
        from: start.from,
        to: start.to,
        status: 'answered',
        startedAt: this.#startedAt,
        answeredAt: this.#startedAt,
        providers: this.#deps.providerNames,
      },
    })
    const { streamId } = start
    const changes = { status: 'answered', streamId, answeredAt: this.#startedAt } as const
    if (known) this.#deps.journal.record({ kind: 'callUpdate', id, changes })
    this.#log.info({ carrier, streamId: start.streamId }, 'call answered')
  }

  conversing(): void {
    this.#deps.journal.record({
      kind: 'callUpdate',
      id: this.#call.id,
      changes: { status: 'conversing' },
    })
  }

  conversationEvent(event: ConversationEvent): void {
    const { id } = this.#call
    if (event.kind === 'turn' && event.final) {
      this.#turnCount++
      if (this.#turns.length < TURNS_KEPT) this.#turns.push(event.turn)
      this.#deps.journal.record({ kind: 'turn', callId: id, turn: event.turn })
      if (event.turn.latency) observeTurn(this.#deps.metrics, event.turn.latency)
    }
    if (event.kind === 'bargeIn') this.#deps.metrics.bargeIns.inc({ reason: event.reason })
    if (event.kind === 'providerError') {
      this.#deps.metrics.providerErrors.inc({ provider: event.provider, code: event.code })
      this.#log.warn({ provider: event.provider, code: event.code }, 'provider failed')
    }
    if (event.kind === 'providerSwitch') {
      const { part, from, to, code } = event
      this.#deps.metrics.providerSwitches.inc({ part, from, to })
      this.#log.warn({ part, from, to, code }, 'provider switched')
    }
    if (!KEPT.has(event.kind) || !('atMs' in event)) return
    const { kind: name, atMs, ...data } = event
    this.#deps.journal.record({ kind: 'event', callId: id, atMs, name, data })
  }

  /** A failure outside the conversation's own calls to its providers. */
  providerFailed(provider: string, error: ProviderError, atMs: number): void {
    const { code, message } = error
    this.conversationEvent({ kind: 'providerError', atMs, provider, code, message })
  }

  /** Something that belongs to the call's history and is no turn. */
  noted(name: string, data: unknown, atMs: number): void {
    this.#deps.journal.record({ kind: 'event', callId: this.#call.id, atMs, name, data })
  }

  badInput(code: string): void {
    this.#deps.metrics.badInputs.inc({ carrier: this.#call.carrier, code })
  }

  dropped(queue: string, count: number): void {
    this.#deps.metrics.droppedItems.inc({ queue }, count)
  }

  fault(what: string): void {
    this.#log.error(what)
  }

  recorded(facts: RecordingFacts): void {
    this.#recordingId = randomUUID()
    this.#deps.journal.record({
      kind: 'recording',
      row: { id: this.#recordingId, callId: this.#call.id, ...facts },
    })
  }

  /** `usage`: what the call took from its providers; null for an echo. */
  closed(reason: EndReason, leg: Leg, usage: CallUsage | null): void {
    const { carrier, id } = this.#call
    const prices = this.#deps.prices?.()
    const endedAt = this.#deps.dateMs()
    this.#deps.metrics.liveCalls.dec({ carrier })
    this.#deps.metrics.callsEnded.inc({ carrier, reason })
    const { latePayloads, concealedFrames, refusedPayloads } = leg.userAudio.counters
    const { framesSent, framesRefused, underruns } = leg.playout.counters
    this.#deps.journal.record({
      kind: 'event',
      callId: id,
      atMs: leg.audioTimeMs,
      name: 'media',
      data: {
        latePayloads,
        concealedFrames,
        refusedPayloads,
        framesSent,
        framesRefused,
        underruns,
      },
    })
    this.#deps.journal.record({
      kind: 'callUpdate',
      id,
      changes: {
        status: 'ended',
        endReason: reason,
        endedAt,
        durationMs: endedAt - this.#startedAt,
        turnCount: this.#turnCount,
        ...(usage && prices
          ? {
              cost: costOf(usage, {
                carrier,
                minutes: (endedAt - this.#startedAt) / 60_000,
                prices,
              }),
            }
          : {}),
      },
    })
    this.#deps.afterCall?.({
      id,
      agentId: this.#call.agent.id,
      carrier,
      from: this.#call.start.from ?? null,
      to: this.#call.start.to ?? null,
      startedAt: this.#startedAt,
      durationMs: endedAt - this.#startedAt,
      endReason: reason,
      settings: this.#call.settings,
      turns: this.#turns,
    })
    this.#log.info(
      { reason, seconds: Math.round((endedAt - this.#startedAt) / 1_000) },
      'call ended',
    )
  }
}
