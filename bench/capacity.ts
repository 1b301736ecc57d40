/**
 * Bench `capacity`: how many whole calls one server process carries. Simulated Twilio calls with scripted users, emulated
 * providers on the wire; N grows until a criterion is missed (rig/criteria.ts), or stays with --calls.
 *
 *   self-check ─► baseline of 5 calls ─► step N ─► verdict ─► next N …  ─► figures of the highest N that passed
 */
import { totalmem } from 'node:os'
import { CallLoad, type LoadTally } from './rig/call-load.ts'
import { spokenScript, type SpokenLine } from './rig/canned-speech.ts'
import { gaveOutFirst, missed, nextCalls, type StepSeen, type Tried } from './rig/criteria.ts'
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
  mockDoubt,
  rigDoubt,
  RigUnreliable,
  snapshot,
  type Load,
} from './rig/self-check.ts'
import type { ApiTurn } from './rig/server-api.ts'
import { ServerWatch, type Watched } from './rig/server-watch.ts'

const BASELINE_CALLS = 5
const START_CALLS = 50
/** Calls dialled per second while a step fills up. */
const DIAL_PER_SEC = 10
/** Finished calls whose turns are read from the server. */
const PAGES_MAX = 100

export interface CapacityOptions {
  /** One step of so many calls; null searches. */
  calls: number | null
  seconds: number
  /** The search goes no further. */
  most: number
  seed: number
  /** Measures on where the rig is in doubt; the doubt is thrown at the end all the same. */
  diagnose: boolean
  progress(text: string): void
}

type TurnLatency = NonNullable<ApiTurn['latency']>

interface Step {
  calls: number
  tally: LoadTally
  load: Load
  watched: Watched
  mbPerCall: number
  seen: StepSeen
  turnP95Ms: number
  wrong: string[]
  gaveOut: string
}

/** @throws RigUnreliable when the rig, its clock or its mocks were the bottleneck. */
export async function runCapacity(options: CapacityOptions): Promise<BenchFigures> {
  const { progress, seed, most } = options
  const lines = await spokenScript(undefined, progress)
  const maxCalls = Math.ceil((options.calls ?? most) * 1.2) + 20
  const lab = await openLab({ maxCalls, seed, loadControl: false, progress })
  try {
    let early: string | null = null
    const goOn = options.diagnose ? (doubt: string) => void (early = doubt) : undefined
    const checked = await checkRig(lab, 'capacity', goOn)
    progress(`rig checked: ${JSON.stringify(checked)}`)
    const run = new Runner(lab, lines, options)
    await run.baseline()
    const best =
      options.calls === null ? await run.search(START_CALLS) : await run.step(options.calls)
    const paths = await pathMs(lab, best.tally.sids.slice(-PAGES_MAX))
    const mocks = await mockLatencies(lab.providers)
    const result: BenchFigures = {
      bench: 'capacity',
      seed,
      settings: {
        seconds: options.seconds,
        rigCore: lab.rigCore,
        passed: best.wrong.length === 0,
        gaveOutFirst: run.gaveOut ?? best.gaveOut,
        steps: run.tried.map(({ calls, passed }) => `${calls}${passed ? '+' : '-'}`).join(' '),
      },
      figures: { ...figuresOf(best, lab), ...paths, ...checked, ...mockFigures(mocks, 'After') },
    }
    const doubt = early ?? rigDoubt(best.load, lab.pacer.lateness) ?? mockDoubt(mocks)
    if (doubt !== null) throw new RigUnreliable(doubt, result)
    for (const wrong of best.wrong) progress(`missed: ${wrong}`)
    return result
  } finally {
    await lab.stop()
  }
}

class Runner {
  readonly tried: Tried[] = []
  /** What was nearest its end in the first step that failed. */
  gaveOut: string | null = null
  readonly #lab: Lab
  readonly #lines: readonly SpokenLine[]
  readonly #options: CapacityOptions
  #baselineP95Ms = 0

  constructor(lab: Lab, lines: readonly SpokenLine[], options: CapacityOptions) {
    this.#lab = lab
    this.#lines = lines
    this.#options = options
  }

  /** p95 turn latency of this server with 5 calls: what the others are measured against. */
  async baseline(): Promise<void> {
    const { turnP95Ms } = await this.#run(BASELINE_CALLS)
    this.#baselineP95Ms = turnP95Ms
    this.#options.progress(
      `baseline: p95 turn latency ${turnP95Ms} ms with ${BASELINE_CALLS} calls`,
    )
  }

  async step(calls: number): Promise<Step> {
    const step = await this.#run(calls)
    this.tried.push({ calls, passed: step.wrong.length === 0 })
    if (step.wrong.length > 0) this.gaveOut ??= step.gaveOut
    const verdict = step.wrong.length === 0 ? 'passed' : step.wrong.join('; ')
    this.#options.progress(
      `${calls} calls: ${verdict} (${JSON.stringify(figuresOf(step, this.#lab))})`,
    )
    return step
  }

  /** @returns the highest step that passed, or the first one when none did. */
  async search(start: number): Promise<Step> {
    let best: Step | null = null
    let first: Step | null = null
    for (;;) {
      const calls = nextCalls(this.tried, start, this.#options.most)
      if (calls === null) break
      const step = await this.step(calls)
      first ??= step
      if (step.wrong.length === 0 && step.calls > (best?.calls ?? 0)) best = step
      if (calls <= 1) break
    }
    const result = best ?? first
    if (result === null) throw new RangeError('--most: at least one call')
    return result
  }

  async #run(calls: number): Promise<Step> {
    const { server, api, pacer } = this.#lab
    const load = new CallLoad({
      ...{ server, authToken: AUTH_TOKEN, pacer, lines: this.#lines, seed: this.#options.seed },
    })
    const rssBeforeMb = server.rssMb()
    const watch = new ServerWatch(server, api)
    const fillMs = Math.max(2_000, (calls / DIAL_PER_SEC) * 1_000)
    const running = load.run(calls, fillMs)
    await sleep(fillMs + 3_000)
    load.startCounting()
    pacer.lateness.reset()
    const before = snapshot(server)
    watch.start()
    await sleep(this.#options.seconds * 1_000)
    watch.stop()
    const measured = loadBetween(before, snapshot(server))
    const live = Math.max(1, load.live)
    load.end()
    await running
    return this.#judge(
      { calls, tally: load.tally, load: measured, watched: watch.seen },
      {
        mbPerCall: (watch.seen.rssMaxMb - rssBeforeMb) / live,
      },
    )
  }

  #judge(
    run: Pick<Step, 'calls' | 'tally' | 'load' | 'watched'>,
    { mbPerCall }: { mbPerCall: number },
  ): Step {
    const { calls, tally, load, watched } = run
    const turnP95Ms = rounded(percentile(tally.latenciesMs, 0.95) ?? -1, 1)
    const begun = Math.max(1, calls + tally.begun)
    const seen = {
      calls,
      failedPct: rounded((100 * tally.failed) / begun, 2),
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
    return { ...run, mbPerCall, seen, turnP95Ms, wrong, gaveOut }
  }
}

function figuresOf(step: Step, lab: Lab): Record<string, number> {
  const { tally, load, watched, seen } = step
  return {
    calls: step.calls,
    failedPct: seen.failedPct,
    turnP95Ratio: seen.turnP95Ratio,
    coresPerCall: rounded(load.serverCores / step.calls, 5),
    mbPerCall: rounded(step.mbPerCall, 3),
    latePct: seen.latePct,
    frameDelayP50Ms: tally.lateness.percentileMs(0.5),
    frameDelayP99Ms: tally.lateness.percentileMs(0.99),
    frameDelayMaxMs: rounded(tally.lateness.maxMs, 1),
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
    rigLateP99Ms: lab.pacer.lateness.percentileMs(0.99),
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
