/**
 * Criteria of the capacity bench, and how it searches. Pure.
 *
 *   step(N) ─► verdict: failed < 0.5 %, p95 turn latency ≤ 125 % of the unloaded baseline, late frames < 0.1 %
 *   ramp     doubles N while steps pass, then halves the gap until it is 5 % of N (10 calls at least)
 *            a step that failed while the rig was in doubt says nothing about the server: it bounds what can be proven here
 *
 * The thresholds are the published ones (jambonz, VoiceBlender); late frames are ours on top.
 */
export const FAILED_LIMIT_PCT = 0.5
export const TURN_P95_LIMIT_RATIO = 1.25
export const LATE_LIMIT_PCT = 0.1
const GAP_SHARE = 0.05
const GAP_CALLS = 10

export interface StepSeen {
  calls: number
  failedPct: number
  turnP95Ratio: number
  latePct: number
}

export interface StepSignals {
  /** What the server says about itself: worst 3 s median of the step. */
  loopUtilisation: number
  poolWaitMs: number
  wheelLatenessMs: number
  /** Resident memory of the server at the end over the machine's, 0…1. */
  memoryShare: number
  rigBusy: number
}

/** The criteria that a step has missed, as sentences; empty when it passed. */
export function missed(step: StepSeen): string[] {
  const wrong: string[] = []
  if (!(step.failedPct < FAILED_LIMIT_PCT)) {
    wrong.push(`${step.failedPct} % of the calls failed (limit ${FAILED_LIMIT_PCT} %)`)
  }
  if (!(step.turnP95Ratio <= TURN_P95_LIMIT_RATIO)) {
    wrong.push(`p95 turn latency is ${step.turnP95Ratio} of the baseline (${TURN_P95_LIMIT_RATIO})`)
  }
  if (!(step.latePct < LATE_LIMIT_PCT)) {
    wrong.push(`${step.latePct} % of the frames came later than 20 ms (limit ${LATE_LIMIT_PCT} %)`)
  }
  return wrong
}

export interface Tried {
  calls: number
  passed: boolean
  /** Why the rig may be to blame for a step that did not pass; null when it is not. */
  rigDoubt?: string | null
}

/** What ended the search: what lies above the highest step that passed. */
export function boundOf(tried: readonly Tried[]): 'criterion' | 'rig' | 'none' {
  const best = Math.max(0, ...tried.filter((step) => step.passed).map((step) => step.calls))
  const above = tried.filter((step) => !step.passed && step.calls > best)
  const least = above.sort((a, b) => a.calls - b.calls)[0]
  if (least === undefined) return 'none'
  return least.rigDoubt ? 'rig' : 'criterion'
}

/** Of the steps that passed, the lowest with at least `share` of the calls of the highest: latency is quoted below the limit. */
export function stepAtShare<T extends Tried>(tried: readonly T[], share: number): T | null {
  const passed = tried.filter((step) => step.passed).sort((a, b) => a.calls - b.calls)
  const most = passed.at(-1)?.calls ?? 0
  return passed.find((step) => step.calls >= share * most) ?? null
}

/** How many calls the next step has, or null when the search is over. `most` is never exceeded. */
export function nextCalls(tried: readonly Tried[], start: number, most: number): number | null {
  const best = Math.max(0, ...tried.filter((step) => step.passed).map((step) => step.calls))
  const worse = tried.filter((step) => !step.passed && step.calls > best).map((step) => step.calls)
  const failed = Math.min(...worse)
  if (tried.length === 0) return Math.min(start, most)
  if (worse.length === 0) return best >= most ? null : Math.min(best * 2, most)
  const gap = failed - best
  if (gap <= Math.max(GAP_CALLS, GAP_SHARE * failed)) return null
  return best + Math.round(gap / 2)
}

/** The part that was nearest its end when a step failed. */
export function gaveOutFirst(signals: StepSignals): string {
  const shares: [string, number][] = [
    ['main thread of the server', signals.loopUtilisation / 0.8],
    ['audio worker of the server', signals.poolWaitMs / 8],
    ['processor of the server (turns of the wheel came late)', signals.wheelLatenessMs / 15],
    ['memory', signals.memoryShare / 0.8],
    ['rig', signals.rigBusy / 0.8],
  ]
  const [part, share] = shares.reduce((most, other) => (other[1] > most[1] ? other : most))
  return share < 0.7 ? 'nothing near its limit' : part
}
