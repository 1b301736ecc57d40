/**
 * Live load: a server, and the calls that are live on it while something else is measured.
 *
 *   whole   scripted users, emulated providers, eight turns a call, one call after the other
 *   media   duplex streams through the whole audio core, echoed; no recogniser, model or voice
 *
 * A whole call costs three times the processor of an echoed one, so two cores beside their rig bear 200-300 of them, or 500 echoed.
 */
import { CallLoad } from './call-load.ts'
import { spokenScript } from './canned-speech.ts'
import { delaysOf, echoEnv, EchoLoad } from './echo-load.ts'
import { AUTH_TOKEN, openLab, sleep } from './lab.ts'
import { takeOwnCore } from './own-core.ts'
import { Pacer } from './pacer.ts'
import { ServerProcess } from './server-process.ts'

const DIAL_PER_SEC = 20
/** Whole calls are live, and their first turns are over. */
const SETTLE_MS = 2_000

export type CallKind = 'whole' | 'media'

export interface LiveLoad {
  server: ServerProcess
  pacer: Pacer
  rigCore: number | null
  /** Resolves when `calls` are live; audio flows for `seconds` at least. */
  begin(calls: number, seconds: number): Promise<void>
  /** Calls that are live now. */
  readonly live: number
  /** Ends the calls. Resolves with how many failed, and the figures of this kind of calls. */
  end(): Promise<{ failed: number; figures: Record<string, number> }>
  stop(): Promise<void>
}

export interface LiveLoadOptions {
  kind: CallKind
  maxCalls: number
  seed: number
  progress(text: string): void
}

export function openLiveLoad(options: LiveLoadOptions): Promise<LiveLoad> {
  return options.kind === 'whole' ? openWhole(options) : openEchoed(options)
}

async function openWhole({ maxCalls, seed, progress }: LiveLoadOptions): Promise<LiveLoad> {
  const lines = await spokenScript(undefined, progress)
  const lab = await openLab({ maxCalls, seed, loadControl: false, progress })
  const { server, pacer, rigCore } = lab
  const load = new CallLoad({ server, authToken: AUTH_TOKEN, pacer, lines, seed })
  let running = Promise.resolve()
  return {
    ...{ server, pacer, rigCore },
    async begin(calls) {
      const fillMs = Math.max(2_000, (calls / DIAL_PER_SEC) * 1_000)
      running = load.run(calls, fillMs)
      await sleep(fillMs + SETTLE_MS)
    },
    get live() {
      return load.live
    },
    async end() {
      load.end()
      await running
      return { failed: load.tally.failed, figures: {} }
    },
    stop: () => lab.stop(),
  }
}

async function openEchoed({ maxCalls, seed }: LiveLoadOptions): Promise<LiveLoad> {
  const server = await ServerProcess.start({
    env: { ...echoEnv(maxCalls, AUTH_TOKEN), API_REQUESTS_PER_MINUTE: '1000000' },
  })
  const rigCore = takeOwnCore(server.pid)
  const pacer = new Pacer()
  let echoes: EchoLoad | null = null
  return {
    ...{ server, pacer, rigCore },
    async begin(calls, seconds) {
      const authToken = AUTH_TOKEN
      echoes = await EchoLoad.place({ calls, seconds, seed, server, authToken, pacer })
      await echoes.release()
    },
    get live() {
      return echoes?.live ?? 0
    },
    async end() {
      await echoes?.sent()
      await echoes?.returned()
      const calls = (await echoes?.hangup()) ?? []
      const { late } = delaysOf(calls)
      const figures = {
        lateP99Ms: late.percentileMs(0.99),
        lostFrames: calls.reduce((sum, { result }) => sum + result.lost, 0),
      }
      return { failed: calls.filter((call) => call.endedEarly).length, figures }
    },
    stop: async () => void (await server.stop()),
  }
}
