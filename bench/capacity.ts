/**
 * Bench `capacity`: how many whole calls one server process carries. Simulated Twilio calls with scripted users, emulated
 * providers on the wire; N grows until a criterion is missed (rig/criteria.ts), or stays with --calls.
 *
 *   self-check ─► baseline of 20 calls ─► step N ─► verdict ─► next N …  ─► figures of the highest N that passed
 *
 * The search keeps to its minutes: what it has proven by then is a lower bound, and its settings say what lies above it.
 */
import { totalmem } from 'node:os'
import { CallLoad, type LoadTally } from './rig/call-load.ts'
import { spokenScript, type SpokenLine } from './rig/canned-speech.ts'
import {
  boundOf,
  gaveOutFirst,
  missed,
  nextCalls,
  stepAtShare,
  type StepSeen,
  type Tried,
} from './rig/criteria.ts'
import { percentile } from './rig/histogram.ts'
import { inGroups } from './rig/in-groups.ts'
import {
  AUTH_TOKEN,
  checkRig,
  mockFigures,
  mockLatencies,
  openLab,
  sleep,
  type Lab,
} from './rig/lab.ts'
import { rounded, type BenchFigures } from './rig/report.ts'
import {
  loadBetween,
  loadGiven,
  mockDoubt,
  rigDoubt,
  RigUnreliable,
  snapshot,
  type Load,
} from './rig/self-check.ts'
import type { ApiTurn } from './rig/server-api.ts'
import { ServerWatch, type Watched } from './rig/server-watch.ts'

/** Enough for a p95 in one step's time, and nothing to a processor. */
const BASELINE_CALLS = 20
const START_CALLS = 100
/** Calls dialled per second while a step fills up. */
const DIAL_PER_SEC = 20
/** After the last dial, before anything is counted. */
const SETTLE_MS = 3_000
/** The media path's latency is quoted at this share of the capacity. */
const PATH_SHARE = 0.6
/** Finished calls whose turns are read from the server. */
const PAGES_MAX = 100

export interface CapacityOptions {
  /** One step of so many calls; null searches. */
  calls: number | null
  seconds: number
  /** The search begins no step that would end later. */
  minutes: number
  /** The search goes no further. */
  most: number
  seed: number
  /** Measures on where the rig is in doubt; the doubt is thrown at the end all the same. */
  diagnose: boolean
  carrier: 'twilio' | 'telnyx'
  progress(text: string): void
}

type TurnLatency = NonNullable<ApiTurn['latency']>

interface Step extends Tried {
  tally: LoadTally
  load: Load
  watched: Watched
  seen: StepSeen
  turnP95Ms: number
  wrong: string[]
  gaveOut: string
  figures: Record<string, number>
}

/** @throws RigUnreliable when the rig, its clock or its mocks were the bottleneck in every step. */
export async function runCapacity(options: CapacityOptions): Promise<BenchFigures> {
  const beganMs = performance.now()
  const { progress, seed, most, carrier } = options
  const lines = await spokenScript(undefined, progress)
  const maxCalls = Math.ceil((options.calls ?? most) * 1.2) + 20
  const lab = await openLab({ maxCalls, seed, loadControl: false, carrier, progress })
  try {
    let early: string | null = null
    const goOn = options.diagnose ? (doubt: string) => void (early = doubt) : undefined
    const checked = await checkRig(lab, 'capacity', goOn)
    progress(`rig checked: ${JSON.stringify(checked)}`)
    const run = new Runner(lab, lines, options)
    await run.baseline()
    if (options.calls === null) await run.search(beganMs + options.minutes * 60_000)
    else await run.step(options.calls)
    const best = stepAtShare(run.steps, 1) ?? run.steps[0]
    if (best === undefined) throw new RangeError('--most: at least one call')
    const atShare = stepAtShare(run.steps, PATH_SHARE) ?? best
    const paths = await pathMs(lab, atShare.tally.sids.slice(-PAGES_MAX))
    const result: BenchFigures = {
      bench: carrier === 'twilio' ? 'capacity' : `capacity-${carrier}`,
      seed,
      settings: {
        seconds: options.seconds,
        rigCore: lab.rigCore,
        passed: best.passed,
        bound: boundOf(run.steps),
        gaveOutFirst: run.gaveOut ?? best.gaveOut,
        steps: run.steps
          .map(({ calls, passed, rigDoubt }) => {
            return `${calls}${passed ? '+' : rigDoubt ? '?' : '-'}`
          })
          .join(' '),
        pathCalls: atShare.calls,
      },
      figures: { ...best.figures, ...paths, ...checked },
    }
    const doubt = early ?? (best.passed ? null : (best.rigDoubt ?? null))
    if (doubt !== null) throw new RigUnreliable(doubt, result)
    for (const wrong of best.wrong) progress(`missed: ${wrong}`)
    return result
  } finally {
    await lab.stop()
  }
}

class Runner {
  readonly steps: Step[] = []
  /** What was nearest its end in the first step that failed. */
  gaveOut: string | null = null
  readonly #lab: Lab
  readonly #lines: readonly SpokenLine[]
  readonly #options: CapacityOptions
  #baselineP95Ms = 0
  #baselineRssMb = 0

  constructor(lab: Lab, lines: readonly SpokenLine[], options: CapacityOptions) {
    this.#lab = lab
    this.#lines = lines
    this.#options = options
  }

  /** p95 turn latency and memory of this server with 20 calls: what the others are measured against. */
  async baseline(): Promise<void> {
    const { turnP95Ms, watched } = await this.#run(BASELINE_CALLS)
    if (turnP95Ms <= 0) throw new Error('no turn was answered in the baseline: take more --seconds')
    this.#baselineP95Ms = turnP95Ms
    this.#baselineRssMb = watched.rssMaxMb
    this.#options.progress(
      `baseline: p95 turn latency ${turnP95Ms} ms with ${BASELINE_CALLS} calls`,
    )
  }

  async step(calls: number): Promise<void> {
    const step = await this.#run(calls)
    this.steps.push(step)
    if (!step.passed && !step.rigDoubt) this.gaveOut ??= step.gaveOut
    const verdict = step.passed ? 'passed' : step.wrong.join('; ')
    const doubt = step.rigDoubt ? ` [${step.rigDoubt}]` : ''
    this.#options.progress(`${calls} calls: ${verdict}${doubt} (${JSON.stringify(step.figures)})`)
  }

  /** Steps until the limit is known to 5 %, or the next one would end after `untilMs`. */
  async search(untilMs: number): Promise<void> {
    for (;;) {
      const calls = nextCalls(this.steps, START_CALLS, this.#options.most)
      if (calls === null || (calls <= 1 && this.steps.length > 0)) return
      const endMs = performance.now() + this.#stepMs(calls)
      if (this.steps.length > 0 && endMs > untilMs) return
      await this.step(calls)
    }
  }

  #stepMs(calls: number): number {
    return fillMs(calls) + SETTLE_MS + this.#options.seconds * 1_000 + 2_000
  }

  async #run(calls: number): Promise<Step> {
    const { server, api, pacer, providers } = this.#lab
    const load = new CallLoad({
      telnyx: this.#lab.telnyx,
      ...{ server, authToken: AUTH_TOKEN, pacer, lines: this.#lines, seed: this.#options.seed },
    })
    const watch = new ServerWatch(server, api)
    const running = load.run(calls, fillMs(calls))
    await sleep(fillMs(calls) + SETTLE_MS)
    load.startCounting()
    pacer.lateness.reset()
    const before = snapshot(server)
    watch.start()
    // The emulators are asked while they are busy: afterwards they would always be punctual.
    const asked = mockLatencies(providers)
    await sleep(this.#options.seconds * 1_000)
    watch.stop()
    const measured = loadBetween(before, snapshot(server))
    const mocks = await asked
    const live = Math.max(1, load.live)
    const doubt = rigDoubt(measured, pacer.lateness) ?? mockDoubt(mocks)
    const given = loadGiven(pacer.lateness)
    const rigLateP99Ms = pacer.lateness.percentileMs(0.99)
    load.end()
    await running
    const overBaseline = Math.max(1, live - BASELINE_CALLS)
    const mbPerCall = Math.max(0, watch.seen.rssMaxMb - this.#baselineRssMb) / overBaseline
    return this.#judge({
      ...{ calls, tally: load.tally, load: measured, watched: watch.seen },
      ...{
        doubt,
        given,
        more: { mbPerCall: rounded(mbPerCall, 3), rigLateP99Ms, ...mockFigures(mocks, 'Under') },
      },
    })
  }

  #judge(
    run: Pick<Step, 'calls' | 'tally' | 'load' | 'watched'> & {
      doubt: string | null
      given: boolean
      more: Record<string, number>
    },
  ): Step {
    const { calls, tally, load, watched, doubt, given, more } = run
    const turnP95Ms = rounded(percentile(tally.latenciesMs, 0.95) ?? -1, 1)
    const begun = Math.max(1, calls + tally.begun)
    const seen = {
      calls,
      failedPct: rounded((100 * tally.failed) / begun, 2),
      // The baseline's own step has nothing to be compared with.
      turnP95Ratio: this.#baselineP95Ms === 0 ? 1 : rounded(turnP95Ms / this.#baselineP95Ms, 3),
      latePct: rounded((100 * tally.lateFrames) / Math.max(1, tally.frames), 3),
    }
    const gaveOut = gaveOutFirst({
      loopUtilisation: watched.signals['loopUtilisation'] ?? 0,
      poolWaitMs: watched.signals['poolWait'] ?? 0,
      wheelLatenessMs: watched.signals['wheelLateness'] ?? 0,
      memoryShare: watched.rssMaxMb / (totalmem() / 2 ** 20),
      rigBusy: load.rigBusy,
    })
    const wrong = tally.latenciesMs.length === 0 ? ['no turn was answered'] : missed(seen)
    if (!given) wrong.push('the rig did not keep up: the server had less load than that')
    const step = { calls, tally, load, watched, seen, turnP95Ms, wrong, gaveOut }
    return {
      ...step,
      passed: wrong.length === 0,
      rigDoubt: doubt,
      figures: { ...figuresOf(step), ...more },
    }
  }
}

function fillMs(calls: number): number {
  return Math.max(2_000, (calls / DIAL_PER_SEC) * 1_000)
}

function figuresOf(step: Omit<Step, 'figures' | 'passed'>): Record<string, number> {
  const { tally, load, watched, seen } = step
  return {
    calls: step.calls,
    failedPct: seen.failedPct,
    turnP95Ratio: seen.turnP95Ratio,
    coresPerCall: rounded(load.serverCores / step.calls, 5),
    mbPerCall: 0,
    latePct: seen.latePct,
    frameDelayP50Ms: tally.lateness.percentileMs(0.5),
    frameDelayP99Ms: tally.lateness.percentileMs(0.99),
    frameDelayMaxMs: rounded(tally.lateness.maxMs, 1),
    jitterP99Ms: tally.jitter.percentileMs(0.99),
    holes: tally.holes,
    turns: tally.latenciesMs.length,
    turnsTalkedOver: tally.talkedOver,
    turnP50Ms: rounded(percentile(tally.latenciesMs, 0.5) ?? -1, 1),
    turnP95Ms: step.turnP95Ms,
    callsFinished: tally.finished,
    callsFailed: tally.failed,
    ...Object.fromEntries([...tally.failures].map(([name, count]) => [`failed_${name}`, count])),
    loopUtilisation: rounded(watched.signals['loopUtilisation'] ?? 0, 3),
    loopDelayP99Ms: rounded(watched.signals['loopDelay'] ?? 0, 1),
    wheelLateP99Ms: rounded(watched.signals['wheelLateness'] ?? 0, 1),
    poolWaitP99Ms: rounded(watched.signals['poolWait'] ?? 0, 1),
    serverCores: rounded(load.serverCores, 3),
    serverRssMb: Math.round(watched.rssMaxMb),
    rigCores: rounded(load.rigCores, 3),
    rigBusy: rounded(load.rigBusy, 3),
  }
}

/**
 * The server's own account of the turns: our share (everything but endpointing and providers), and what it waited for.
 */
async function pathMs(lab: Lab, sids: readonly string[]): Promise<Record<string, number>> {
  const seen: TurnLatency[] = []
  await inGroups(sids.length, 4, async (index) => {
    const { turns } = await lab.api.finished(sids[index] ?? '')
    for (const { latency } of turns) if (latency !== null) seen.push(latency)
  })
  const of = (pick: (latency: TurnLatency) => number | null, share: number): number => {
    const values = seen.map(pick).filter((value) => value !== null)
    return rounded(percentile(values, share) ?? -1, 1)
  }
  return {
    pathP50Ms: of((latency) => latency.ownMs, 0.5),
    pathP99Ms: of((latency) => latency.ownMs, 0.99),
    endpointingP50Ms: of((latency) => latency.endpointingMs, 0.5),
    sttP50Ms: of((latency) => latency.sttMs, 0.5),
    llmFirstTokenP50Ms: of((latency) => latency.llmFirstTokenMs, 0.5),
    firstSentenceP50Ms: of((latency) => latency.firstSentenceMs, 0.5),
    ttsFirstAudioP50Ms: of((latency) => latency.ttsFirstAudioMs, 0.5),
  }
}
