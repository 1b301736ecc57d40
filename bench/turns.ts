/**
 * Bench `turns`: N scripted calls with real speech against the embedded providers, a few at a time, then the labelled sets
 * (turn-sets.ts), which need no clock.
 * Our own share of each turn comes from the server's account of it (no provider time in it);
 * barge-in, greeting and response are measured at the user's ear.
 */
import type { Shares } from './labelled/hesitant-texts.ts'
import type { SetPart } from './labelled/set-texts.ts'
import { percentile } from './rig/histogram.ts'
import { inGroups } from './rig/in-groups.ts'
import { Pacer } from './rig/pacer.ts'
import { rounded, type BenchFigures } from './rig/report.ts'
import { checkExpectations, runScenario, type ScenarioResult } from './rig/scenario-run.ts'
import { readScenario } from './rig/scenario.ts'
import { ServerApi, type ApiTurn } from './rig/server-api.ts'
import type { ServerProcess } from './rig/server-process.ts'
import { openVoice } from './rig/speech.ts'
import { runSets, type SetFigures } from './turn-sets.ts'

export interface TurnsOptions {
  calls: number
  /** Of each labelled set; 0 leaves them out. */
  cases: number
  shares: Shares
  part: SetPart
  /** Calls at the same time. */
  parallel: number
  seed: number
  /** Path of the scenario. */
  scenario: string
  server: ServerProcess
  authToken: string | null
  progress(text: string): void
}

/** @throws Error when a call is refused or is not stored. */
export async function runTurns(options: TurnsOptions): Promise<BenchFigures> {
  const scenario = await readScenario(options.scenario)
  const voice = await openVoice(options.progress)
  const api = new ServerApi(options.server.url, options.server.adminKey)
  await api.configureAgent(scenario.agent)
  const pacer = new Pacer()
  const results: ScenarioResult[] = []
  const turns: ApiTurn[] = []
  let failures = 0
  let sets: SetFigures = { figures: {}, settings: {} }
  try {
    await inGroups(options.calls, options.parallel, async (index) => {
      const { url } = options.server
      const result = await runScenario({
        ...{ scenario, voice, pacer, server: url, publicUrl: url, authToken: options.authToken },
      })
      const wrong = checkExpectations(scenario, result)
      failures += wrong.length > 0 ? 1 : 0
      results.push(result)
      turns.push(...(await api.finished(result.callSid)).turns)
      options.progress(
        `call ${index + 1}: ${wrong.length === 0 ? 'as expected' : wrong.join('; ')}`,
      )
    })
    const { cases, shares, part, seed, progress } = options
    if (cases > 0) sets = await runSets({ cases, shares, part, seed, voice, progress })
  } finally {
    await voice.close()
  }
  return {
    bench: 'turns',
    seed: options.seed,
    settings: {
      ...{ parallel: options.parallel, scenario: scenario.name, voice: voice.kind },
      ...sets.settings,
    },
    figures: {
      calls: results.length,
      callsNotAsExpected: failures,
      ...turnFigures(turns),
      ...earFigures(results),
      ...sets.figures,
      rigLateP99Ms: pacer.lateness.percentileMs(0.99),
      rigLateMaxMs: rounded(pacer.lateness.maxMs, 1),
    },
  }
}

/** What the server says about its turns. */
function turnFigures(turns: readonly ApiTurn[]): Record<string, number> {
  const latencies = turns.flatMap((turn) => (turn.latency === null ? [] : [turn.latency]))
  const own = latencies.map((latency) => latency.ownMs)
  const response = latencies.map((latency) => latency.responseMs)
  return {
    turns: latencies.length,
    ownShareP50Ms: figure(own, 0.5),
    ownShareP99Ms: figure(own, 0.99),
    endpointingP50Ms: figure(
      latencies.map((latency) => latency.endpointingMs),
      0.5,
    ),
    responseP50Ms: figure(response, 0.5),
    responseP95Ms: figure(response, 0.95),
    truncatedTurns: turns.filter((turn) => turn.truncated).length,
  }
}

/** What the user heard. */
function earFigures(results: readonly ScenarioResult[]): Record<string, number> {
  const interruptions = results.flatMap((result) => result.interruptions)
  const stops = interruptions.flatMap(({ stopMs }) => (stopMs === null ? [] : [stopMs]))
  const heard = results.flatMap((result) => result.responsesMs)
  const greetings = results.flatMap(({ greetingMs }) => (greetingMs === null ? [] : [greetingMs]))
  return {
    heardResponseP50Ms: figure(heard, 0.5),
    heardResponseP95Ms: figure(heard, 0.95),
    bargeIns: stops.length,
    bargeInsMissed: interruptions.length - stops.length,
    bargeInP50Ms: figure(stops, 0.5),
    bargeInP95Ms: figure(stops, 0.95),
    greetingP50Ms: figure(greetings, 0.5),
    greetingMaxMs: figure(greetings, 1),
    underruns: results.reduce((sum, result) => sum + result.underruns, 0),
    quickReturns: results.reduce((sum, result) => sum + result.quickReturns, 0),
    twilioWarnings: results.reduce(
      (sum, result) => sum + Object.values(result.warnings).reduce((all, n) => all + n, 0),
      0,
    ),
  }
}

/** −1 stands for "nothing to measure": figures are numbers, and 0 would look like a triumph. */
function figure(values: readonly number[], share: number): number {
  const value = percentile(values, share)
  return value === null ? -1 : rounded(value, 1)
}
