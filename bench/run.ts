/**
 * `npm run bench -- <media|turns|providers> [--calls N] …`: starts a server of its own, measures, prints, writes
 * `bench/results/<name>.json`. What each figure means and how it is measured: bench/README.md.
 */
import { parseArgs } from 'node:util'
import { RigUnreliable, runMedia } from './media.ts'
import { runProviders } from './providers.ts'
import { table, writeResult, type BenchFigures } from './rig/report.ts'
import { takeOwnCore } from './rig/own-core.ts'
import { ServerProcess } from './rig/server-process.ts'
import { runTurns } from './turns.ts'

const USAGE = `npm run bench -- media [--calls 300] [--seconds 20] [--floor]
npm run bench -- turns [--calls 20] [--parallel 4] [--scenario bench/scenarios/turns.yaml]
npm run bench -- providers [--calls 50] [--conversations 2000]
All take [--seed 1] [--name RESULT]. --floor measures the rig against a server that does nothing.
--diagnose shows what was seen even when the rig was the bottleneck; it is no result and is not written.`

const AUTH_TOKEN = 'rig-auth-token-0123456789abcdef'

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      calls: { type: 'string' },
      seconds: { type: 'string' },
      parallel: { type: 'string' },
      scenario: { type: 'string' },
      conversations: { type: 'string' },
      seed: { type: 'string' },
      name: { type: 'string' },
      floor: { type: 'boolean' },
      diagnose: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  const bench = positionals[0]
  if (bench === 'providers' && !values.help) {
    const measured = await runProviders({
      seed: wholeNumber(values.seed ?? '1', 'seed'),
      calls: wholeNumber(values.calls ?? '50', 'calls'),
      conversations: wholeNumber(values.conversations ?? '2000', 'conversations'),
      progress: note,
    })
    await print(measured, values.name ?? bench)
    return 0
  }
  if (values.help || (bench !== 'media' && bench !== 'turns')) {
    console.error(USAGE)
    return values.help ? 0 : 1
  }
  const seed = wholeNumber(values.seed ?? '1', 'seed')
  const calls = wholeNumber(values.calls ?? (bench === 'media' ? '300' : '20'), 'calls')
  const floor = values.floor === true
  const server = await ServerProcess.start({
    program: floor ? 'floor' : 'main',
    env: {
      MAX_CALLS: String(Math.max(calls, 10)),
      TWILIO_AUTH_TOKEN: AUTH_TOKEN,
      LOG_LEVEL: 'warn',
      ...(bench === 'media' ? { MEDIA_ECHO: '1' } : {}),
    },
  })
  const rigCore = bench === 'media' ? takeOwnCore() : null
  try {
    const shared = { calls, seed, server, authToken: AUTH_TOKEN, progress: note }
    const measured =
      bench === 'media'
        ? await runMedia({ ...shared, seconds: wholeNumber(values.seconds ?? '20', 'seconds') })
        : await runTurns({
            ...shared,
            parallel: wholeNumber(values.parallel ?? '4', 'parallel'),
            scenario: values.scenario ?? 'bench/scenarios/turns.yaml',
          })
    measured.settings = { ...measured.settings, rigCore }
    await print(measured, values.name ?? (floor ? 'media-floor' : bench))
    return 0
  } catch (error) {
    if (!(error instanceof RigUnreliable)) throw error
    console.error(`No result. ${error.message}`)
    if (values.diagnose) console.error(`Seen, not to be quoted:\n${table(error.seen.figures)}`)
    return 2
  } finally {
    await server.stop()
  }
}

async function print(measured: BenchFigures, name: string): Promise<void> {
  console.log(table(measured.figures))
  console.log(`written to ${await writeResult(measured, name)}`)
}

function note(text: string): void {
  console.error(text)
}

function wholeNumber(text: string, name: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new RangeError(`--${name}: a whole number from 1`)
  return value
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
