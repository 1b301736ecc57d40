/**
 * Lab: what every bench of whole calls needs around it: emulated providers, a server, the rig's checks.
 *
 *   providers (own process, last core) ◄── server (its main thread on the others) ◄── rig (last core)
 */
import { EchoProbe } from './echo-probe.ts'
import { Histogram } from './histogram.ts'
import { inGroups } from './in-groups.ts'
import { takeOwnCore } from './own-core.ts'
import { Pacer } from './pacer.ts'
import { startProviderProcess, type ProviderProcess } from './provider-process.ts'
import { ServerApi } from './server-api.ts'
import { ServerProcess } from './server-process.ts'
import {
  CLOCK_LATE_P99_LIMIT_MS,
  FLOOR_LATE_P99_LIMIT_MS,
  mockDoubt,
  RigUnreliable,
  settledClockMs,
  type MockLatency,
} from './self-check.ts'
import { TelnyxCarrier } from './telnyx-carrier.ts'
import { ToneCode } from './tone-code.ts'
import { TwilioCall } from './twilio-caller.ts'

export const AUTH_TOKEN = 'rig-auth-token-0123456789abcdef'
/** What the emulated providers are told: the published method's figures. */
export const MOCKS = { partialMs: 250, finalMs: 1_000, firstTokenMs: 400, firstAudioMs: 150 }
/**
 * What the recogniser hears in every utterance: a whole sentence at its end, an open one (para, mi, de) where the script
 * hesitates. Random words would measure how long the server waits for the end of nonsense.
 */
const SAID = 'Quiero saber cuánto cuesta la asesoría para mi negocio de ropa.'
/** Longer than every hesitation of the script, as in the published method. */
const SILENCE_TIMEOUT_MS = 1_000
const FLOOR_CALLS = 20
const FLOOR_SEC = 2

export interface Lab {
  server: ServerProcess
  api: ServerApi
  providers: ProviderProcess
  pacer: Pacer
  rigCore: number | null
  /** Where the calls come through Telnyx. */
  telnyx: TelnyxCarrier | null
  stop(): Promise<void>
}

export interface LabOptions {
  maxCalls: number
  seed: number
  /** Load control of the server: off to find the machine's own limit. */
  loadControl: boolean
  settings?: Parameters<ServerApi['configureAgent']>[0]
  env?: Record<string, string>
  /** Flags of the server's node, e.g. `--cpu-prof`. */
  nodeFlags?: string[]
  /** Through whom the calls come; default: twilio. */
  carrier?: 'twilio' | 'telnyx'
  progress(text: string): void
}

/** Emulated providers, a server that uses them, an agent that waits out the hesitations. */
export async function openLab(options: LabOptions): Promise<Lab> {
  const providers = await startProviderProcess([
    ...['--seed', String(options.seed), '--partial-ms', String(MOCKS.partialMs)],
    ...['--final-ms', String(MOCKS.finalMs), '--first-token-ms', String(MOCKS.firstTokenMs)],
    ...['--first-audio-ms', String(MOCKS.firstAudioMs), '--said', SAID],
  ])
  const telnyx = options.carrier === 'telnyx' ? await TelnyxCarrier.open() : null
  try {
    const server = await ServerProcess.start({
      nodeFlags: options.nodeFlags ?? [],
      env: {
        MAX_CALLS: String(Math.min(2_000, Math.max(10, options.maxCalls))),
        TWILIO_AUTH_TOKEN: AUTH_TOKEN,
        LOG_LEVEL: 'warn',
        LOAD_CONTROL: options.loadControl ? '1' : '0',
        API_REQUESTS_PER_MINUTE: '1000000',
        WEBHOOKS_PER_MINUTE: '1000000',
        AZURE_SPEECH_KEY: 'emulated-key',
        AZURE_SPEECH_REGION: 'eastus',
        AZURE_SPEECH_HOST: providers.azure,
        GROQ_API_KEY: 'emulated-key',
        GROQ_BASE_URL: providers.groq,
        ...telnyx?.env,
        ...options.env,
      },
    })
    const rigCore = takeOwnCore(server.pid, [providers.pid])
    const api = new ServerApi(server.url, server.adminKey)
    await api.configureAgent({ silenceTimeoutMs: SILENCE_TIMEOUT_MS, ...options.settings })
    const pacer = new Pacer()
    const stop = async (): Promise<void> => {
      await server.stop()
      await Promise.all([providers.stop(), telnyx?.close()])
    }
    return { server, api, providers, pacer, rigCore, telnyx, stop }
  } catch (error) {
    await Promise.all([providers.stop(), telnyx?.close()])
    throw error
  }
}

/**
 * Clock, echo floor and mocks, before anything is measured. Returns what was seen. `goOn` only says what is wrong: for
 * --diagnose. @throws RigUnreliable
 */
export async function checkRig(
  lab: Lab,
  bench: string,
  goOn?: (doubt: string) => void,
): Promise<Record<string, number>> {
  const clockMs = await settledClockMs()
  let floorMs = await floorLateP99Ms()
  if (floorMs > FLOOR_LATE_P99_LIMIT_MS) floorMs = Math.min(floorMs, await floorLateP99Ms())
  const mocks = await mockLatencies(lab.providers)
  const figures = {
    clockLateP99Ms: clockMs,
    floorLateP99Ms: floorMs,
    ...mockFigures(mocks, 'Before'),
  }
  const seen = { bench, seed: 0, settings: {}, figures }
  const doubt =
    tooLate('clock', clockMs, CLOCK_LATE_P99_LIMIT_MS) ??
    tooLate('echo floor', floorMs, FLOOR_LATE_P99_LIMIT_MS) ??
    mockDoubt(mocks)
  if (doubt !== null && goOn === undefined) throw new RigUnreliable(doubt, seen)
  if (doubt !== null) goOn?.(doubt)
  return figures
}

function tooLate(what: string, ms: number, limitMs: number): string | null {
  return ms <= limitMs ? null : `The rig's ${what} was ${ms} ms late at p99 (limit ${limitMs} ms)`
}

export function mockFigures(mocks: readonly MockLatency[], when: string): Record<string, number> {
  return Object.fromEntries(
    mocks.map(({ name, seenP50Ms }) => [`mock${name}${when}P50Ms`, seenP50Ms]),
  )
}

/** How late the emulated model and its host answer now: asked directly, past the server. */
export async function mockLatencies(
  providers: ProviderProcess,
  samples = 9,
): Promise<MockLatency[]> {
  const firstToken = new Histogram()
  await inGroups(samples, 3, async () => {
    const beganMs = performance.now()
    const answer = await fetch(`${providers.groq}/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'llama-3.3-70b-versatile',
        stream: true,
        messages: [{ role: 'user', content: 'hola' }],
      }),
    })
    const reader = answer.body?.getReader()
    await reader?.read()
    firstToken.add(performance.now() - beganMs)
    await reader?.cancel()
  })
  return [
    {
      name: 'FirstToken',
      toldMs: MOCKS.firstTokenMs,
      seenP50Ms: firstToken.percentileMs(0.5),
      seenP99Ms: firstToken.percentileMs(0.99),
    },
  ]
}

/** Echo by a server that does nothing, 20 calls for 2 s: p99 of what exceeds each call's least delay. */
async function floorLateP99Ms(): Promise<number> {
  const server = await ServerProcess.start({ program: 'floor' })
  const pacer = new Pacer()
  const code = new ToneCode(1)
  const probes: EchoProbe[] = []
  const calls: TwilioCall[] = []
  try {
    await inGroups(FLOOR_CALLS, 4, async (index) => {
      const probe = new EchoProbe(code, { callIndex: index, codeFrames: FLOOR_SEC * 50 })
      probes[index] = probe
      calls[index] = await TwilioCall.place({
        ...{ server: server.url, publicUrl: server.url, authToken: null, pacer, record: false },
        ...{ from: '+525510000000', to: '+525587654321' },
        probe,
      })
    })
    await sleep((FLOOR_SEC + 2) * 1_000)
    const late = new Histogram()
    for (const probe of probes) {
      const { delaysMs } = probe.finish()
      const least = Math.min(...delaysMs)
      for (const delayMs of delaysMs) late.add(delayMs - least)
    }
    return late.percentileMs(0.99)
  } finally {
    await Promise.all(calls.map((call) => call.hangup()))
    await server.stop()
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
