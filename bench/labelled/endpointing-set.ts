/**
 * Endpointing on labelled hesitant speech: how often is somebody cut off who only pauses, and how long does the agent
 * wait when the turn is over?
 *
 *   cut-off   a turn is committed before its labelled end, be it taken back or not; counted once per case
 *   latency   the last commit − the labelled end (audible, by energy), mean over the cases
 *
 * As in eot-bench the policy is swept, and what is quoted is the best cut-off rate within a latency budget and the best
 * latency within a cut-off budget. The knobs are the profile's own settings; everything else is the product as it is.
 */
import type { Detection } from '../../dsp/slot.ts'
import type { ProfileSettings } from '../../server/agent-settings.ts'
import type { HesitantCase } from './hesitant-speech.ts'
import { recognise } from './scripted-recogniser.ts'
import { Seeded } from './seeded.ts'
import { SilentLine, SimulatedCall } from './simulated-call.ts'
import { FRAME_SAMPLES, type UserLine } from './user-line.ts'

export type Policy = Pick<
  ProfileSettings,
  'silenceTimeoutMs' | 'endpointingMinMs' | 'endpointingMaxMs'
>

export interface PolicyResult {
  policy: Policy
  cutOffPct: number
  latencyMs: number
  /** Cases that were cut off. */
  cut: HesitantCase[]
  latencies: { one: HesitantCase; ms: number }[]
}

export interface HeardCase {
  one: HesitantCase
  detections: Detection[]
}

/** The user chain's view of each case; it does not depend on the policy. */
export function hearCases(cases: readonly HesitantCase[], line: UserLine): HeardCase[] {
  return cases.map((one) => {
    line.reset(0.5)
    const detections: Detection[] = []
    for (let at = 0; at + FRAME_SAMPLES <= one.pcm.length; at += FRAME_SAMPLES) {
      detections.push(line.hear(one.pcm.subarray(at, at + FRAME_SAMPLES)))
    }
    return { one, detections }
  })
}

/** The sweep: from hasty to patient. */
export const POLICIES: Policy[] = [160, 200, 240, 300].flatMap((endpointingMinMs) =>
  [endpointingMinMs, 500, 700, 900].flatMap((silenceTimeoutMs) =>
    [1_500].map((endpointingMaxMs) => ({ endpointingMinMs, silenceTimeoutMs, endpointingMaxMs })),
  ),
)

export async function runPolicy(
  heard: readonly HeardCase[],
  policy: Policy,
  seed: number,
): Promise<PolicyResult> {
  const cut: HesitantCase[] = []
  const latencies: PolicyResult['latencies'] = []
  for (const [i, { one, detections }] of heard.entries()) {
    const commitsMs = await commits({ one, detections }, policy, seed + i)
    if (commitsMs.some((ms) => ms < one.endMs)) cut.push(one)
    const last = commitsMs.at(-1)
    if (last !== undefined && last >= one.endMs) latencies.push({ one, ms: last - one.endMs })
  }
  const sum = latencies.reduce((all, { ms }) => all + ms, 0)
  return {
    policy,
    cutOffPct: (100 * cut.length) / heard.length,
    latencyMs: sum / Math.max(1, latencies.length),
    cut,
    latencies,
  }
}

/** When the user's turn was committed, ms; again after every time that the user went on. */
async function commits(heard: HeardCase, policy: Policy, seed: number): Promise<number[]> {
  const { one, detections } = heard
  const call = new SimulatedCall({
    settings: { ...policy, language: one.language },
    answer: null,
    line: new SilentLine(),
  })
  const said = recognise(one.words, {
    language: one.language,
    segmentationMs: policy.silenceTimeoutMs,
    seeded: new Seeded(seed),
  })
  const commitsMs: number[] = []
  let next = 0
  let wasThinking = false
  for (const detection of detections) {
    const untilMs = detection.atMs + 20
    const now = []
    for (let event = said[next]; event && event.atMs <= untilMs; event = said[++next])
      now.push(event)
    await call.frame(detection, now)
    const isThinking = call.conversation.state === 'thinking'
    if (isThinking && !wasThinking) commitsMs.push(untilMs)
    wasThinking = isThinking
  }
  call.conversation.close()
  return commitsMs
}

/** The least cut-offs among policies within the latency budget; null when none is. */
export function bestWithinLatency(
  results: readonly PolicyResult[],
  budgetMs: number,
): PolicyResult | null {
  const within = results.filter((result) => result.latencyMs <= budgetMs)
  return within.sort((a, b) => a.cutOffPct - b.cutOffPct || a.latencyMs - b.latencyMs)[0] ?? null
}

/** The least latency among policies within the cut-off budget; null when none is. */
export function bestWithinCutOffs(
  results: readonly PolicyResult[],
  budgetPct: number,
): PolicyResult | null {
  const within = results.filter((result) => result.cutOffPct <= budgetPct)
  return within.sort((a, b) => a.latencyMs - b.latencyMs || a.cutOffPct - b.cutOffPct)[0] ?? null
}
