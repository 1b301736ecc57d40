/**
 * The labelled sets of bench `turns`: endpointing on hesitant speech, barge-in, harmless sounds, and what the user heard
 * of a cut turn. Real user chain, real decisions, audio time: no sockets and no providers, see bench/labelled/.
 */
import {
  harmlessCases,
  interruptionCases,
  runOverlap,
  type OverlapCase,
  type OverlapResult,
} from './labelled/barge-in-set.ts'
import {
  bestWithinCutOffs,
  bestWithinLatency,
  hearCases,
  POLICIES,
  runPolicy,
  type Policy,
  type PolicyResult,
} from './labelled/endpointing-set.ts'
import { HeardTruth } from './labelled/heard-truth.ts'
import { hesitantCases } from './labelled/hesitant-speech.ts'
import type { Shares } from './labelled/hesitant-texts.ts'
import { RECOGNISER } from './labelled/scripted-recogniser.ts'
import { Seeded } from './labelled/seeded.ts'
import { UserLine } from './labelled/user-line.ts'
import { percentile } from './rig/histogram.ts'
import { rounded, type BenchFigures } from './rig/report.ts'
import type { SpeechVoice } from './rig/speech.ts'

export interface SetOptions {
  /** Of each set. */
  cases: number
  /** Of the kinds of hesitation. */
  shares: Shares
  seed: number
  voice: SpeechVoice
  progress(text: string): void
}

const LATENCY_BUDGET_MS = 300
const CUT_OFF_BUDGET_PCT = 5

export type SetFigures = Pick<BenchFigures, 'figures' | 'settings'>

export async function runSets(options: SetOptions): Promise<SetFigures> {
  const line = await UserLine.create()
  const endpointing = await endpointingFigures(options, line)
  const overlap = await overlapFigures(options, line)
  return {
    figures: { ...endpointing.figures, ...overlap },
    settings: {
      recogniser: RECOGNISER,
      casesPerSet: options.cases,
      shares: options.shares,
      seeds: [options.seed, options.seed + 1, options.seed + 2].join(' '),
      ...endpointing.settings,
    },
  }
}

async function endpointingFigures(options: SetOptions, line: UserLine): Promise<SetFigures> {
  const { cases, seed, voice, progress, shares } = options
  progress(`hesitant speech: ${cases} turns, seed ${seed}`)
  const heard = hearCases(await hesitantCases(cases, new Seeded(seed), voice, shares), line)
  const results: PolicyResult[] = []
  for (const policy of POLICIES) results.push(await runPolicy(heard, policy, seed))
  const quick = bestWithinLatency(results, LATENCY_BUDGET_MS)
  const careful = bestWithinCutOffs(results, CUT_OFF_BUDGET_PCT)
  for (const one of quick?.cut ?? []) progress(`  cut off at ${LATENCY_BUDGET_MS} ms: ${one.text}`)
  return {
    figures: {
      hesitantTurns: heard.length,
      hesitantTurnsEnded: Math.min(...results.map((result) => result.latencies.length)),
      falseCutoffsAt300MsPct: figure(quick?.cutOffPct),
      latencyAt300MsPolicyMs: figure(quick?.latencyMs),
      latencyAt5PctMs: figure(careful?.latencyMs),
      cutoffsAt5PctPolicyPct: figure(careful?.cutOffPct),
    },
    settings: { policyAt300Ms: policyText(quick), policyAt5Pct: policyText(careful) },
  }
}

function policyText(result: PolicyResult | null): string {
  const { endpointingMinMs, silenceTimeoutMs, endpointingMaxMs } = result?.policy ?? ({} as Policy)
  return result
    ? `min ${endpointingMinMs}, silence ${silenceTimeoutMs}, max ${endpointingMaxMs}`
    : 'none'
}

async function overlapFigures(
  options: SetOptions,
  line: UserLine,
): Promise<Record<string, number>> {
  const { cases, seed, voice, progress } = options
  progress(`interruptions: ${cases}, seed ${seed + 1}; harmless sounds: ${cases}, seed ${seed + 2}`)
  const cut = new Seeded(seed + 1)
  const harmless = new Seeded(seed + 2)
  const interruptions = await runAll(await interruptionCases(cases, cut, voice), line, cut)
  const sounds = await runAll(await harmlessCases(cases, harmless, voice), line, harmless)
  const stops = interruptions.flatMap(({ stopMs }) => (stopMs === null ? [] : [stopMs]))
  const lost = sounds.filter(({ stopMs }) => stopMs !== null)
  for (const { one } of lost) progress(`  stopped by ${one.kind} ${one.text}`)
  const errors = await heardErrors(interruptions, new HeardTruth(voice))
  const ofKind = (kind: string): number => lost.filter(({ one }) => one.kind === kind).length
  return {
    interruptions: interruptions.length,
    setBargeInP50Ms: figure(percentile(stops, 0.5)),
    setBargeInP95Ms: figure(percentile(stops, 0.95)),
    missedBargeInPct: figure((100 * (interruptions.length - stops.length)) / cases),
    harmlessSounds: sounds.length,
    falseBargeInPct: figure((100 * lost.length) / cases),
    falseBargeInBackchannels: ofKind('backchannel'),
    falseBargeInCoughs: ofKind('cough'),
    falseBargeInNoise: ofKind('noise'),
    falseBargeInEcho: ofKind('echo'),
    harmlessPausedPct: figure((100 * sounds.filter(({ pauses }) => pauses > 0).length) / cases),
    heardCuts: errors.length,
    heardWordErrorP50: figure(percentile(errors, 0.5)),
    heardWordErrorP95: figure(percentile(errors, 0.95)),
  }
}

async function runAll(
  cases: readonly OverlapCase[],
  line: UserLine,
  seeded: Seeded,
): Promise<OverlapResult[]> {
  const results: OverlapResult[] = []
  for (const one of cases) results.push(await runOverlap(one, line, seeded))
  return results
}

/** Of each cut: by how many words the ledger is wrong. */
async function heardErrors(
  results: readonly OverlapResult[],
  truth: HeardTruth,
): Promise<number[]> {
  const errors: number[] = []
  for (const { one, textHeard, playedMs } of results) {
    if (textHeard === null) continue
    const heard = await truth.wordsHeard(one.agent, playedMs, one.language)
    errors.push(Math.abs(textHeard.split(/\s+/).filter(Boolean).length - heard))
  }
  return errors
}

/** −1 stands for "nothing to measure". */
function figure(value: number | null | undefined): number {
  return value === null || value === undefined ? -1 : rounded(value, 1)
}
