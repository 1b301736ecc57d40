/**
 * `npm run call -- --carrier twilio --scenario bench/scenarios/saludo.yaml [--server URL] [--key KEY] …`
 * Makes one call with real speech, prints the conversation with its timings and writes what both
 * sides recorded. Without --server it starts one of its own. With a key it also shows what the
 * server stored about the call.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { LINE_RATE_HZ } from './rig/play-out.ts'
import { Pacer } from './rig/pacer.ts'
import {
  checkExpectations,
  playScenario,
  type Said,
  type ScenarioResult,
} from './rig/scenario-run.ts'
import { readScenario, type Scenario } from './rig/scenario.ts'
import { ServerApi, type ApiCallPage } from './rig/server-api.ts'
import { ServerProcess } from './rig/server-process.ts'
import { openVoice } from './rig/speech.ts'
import { TelnyxCall } from './rig/telnyx-caller.ts'
import { TelnyxCarrier } from './rig/telnyx-carrier.ts'
import { CallRefused, TwilioCall } from './rig/twilio-caller.ts'
import { transcribe } from './rig/transcribe.ts'
import { encodeWav } from './rig/wav.ts'

const USAGE = `npm run call -- --carrier twilio|telnyx --scenario FILE
  --server URL      a running server; without it one is started for the call
  --key KEY         its admin key: prints the stored transcript and saves the server's recording
  --public-url URL  what Twilio would call the server, when it differs from --server
  --auth-token T    signs the webhook (TWILIO_AUTH_TOKEN of the server)
  --telnyx-port N   where the simulated Telnyx takes a running server's commands (default: 8788)
  --out DIR         where recordings go (default: recordings)`

/** The simulated account's key pair is made of this, so that a server's .env stays right. */
const TELNYX_KEY_SEED = 'andrea rig'
const OWN_TOKEN = 'rig-auth-token-0123456789abcdef'

interface Target {
  url: string
  key: string | null
  publicUrl: string
  authToken: string | null
  /** Set: the call comes through Telnyx. */
  telnyx: TelnyxCarrier | null
  stop(): Promise<unknown>
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      carrier: { type: 'string', default: 'twilio' },
      scenario: { type: 'string', default: 'bench/scenarios/saludo.yaml' },
      server: { type: 'string' },
      key: { type: 'string' },
      'public-url': { type: 'string' },
      'auth-token': { type: 'string' },
      'telnyx-port': { type: 'string', default: '8788' },
      out: { type: 'string', default: 'recordings' },
      help: { type: 'boolean' },
    },
  })
  const isTelnyx = values.carrier === 'telnyx'
  if (values.help || !(isTelnyx || values.carrier === 'twilio')) {
    console.error(values.help ? USAGE : `--carrier ${values.carrier} is not simulated.\n${USAGE}`)
    return values.help ? 0 : 1
  }
  const scenario = await readScenario(values.scenario)
  const port = values.server === undefined ? 0 : Number(values['telnyx-port'])
  const telnyx = isTelnyx ? await TelnyxCarrier.open({ port, keySeed: TELNYX_KEY_SEED }) : null
  const target =
    values.server === undefined
      ? await ownServer(scenario, telnyx)
      : {
          url: values.server,
          key: values.key ?? null,
          publicUrl: values['public-url'] ?? values.server,
          authToken: values['auth-token'] ?? null,
          telnyx,
          stop: async () => undefined,
        }
  try {
    return await call(scenario, target, values.out)
  } catch (error) {
    // Whoever asked nothing of the simulated Telnyx belongs to another one, or does not believe its webhooks.
    if (telnyx && error instanceof CallRefused && telnyx.rest.seen.length === 0)
      sayWhatToSet(telnyx)
    throw error
  } finally {
    await target.stop()
    await telnyx?.close()
  }
}

function sayWhatToSet(telnyx: TelnyxCarrier): void {
  console.error('The server does not belong to the simulated Telnyx. Start it with:')
  for (const [name, value] of Object.entries(telnyx.env)) console.error(`  ${name}=${value}`)
}

async function ownServer(scenario: Scenario, telnyx: TelnyxCarrier | null): Promise<Target> {
  const server = await ServerProcess.start({
    env: { TWILIO_AUTH_TOKEN: OWN_TOKEN, LOG_LEVEL: 'warn', ...telnyx?.env },
  })
  await new ServerApi(server.url, server.adminKey).configureAgent(scenario.agent)
  return {
    url: server.url,
    key: server.adminKey,
    publicUrl: server.url,
    authToken: OWN_TOKEN,
    telnyx,
    stop: () => server.stop(),
  }
}

async function call(scenario: Scenario, target: Target, out: string): Promise<number> {
  const voice = await openVoice()
  let result: ScenarioResult
  try {
    const pacer = new Pacer()
    const onSaid = (said: Said) => console.log(`${seconds(said.startMs)}  user   ${said.text}`)
    const { url: server, publicUrl, authToken, telnyx: carrier } = target
    const { from, to, trouble } = scenario
    const shared = { pacer, server, record: true, from, to }
    result = await playScenario({ scenario, voice, onSaid }, () =>
      carrier
        ? TelnyxCall.place({ ...shared, carrier, signed: true, ...(trouble ? { trouble } : {}) })
        : TwilioCall.place({ ...shared, publicUrl, authToken }),
    )
  } finally {
    await voice.close()
  }
  const api = target.key === null ? null : new ServerApi(target.url, target.key)
  const page = api === null ? null : await api.finished(result.callSid)
  if (page !== null) printTurns(page)
  await printHeard(result, scenario.language)
  printTimings(result)
  await mkdir(out, { recursive: true })
  const base = join(out, `${scenario.name}-${result.callSid.slice(-8)}`)
  const channels = [result.user, result.agent]
  await writeFile(`${base}-rig.wav`, encodeWav({ sampleRateHz: LINE_RATE_HZ, channels }))
  console.log(`heard by the user: ${base}-rig.wav (left user, right agent)`)
  if (api !== null && page?.recording) {
    await writeFile(`${base}-server.wav`, await api.bytes(page.recording.url))
    console.log(`recorded by the server: ${base}-server.wav`)
  }
  const wrong = checkExpectations(scenario, result)
  for (const sentence of wrong) console.error(`not as expected: ${sentence}`)
  return wrong.length === 0 ? 0 : 1
}

function printTurns(page: ApiCallPage): void {
  console.log(`\nAs stored (call ${page.call.id}, ended: ${page.call.endReason}):`)
  for (const turn of page.turns) {
    const cut = turn.truncated ? `  [heard: ${turn.textHeard || 'nothing'}]` : ''
    console.log(`${seconds(turn.startMs)}  ${turn.role.padEnd(5)}  ${turn.textSpoken}${cut}`)
    const latency = turn.latency
    if (latency === null) continue
    const parts = Object.entries(latency).map(([name, ms]) => `${name} ${ms ?? '–'}`)
    console.log(`${' '.repeat(16)}${parts.join(', ')}`)
  }
}

/**
 * The agent's sound as it reached the user, put into words again by a recogniser of the rig's own.
 */
async function printHeard(result: ScenarioResult, language: string): Promise<void> {
  console.log('\nHeard of the agent, transcribed by the rig:')
  try {
    for (const reply of await transcribe(result.agent, result.agentTalkspurts, language)) {
      console.log(`${seconds(reply.startMs)}  ${reply.text}`)
    }
  } catch (error) {
    console.log(`  not possible: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function printTimings(result: ScenarioResult): void {
  const ms = (value: number | null): string =>
    value === null ? 'never' : `${Math.round(value)} ms`
  console.log('\nAt the user’s ear:')
  console.log(`  greeting after    ${ms(result.greetingMs)}`)
  console.log(`  replies after     ${result.responsesMs.map(ms).join(', ')}`)
  console.log(
    `  silent after      ${result.interruptions.map(({ stopMs }) => ms(stopMs)).join(', ')}`,
  )
  console.log(`  ended by          ${result.end.by} at ${seconds(result.end.atMs)}`)
  console.log(`  underruns         ${result.underruns}`)
  console.log(`  quick returns     ${result.quickReturns}`)
  const warnings = Object.entries(result.warnings)
  if (warnings.length > 0) console.log(`  carrier warnings  ${JSON.stringify(result.warnings)}`)
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2).padStart(7)} s`
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
