/**
 * `npm run bench -- <name> […]`: starts a server of its own, measures, prints, writes `bench/results/<name>.json` and a
 * line of `bench/results/history.jsonl`. What each figure means and how it is measured: bench/README.md.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { CallKind } from './rig/live-load.ts'
import { takeOwnCore } from './rig/own-core.ts'
import { rounded, table, writeResult, type BenchFigures } from './rig/report.ts'
import { RigUnreliable } from './rig/self-check.ts'
import { ServerProcess } from './rig/server-process.ts'

const USAGE = `npm run bench -- media     [--calls 300] [--seconds 20] [--floor] [--stages]
npm run bench -- turns     [--calls 20] [--cases 200] [--shares first] [--part tuning] [--parallel 4] [--scenario bench/scenarios/turns.yaml]
npm run bench -- capacity  [--calls N] [--seconds 40] [--minutes 8] [--most 800] [--carrier telnyx]     without --calls: searches
npm run bench -- http      [--calls 500] [--seconds 8] [--kind media|whole]    kind of the live calls; media: echoed, no providers
npm run bench -- soak      [--calls 40] [--minutes 10] or [--seconds 300]
npm run bench -- overload  [--calls 200] [--seconds 20]                --calls: what fits
npm run bench -- providers [--calls 50] [--conversations 2000] [--chaos]   --chaos: only the failing providers
npm run bench -- dsp
npm run bench -- vad                                                   has flags of its own
npm run bench -- report                                                bench/results/report.html
All take [--seed 1] [--name RESULT]. --floor measures the rig against a server that does nothing.
--diagnose shows what was seen even when the rig was the bottleneck; it is no result and is not written.`

const AUTH_TOKEN = 'rig-auth-token-0123456789abcdef'

const OPTIONS = {
  calls: { type: 'string' },
  seconds: { type: 'string' },
  minutes: { type: 'string' },
  most: { type: 'string' },
  carrier: { type: 'string' },
  cases: { type: 'string' },
  shares: { type: 'string' },
  part: { type: 'string' },
  conversations: { type: 'string' },
  kind: { type: 'string' },
  parallel: { type: 'string' },
  scenario: { type: 'string' },
  seed: { type: 'string' },
  name: { type: 'string' },
  chaos: { type: 'boolean' },
  floor: { type: 'boolean' },
  stages: { type: 'boolean' },
  diagnose: { type: 'boolean' },
  help: { type: 'boolean' },
} as const

function parse() {
  // Benches in files of their own read their own flags.
  return parseArgs({ allowPositionals: true, strict: false, options: OPTIONS })
}
type Flags = Record<keyof typeof OPTIONS, string | boolean | undefined>

/** Benches that this file starts; vad is a program of its own. */
const BENCHES: Record<string, (flags: Flags) => Promise<BenchFigures>> = {
  providers: async (flags) => {
    const { runProviders, runProvidersChaos } = await import('./providers.ts')
    const calls = count(flags, 'calls', 50)
    const conversations = count(flags, 'conversations', 2_000)
    const run = flags.chaos === true ? runProvidersChaos : runProviders
    return run({ calls, conversations, ...shared(flags) })
  },
  dsp: async () => {
    const { runDsp } = await import('./dsp.ts')
    const { measured, text } = await runDsp((line) => console.error(line))
    console.log(`${text}\n`)
    return measured
  },
  media: runMediaBench,
  turns: runTurnsBench,
  capacity: async (flags) => {
    const { runCapacity } = await import('./capacity.ts')
    return runCapacity({
      calls: flags.calls === undefined ? null : count(flags, 'calls', 1),
      seconds: count(flags, 'seconds', 40),
      minutes: count(flags, 'minutes', 8),
      most: count(flags, 'most', 800),
      diagnose: flags.diagnose === true,
      carrier: flags.carrier === 'telnyx' ? 'telnyx' : 'twilio',
      ...shared(flags),
    })
  },
  http: async (flags) => {
    const { runHttp } = await import('./http.ts')
    const sizes = { calls: count(flags, 'calls', 500), seconds: count(flags, 'seconds', 8) }
    return runHttp({ ...sizes, callKind: callKind(flags), ...shared(flags) })
  },
  soak: async (flags) => {
    const { runSoak } = await import('./soak.ts')
    const seconds = count(flags, 'seconds', 60 * count(flags, 'minutes', 10))
    const sizes = { calls: count(flags, 'calls', 40), seconds }
    return runSoak({ ...sizes, diagnose: flags.diagnose === true, ...shared(flags) })
  },
  overload: async (flags) => {
    const { runOverload } = await import('./overload.ts')
    const sizes = { calls: count(flags, 'calls', 200), seconds: count(flags, 'seconds', 20) }
    return runOverload({ ...sizes, ...shared(flags) })
  },
}

async function main(): Promise<number> {
  const { values, positionals } = parse()
  const flags = values as Flags
  const name = positionals[0] ?? ''
  if (name === 'report') {
    const { writeReport } = await import('./report.ts')
    console.log(`written to ${await writeReport()}`)
    return 0
  }
  const bench = BENCHES[name]
  if (bench === undefined && isProgram(name)) return runProgram(name)
  if (bench === undefined || flags.help === true) {
    console.error(USAGE)
    return flags.help === true ? 0 : 1
  }
  try {
    const measured = await bench(flags)
    console.log(table(measured.figures))
    const resultName = typeof flags.name === 'string' ? flags.name : measured.bench
    console.log(`written to ${await writeResult(measured, resultName)}`)
    return 0
  } catch (error) {
    if (!(error instanceof RigUnreliable)) throw error
    console.error(`No result. ${error.message}`)
    if (flags.diagnose) console.error(`Seen, not to be quoted:\n${table(error.seen.figures)}`)
    return 2
  }
}

async function runMediaBench(flags: Flags): Promise<BenchFigures> {
  const { runMedia } = await import('./media.ts')
  const { echoEnv } = await import('./rig/echo-load.ts')
  const { profileFlags, stagesOf } = await import('./rig/stages.ts')
  const { hostStalls } = await import('./rig/host-stalls.ts')
  const calls = count(flags, 'calls', 300)
  const floor = flags.floor === true
  const stalls = await hostStalls()
  const profile = flags.stages === true ? await profileFlags() : null
  const server = await ServerProcess.start({
    program: floor ? 'floor' : 'main',
    nodeFlags: profile?.flags ?? [],
    env: echoEnv(calls, AUTH_TOKEN),
  })
  const rigCore = takeOwnCore(server.pid)
  const window = { fromUs: 0, toUs: 0 }
  let outcome: BenchFigures | RigUnreliable
  try {
    outcome = await runMedia({
      ...{ calls, seconds: count(flags, 'seconds', 20), server, authToken: AUTH_TOKEN, window },
      ...shared(flags),
    }).catch((error: unknown) => {
      if (error instanceof RigUnreliable) return error
      throw error
    })
  } finally {
    await server.stop()
  }
  const measured = outcome instanceof RigUnreliable ? outcome.seen : outcome
  if (stalls) {
    measured.figures['hostStallMaxMs'] = rounded(stalls.longestMs, 1)
    measured.figures['hostStallPct'] = rounded(stalls.lostPct, 2)
  }
  // The profiles are there once the server has ended.
  if (profile)
    Object.assign(measured.figures, await stagesOf(profile.dir, window, measured.figures))
  if (outcome instanceof RigUnreliable) throw outcome
  return {
    ...measured,
    bench: floor ? 'media-floor' : measured.bench,
    settings: { ...measured.settings, rigCore, profiled: profile !== null },
  }
}

async function runTurnsBench(flags: Flags): Promise<BenchFigures> {
  const { runTurns } = await import('./turns.ts')
  const calls = count(flags, 'calls', 20)
  const server = await ServerProcess.start({
    env: {
      MAX_CALLS: String(Math.max(calls, 10)),
      TWILIO_AUTH_TOKEN: AUTH_TOKEN,
      LOG_LEVEL: 'warn',
    },
  })
  try {
    const measured = await runTurns({
      ...{ calls, server, authToken: AUTH_TOKEN, parallel: count(flags, 'parallel', 4) },
      cases: flags.cases === '0' ? 0 : count(flags, 'cases', 200),
      shares: flags.shares === 'first' ? 'first' : 'now',
      part: flags.part === 'tuning' ? 'tuning' : 'heldOut',
      scenario: typeof flags.scenario === 'string' ? flags.scenario : 'bench/scenarios/turns.yaml',
      ...shared(flags),
    })
    return { ...measured, settings: { ...measured.settings, rigCore: null } }
  } finally {
    await server.stop()
  }
}

function isProgram(name: string): boolean {
  return /^[a-z]+$/.test(name) && existsSync(programPath(name))
}

function programPath(name: string): string {
  return fileURLToPath(new URL(`./${name}.ts`, import.meta.url))
}

/** Runs bench/<name>.ts with the flags that follow, in this terminal. */
async function runProgram(name: string): Promise<number> {
  const { spawnSync } = await import('node:child_process')
  const rest = process.argv.slice(process.argv.indexOf(name) + 1)
  return spawnSync(process.execPath, [programPath(name), ...rest], { stdio: 'inherit' }).status ?? 1
}

function shared(flags: Flags): { seed: number; progress(text: string): void } {
  return { seed: count(flags, 'seed', 1), progress: (text) => console.error(text) }
}

/** 500 whole calls do not fit on two cores beside their rig; 500 echoed ones do. */
function callKind({ kind = 'media' }: Flags): CallKind {
  if (kind === 'media' || kind === 'whole') return kind
  throw new RangeError('--kind: media or whole')
}

function count(flags: Flags, name: keyof typeof OPTIONS, fallback: number): number {
  const text = flags[name]
  if (text === undefined) return fallback
  const value = Number(text)
  if (typeof text !== 'string' || !Number.isInteger(value) || value < 1) {
    throw new RangeError(`--${name}: a whole number from 1`)
  }
  return value
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
