/**
 * Metrics: every number that Andrea counts, in one typed object on one Prometheus registry (served at /metrics).
 *
 * Labels only hold our own closed lists (carrier, code, queue, stage, reason): a label taken from what a stranger sent would
 * let them fill the memory. Values follow Prometheus: seconds and bytes, totals that only grow.
 */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import type { TurnLatency } from './conversation/conversation-events.ts'

const TURN_BUCKETS_SEC = [0.005, 0.015, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.2, 1.6, 2.2, 3, 5, 10]
const HTTP_BUCKETS_SEC = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

export type Metrics = ReturnType<typeof createMetrics>

/** Makes all instruments on a registry of their own, so that tests do not share counts. */
export function createMetrics(options: { process?: boolean } = {}) {
  const registry = new Registry()
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name: `andrea_${name}`, help, labelNames, registers: [registry] })
  const histogram = <L extends string>(
    name: string,
    help: string,
    shape: { labelNames: readonly L[]; buckets: number[] },
  ) => new Histogram({ name: `andrea_${name}`, help, registers: [registry], ...shape })
  if (options.process === true) collectDefaultMetrics({ register: registry })

  return {
    registry,
    badInputs: counter('bad_inputs_total', 'Carrier input that broke the protocol', [
      'carrier',
      'code',
    ]),
    droppedItems: counter('dropped_items_total', 'Items dropped by a full queue', ['queue']),
    frames: counter('frames_total', 'Audio frames of 20 ms', ['direction']),
    lateFrames: counter('late_frames_total', 'Frames sent after their deadline', []),
    degradationChanges: counter('degradation_changes_total', 'Steps of the degradation ladder', [
      'rung',
    ]),
    wheelLateness: histogram('wheel_lateness_seconds', 'How late a turn of the 5 ms wheel began', {
      labelNames: [],
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1],
    }),
    liveCalls: new Gauge({
      name: 'andrea_live_calls',
      help: 'Calls with an open media stream',
      labelNames: ['carrier'],
      registers: [registry],
    }),
    callsStarted: counter('calls_started_total', 'Calls begun', ['carrier', 'direction']),
    callsEnded: counter('calls_ended_total', 'Calls ended, by reason', ['carrier', 'reason']),
    callsRefused: counter('calls_refused_total', 'Calls turned away', ['carrier', 'reason']),
    turnLatency: histogram('turn_latency_seconds', 'From the end of user speech to each stage', {
      labelNames: ['stage'],
      buckets: TURN_BUCKETS_SEC,
    }),
    bargeIns: counter('barge_ins_total', 'Users who took the floor', ['reason']),
    ...providerCounters(counter),
    webhookRejected: counter('webhook_rejected_total', 'Webhooks refused', ['carrier', 'reason']),
    httpRequests: counter('http_requests_total', 'HTTP answers', ['method', 'route', 'status']),
    httpDuration: histogram('http_request_seconds', 'Time to answer an HTTP request', {
      labelNames: ['route'],
      buckets: HTTP_BUCKETS_SEC,
    }),
    journal: counter('journal_entries_total', 'Journal entries, by what became of them', [
      'outcome',
    ]),
    /** A gauge that is read when somebody scrapes: queue depths, pool statistics. */
    watch(name: string, help: string, read: () => number): void {
      new Gauge({
        name: `andrea_${name}`,
        help,
        registers: [registry],
        collect() {
          this.set(read())
        },
      })
    },
  }
}

type MakeCounter = <L extends string>(
  name: string,
  help: string,
  labelNames: readonly L[],
) => Counter<L>

function providerCounters(counter: MakeCounter) {
  return {
    providerErrors: counter('provider_errors_total', 'Failures of a provider', [
      'provider',
      'code',
    ]),
    providerSwitches: counter('provider_switches_total', 'Calls that went to another provider', [
      'part',
      'from',
      'to',
    ]),
    textStreamsRefused: counter(
      'text_streams_refused_total',
      'Sentences that a voice did not take while they were being written; spoken once they were whole',
      ['provider', 'code'],
    ),
    sttAudioSeconds: counter(
      'stt_audio_seconds_total',
      'Audio of calls at a recogniser that bills it: sent, or held because nothing could be heard',
      ['provider', 'outcome'],
    ),
    secondHearings: counter('second_hearings_total', 'Utterances heard twice, by what became', [
      'outcome',
    ]),
  }
}

/** What the audio pool refused or lost, by reason (a closed list); the pool counts, a scrape reads. */
export function watchAudioFaults(
  metrics: Metrics,
  read: () => Readonly<Record<string, number>>,
): void {
  new Counter({
    name: 'andrea_audio_faults_total',
    help: 'What the audio core refused or lost, by reason',
    labelNames: ['reason'],
    registers: [metrics.registry],
    collect() {
      this.reset()
      for (const [reason, count] of Object.entries(read())) this.inc({ reason }, count)
    },
  })
}

/** Enters one turn's latency, each stage under its own label. */
export function observeTurn(metrics: Metrics, latency: TurnLatency): void {
  const stages: [string, number | null | undefined][] = [
    ['endpointing', latency.endpointingMs],
    ['stt', latency.sttMs],
    ['llmFirstToken', latency.llmFirstTokenMs],
    ['firstSentence', latency.firstSentenceMs],
    ['ttsFirstAudio', latency.ttsFirstAudioMs],
    ['queue', latency.queueMs],
    ['dsp', latency.dspMs],
    ['pacing', latency.pacingMs],
    ['carrier', latency.carrierMs],
    ['response', latency.responseMs],
    ['own', latency.ownMs],
  ]
  for (const [stage, ms] of stages) {
    if (ms !== null && ms !== undefined) metrics.turnLatency.observe({ stage }, ms / 1_000)
  }
}
