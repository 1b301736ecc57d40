/**
 * Echo load: N duplex Twilio streams that go through the server's whole audio core and come back (MEDIA_ECHO=1), no providers.
 *
 *   place N calls, silent ─► release() ─► warm-up │ code frames, each timed │ silence ─► hangup() ─► what came back, and how late
 *
 * Used by: media.ts (nothing else goes on), http.ts (webhooks are asked meanwhile).
 */
import { EchoProbe, type EchoResult } from './echo-probe.ts'
import { Histogram } from './histogram.ts'
import { inGroups } from './in-groups.ts'
import { FRAME_MS, type Pacer } from './pacer.ts'
import type { ServerProcess } from './server-process.ts'
import { ToneCode } from './tone-code.ts'
import { TwilioCall } from './twilio-caller.ts'

/** Calls dialled at the same time: as fast as telephone calls ever arrive, without a herd. */
const DIAL_AT_ONCE = 8
/** How long the last frames may take to come back. */
const TAIL_MS = 2_000
const LEAD_MS = 1_000
/**
 * Under full load, before anything is timed: both processes compile what the load is the first to run. Frames lost in it count.
 */
const WARM_UP_MS = 3_000
const LOOK_MS = 20

/** What makes a server echo, and bear any number of calls. `maxCalls`: 10 to 2 000. */
export function echoEnv(maxCalls: number, authToken: string): Record<string, string> {
  return {
    MAX_CALLS: String(Math.min(2_000, Math.max(10, maxCalls))),
    TWILIO_AUTH_TOKEN: authToken,
    LOG_LEVEL: 'warn',
    LOAD_CONTROL: '0',
    WEBHOOKS_PER_MINUTE: '1000000',
    MEDIA_ECHO: '1',
  }
}

export interface EchoLoadOptions {
  calls: number
  /** Of timed frames, behind the warm-up. */
  seconds: number
  seed: number
  server: ServerProcess
  authToken: string | null
  pacer: Pacer
}

export interface EchoedCall {
  result: EchoResult
  warnings: number
  /** The server ended it. */
  endedEarly: boolean
}

export class EchoLoad {
  readonly #options: EchoLoadOptions
  readonly #calls: TwilioCall[] = []
  readonly #probes: EchoProbe[] = []

  private constructor(options: EchoLoadOptions) {
    this.#options = options
  }

  /** Resolves when every call is up and silent. @throws CallRefused */
  static async place(options: EchoLoadOptions): Promise<EchoLoad> {
    const load = new EchoLoad(options)
    const code = new ToneCode(options.seed)
    await inGroups(options.calls, DIAL_AT_ONCE, (index) => load.#dial(code, index))
    return load
  }

  async #dial(code: ToneCode, index: number): Promise<void> {
    const { server, authToken, pacer, seconds } = this.#options
    const warmUpFrames = WARM_UP_MS / FRAME_MS
    const codeFrames = warmUpFrames + Math.round((seconds * 1_000) / FRAME_MS)
    const probe = new EchoProbe(code, { callIndex: index, codeFrames, warmUpFrames, hold: true })
    this.#probes[index] = probe
    this.#calls[index] = await TwilioCall.place({
      ...{ server: server.url, publicUrl: server.url, authToken, pacer, record: false },
      from: `+5255${String(10_000_000 + index)}`,
      to: '+525587654321',
      probe,
    })
  }

  /** Calls that are up. */
  get live(): number {
    return this.#calls.filter((call) => !call.isOver).length
  }

  /**
   * All probes begin together, so that the whole load lies under every measured frame. Resolves when the warm-up was sent: from
   * here on frames are timed.
   */
  async release(): Promise<void> {
    for (const probe of this.#probes) probe.release()
    await until(() => this.#probes.every((probe) => probe.isWarm), LEAD_MS + WARM_UP_MS * 2)
  }

  /** Resolves when every timed frame was sent. */
  async sent(): Promise<void> {
    const withinMs = this.#options.seconds * 2_000 + 5_000
    await until(() => this.#probes.every((probe) => probe.isSent), withinMs)
  }

  /** Resolves when every frame is accounted for, after 2 s at the latest. */
  async returned(): Promise<void> {
    await until(() => this.#probes.every((probe) => probe.isComplete), TAIL_MS)
  }

  async hangup(): Promise<EchoedCall[]> {
    const endedEarly = this.#calls.map((call) => call.isOver)
    await Promise.all(this.#calls.map((call) => call.hangup()))
    return this.#probes.map((probe, i) => {
      const warnings = [...(this.#calls[i]?.warnings.values() ?? [])].reduce((sum, n) => sum + n, 0)
      return { result: probe.finish(), warnings, endedEarly: endedEarly[i] ?? true }
    })
  }
}

/** Delays of all timed frames, and what exceeds the smallest delay of the same call. */
export function delaysOf(calls: readonly EchoedCall[]): { delay: Histogram; late: Histogram } {
  const late = new Histogram()
  const delay = new Histogram()
  for (const { result } of calls) {
    const constantMs = result.delaysMs.reduce((least, value) => Math.min(least, value), Infinity)
    for (const value of result.delaysMs) {
      delay.add(value)
      late.add(value - constantMs)
    }
  }
  return { delay, late }
}

/** Looks every 20 ms; settles when it is true or the time is up. */
async function until(isTrue: () => boolean, timeoutMs: number): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs
  while (!isTrue() && performance.now() < deadlineMs) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}
