/** The latency of a turn as segments of one bar. Pure. */
import type { TurnLatency } from '../api/types.ts'

export const LATENCY_PARTS = [
  ...(['endpointing', 'stt', 'queue', 'llm', 'sentence', 'tts', 'dsp', 'pacing'] as const),
  ...(['own', 'carrier'] as const),
]
export type LatencyPart = (typeof LATENCY_PARTS)[number]

export interface LatencySegment {
  part: LatencyPart
  ms: number
  /** 0…1 of the bar. */
  share: number
}

/** From the last voiced sample to the first agent audio: what feels immediate, acceptable, slow. */
const GOOD_MS = 900
const FAIR_MS = 1_600

export function latencyGrade(responseMs: number): 'good' | 'warn' | 'bad' {
  if (responseMs <= GOOD_MS) return 'good'
  return responseMs <= FAIR_MS ? 'warn' : 'bad'
}

/** Segments in the order in which they happen; parts that took no time or did not occur are left out. */
export function latencySegments(latency: TurnLatency): LatencySegment[] {
  const { queueMs = null, dspMs = null, pacingMs = null, carrierMs = null } = latency
  const ms: Record<LatencyPart, number | null> = {
    endpointing: latency.endpointingMs,
    stt: latency.sttMs,
    queue: queueMs,
    llm: latency.llmFirstTokenMs,
    sentence: latency.firstSentenceMs,
    tts: latency.ttsFirstAudioMs,
    dsp: dspMs,
    pacing: pacingMs,
    // What of it has no name, or all of it in turns of older versions.
    own: latency.ownMs - (queueMs ?? 0) - (dspMs ?? 0) - (pacingMs ?? 0),
    carrier: carrierMs,
  }
  const parts = LATENCY_PARTS.map((part) => ({ part, ms: Math.max(0, ms[part] ?? 0) }))
  const total = Math.max(
    latency.responseMs,
    parts.reduce((sum, { ms }) => sum + ms, 0),
  )
  return parts.filter(({ ms }) => ms >= 0.5).map((part) => ({ ...part, share: part.ms / total }))
}

/** Median and 95th percentile of the turns that have a latency, or null without any. */
export function latencySummary(
  latencies: readonly (TurnLatency | null)[],
): { p50Ms: number; p95Ms: number; count: number } | null {
  const sorted = latencies.flatMap((l) => (l ? [l.responseMs] : [])).sort((a, b) => a - b)
  if (sorted.length === 0) return null
  const at = (q: number) =>
    sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? 0
  return { p50Ms: at(0.5), p95Ms: at(0.95), count: sorted.length }
}
