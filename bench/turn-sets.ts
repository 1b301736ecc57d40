/**
 * The labelled sets of bench `turns`: endpointing on hesitant speech, barge-in, harmless sounds, and what the user heard
 * of a cut turn. The real Conversation, Playout and audio core, the rig's play-out clock at the user's ear, audio time: no sockets and
 * no providers, see bench/labelled/.
 *
 *   tuning part    other sentences and speakers    the endpointing policies are chosen with it
 *   held-out part  what is reported                and the rules were never looked at with it
 */
import { DEFAULT_SETTINGS, resolveProfile } from '../server/agent-settings.ts'
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
import { HELD_OUT_SEED, SET_TEXTS, type SetPart } from './labelled/set-texts.ts'

export interface SetOptions {
  /** Of each set. */
  cases: number
  /** Of the kinds of hesitation. */
  shares: Shares
  seed: number
  /** What is reported: held out, or tuning while rules are being worked on. */
  part: SetPart
  voice: SpeechVoice
  progress(text: string): void
}

const LATENCY_BUDGET_MS = 300
const CUT_OFF_BUDGET_PCT = 5

export type SetFigures = Pick<BenchFigures, 'figures' | 'settings'>

export async function runSets(options: SetOptions): Promise<SetFigures> {
  const line = await UserLine.create()
  const seed = options.seed + (options.part === 'heldOut' ? HELD_OUT_SEED : 0)
  const reported = { ...options, seed }
  const endpointing = await endpointingFigures(options, reported, line)
  const overlap = await overlapFigures(reported, line)
  return {
    figures: { ...endpointing.figures, ...overlap },
    settings: {
      recogniser: RECOGNISER,
      casesPerSet: options.cases,
      shares: options.shares,
      part: options.part,
      seeds: `tuning ${options.seed}; reported ${seed} ${seed + 1} ${seed + 2}`,
      ...endpointing.settings,
    },
  }
}

/** Every policy on the hesitant speech of one part. */
async function sweep(options: SetOptions, line: UserLine): Promise<PolicyResult[]> {
  const { cases, seed, voice, progress, shares, part } = options
  progress(`hesitant speech, ${part}: ${cases} turns, seed ${seed}`)
  const set = { texts: SET_TEXTS[part], shares }
  const heard = hearCases(await hesitantCases(cases, new Seeded(seed), voice, set), line)
  const results: PolicyResult[] = []
  for (const policy of POLICIES) results.push(await runPolicy(heard, policy, seed))
  return results
}

async function endpointingFigures(
  tuning: SetOptions,
  reported: SetOptions,
  line: UserLine,
): Promise<SetFigures> {
  const results = await sweep(reported, line)
  const tuned =
    reported.part === 'tuning' ? results : await sweep({ ...tuning, part: 'tuning' }, line)
  const quick = bestWithinLatency(results, LATENCY_BUDGET_MS)
  const careful = bestWithinCutOffs(results, CUT_OFF_BUDGET_PCT)
  /** Of the reported part, with the policy that was best for the tuning part. */
  const ofTuned = (best: PolicyResult | null) =>
    results.find(({ policy }) => best !== null && policyText({ policy }) === policyText(best))
  const quickTuned = ofTuned(bestWithinLatency(tuned, LATENCY_BUDGET_MS))
  const byDefault = results.find(({ policy }) => policyText({ policy }) === DEFAULT_POLICY)
  for (const one of quick?.cut ?? []) {
    reported.progress(`  cut off at ${LATENCY_BUDGET_MS} ms: ${one.text}`)
  }
  return {
    figures: {
      hesitantTurns: reported.cases,
      hesitantTurnsEnded: Math.min(...results.map((result) => result.latencies.length)),
      falseCutoffsAt300MsPct: figure(quick?.cutOffPct),
      latencyAt300MsPolicyMs: figure(quick?.latencyMs),
      latencyAt5PctMs: figure(careful?.latencyMs),
      cutoffsAt5PctPolicyPct: figure(careful?.cutOffPct),
      tunedPolicyCutoffsPct: figure(quickTuned?.cutOffPct),
      tunedPolicyLatencyMs: figure(quickTuned?.latencyMs),
      defaultCutoffsPct: figure(byDefault?.cutOffPct),
      defaultLatencyMs: figure(byDefault?.latencyMs),
    },
    settings: {
      policyAt300Ms: policyText(quick),
      policyAt5Pct: policyText(careful),
      policyTuned: policyText(quickTuned ?? null),
      policyDefault: DEFAULT_POLICY,
    },
  }
}

function policyText(result: Pick<PolicyResult, 'policy'> | null): string {
  if (result === null) return 'none'
  const { endpointingMinMs, silenceTimeoutMs, endpointingMaxMs } = result.policy
  return `min ${endpointingMinMs}, silence ${silenceTimeoutMs}, max ${endpointingMaxMs}`
}

/** What a telephone profile has when nobody touches it. */
const DEFAULT_POLICY = policyText({ policy: resolveProfile(DEFAULT_SETTINGS, 'twilio') })

async function overlapFigures(
  options: SetOptions,
  line: UserLine,
): Promise<Record<string, number>> {
  const { cases, seed, voice, progress, part } = options
  const set = { texts: SET_TEXTS[part], voice }
  progress(`interruptions: ${cases}, seed ${seed + 1}; harmless sounds: ${cases}, seed ${seed + 2}`)
  const cut = new Seeded(seed + 1)
  const harmless = new Seeded(seed + 2)
  const interruptions = await runAll(await interruptionCases(cases, cut, set), line, cut)
  const sounds = await runAll(await harmlessCases(cases, harmless, set), line, harmless)
  const stops = interruptions.flatMap(({ stopMs }) => (stopMs === null ? [] : [stopMs]))
  // Of those who were silenced and went on: for how long the user heard nothing.
  const pausesMs = sounds.flatMap((one) =>
    one.stopMs === null && one.pauses > 0 ? [one.pausedMs] : [],
  )
  const lost = sounds.filter(({ stopMs }) => stopMs !== null)
  for (const { one } of lost) progress(`  stopped by ${one.kind} ${one.text}`)
  const errors = await heardErrors(interruptions, new HeardTruth(), progress)
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
    harmlessPauseP50Ms: figure(percentile(pausesMs, 0.5)),
    harmlessPauseP95Ms: figure(percentile(pausesMs, 0.95)),
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
  progress: (text: string) => void,
): Promise<number[]> {
  const errors: number[] = []
  for (const { one, textHeard, playedMs } of results) {
    if (textHeard === null) continue
    const heard = await truth.wordsHeard(one, playedMs)
    const error = textHeard.split(/\s+/).filter(Boolean).length - heard
    errors.push(Math.abs(error))
    if (Math.abs(error) > 1) progress(`  heard ${error} words off: ${textHeard}`)
  }
  return errors
}

/** −1 stands for "nothing to measure". */
function figure(value: number | null | undefined): number {
  return value === null || value === undefined ? -1 : rounded(value, 1)
}
