/**
 * Targets: what the figures must reach on two cores (server on one, rig on the other), and the best that others have
 * published. The one list behind the report and docs/performance.md.
 */
export interface Target {
  bench: string
  figure: string
  label: string
  unit: string
  /** `atMost`: smaller is better. */
  sense: 'atMost' | 'atLeast'
  must: number
  stretch: number | null
  bestKnown: string
  /** So many calls must have been live (`liveCalls`): with fewer the figure can miss the target, and cannot reach it. */
  underCalls?: number
}

/** Of the calls that were to be live. */
export const LIVE_SHARE = 0.99

const least = (
  [bench, figure]: [string, string],
  [label, unit]: [string, string],
  [must, stretch]: [number, number | null],
  bestKnown = '–',
): Target => ({ bench, figure, label, unit, sense: 'atMost', must, stretch, bestKnown })

const most = (...rest: Parameters<typeof least>): Target => ({
  ...least(...rest),
  sense: 'atLeast',
})

export const TARGETS: readonly Target[] = [
  most(
    ['media', 'calls'],
    ['Media only: calls, p99 < 20 ms late', ''],
    [1_000, 1_300],
    '1 300 (prototype)',
  ),
  least(
    ['media', 'coresPerCall'],
    ['Media only: cores per call', ''],
    [0.001, 0.0008],
    '0.0052 siphon-ai (Rust, no DSP)',
  ),
  least(['media', 'lateP99Ms'], ['Media only: frames late, p99', 'ms'], [20, 8]),
  least(['media', 'lostFrames'], ['Media only: lost frames', ''], [0, 0]),
  most(
    ['capacity', 'calls'],
    ['Whole calls within the criterion', ''],
    [300, 500],
    '10-25 per 4 cores, LiveKit',
  ),
  least(
    ['capacity', 'coresPerCall'],
    ['Whole calls: cores per session', ''],
    [0.003, 0.0018],
    '0.0049 VoiceBlender (Go)',
  ),
  least(
    ['capacity', 'mbPerCall'],
    ['Whole calls: memory per call', 'MB'],
    [0.5, 0.25],
    '0.16 VoiceBlender (Go)',
  ),
  least(['capacity', 'failedPct'], ['Whole calls: failed', '%'], [0.5, 0]),
  least(
    ['capacity', 'turnP95Ratio'],
    ['Whole calls: p95 turn latency over baseline', '×'],
    [1.25, 1.1],
  ),
  least(['capacity', 'pathP50Ms'], ['Media path, p50', 'ms'], [5, 3], '9 AI Voice Connector'),
  least(['capacity', 'pathP99Ms'], ['Media path, p99', 'ms'], [20, 8], '27 VoiceBlender (p50)'),
  least(
    ['soak', 'leakBytesPerCall'],
    ['Leak per finished call', 'bytes'],
    [1_023, 0],
    '1.3 MB in 60 min, siphon-ai',
  ),
  least(
    ['soak', 'driftFrames'],
    ['Pacing drift over the soak', 'frames'],
    [0, 0],
    '17.8 ms lost per second (original)',
  ),
  least(['soak', 'jitterP99Ms'], ['Pacing jitter, p99', 'ms'], [5, null]),
  {
    ...least(
      ['http', 'webhookUnderCallsP99Ms'],
      ['Signed webhook → TwiML under 500 calls, p99', 'ms'],
      [25, 10],
    ),
    underCalls: 500,
  },
  least(['overload', 'lateP99Ms'], ['Live calls at 150 % load: frames late, p99', 'ms'], [20, 10]),
  most(
    ['overload', 'refusedPolitelyPct'],
    ['Refused politely at 150 % load', '%'],
    [100, 100],
    'exact 503, siphon-ai',
  ),
]

export type Standing = 'stretch' | 'must' | 'missed' | 'unknown'

/** Where a figure stands; `undefined` and −1 mean that nothing was measured. */
export function standing(target: Target, value: number | undefined): Standing {
  if (value === undefined || value === -1) return 'unknown'
  // Drift counts both ways; a heap that shrank has not leaked.
  const size = target.figure === 'driftFrames' ? Math.abs(value) : value
  const reaches = (limit: number): boolean =>
    target.sense === 'atMost' ? size <= limit : size >= limit
  if (target.stretch !== null && reaches(target.stretch)) return 'stretch'
  return reaches(target.must) ? 'must' : 'missed'
}

/** Where a figure of a run stands that had `liveCalls`: reached under fewer calls than the target says is not measured yet. */
export function standingUnder(
  target: Target,
  figures: Readonly<Record<string, number>> | undefined,
): Standing {
  const state = standing(target, figures?.[target.figure])
  if (target.underCalls === undefined || state === 'missed') return state
  return (figures?.['liveCalls'] ?? 0) >= LIVE_SHARE * target.underCalls ? state : 'unknown'
}

/** Published cores per session, for the picture. */
export const PEERS: readonly { name: string; coresPerCall: number }[] = [
  { name: 'VoiceBlender (Go)', coresPerCall: 0.0049 },
  { name: 'siphon-ai (Rust, no AI)', coresPerCall: 0.0052 },
  { name: 'jambonz', coresPerCall: 0.014 },
  { name: 'LiveKit Agents', coresPerCall: 0.11 },
]
