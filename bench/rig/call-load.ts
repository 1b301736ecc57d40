/**
 * Call load: N scripted calls at the same time, each followed by the next, until told to end.
 *
 *   lanes 0 … N−1 ─► place ─► script ─► hang up ─► place …        one tally for all
 *
 * A call has failed when it was refused, lost, ended by the server, not greeted, not answered, or drew a warning from the
 * carrier. A call that is still going when the time is up is hung up and has not failed.
 */
import type { SpokenLine } from './canned-speech.ts'
import { Ear, type EarCounts } from './ear.ts'
import { Histogram } from './histogram.ts'
import type { Pacer } from './pacer.ts'
import { scriptedProbe } from './scripted-probe.ts'
import { ScriptedUser } from './scripted-user.ts'
import { seededRandom } from './seeded-random.ts'
import type { ServerProcess } from './server-process.ts'
import type { SimulatedCall } from './simulated-call.ts'
import { TelnyxCall } from './telnyx-caller.ts'
import type { TelnyxCarrier } from './telnyx-carrier.ts'
import { CallRefused, TwilioCall } from './twilio-caller.ts'

const AFTER_REFUSAL_MS = 1_000
const LOOK_MS = 100

export interface CallLoadOptions {
  server: ServerProcess
  authToken: string | null
  pacer: Pacer
  lines: readonly SpokenLine[]
  seed: number
  /** Turns per call; default 8. Fewer make shorter calls, for churn. */
  turns?: number
  /** The calls come through this one; default: through Twilio. */
  telnyx?: TelnyxCarrier | null
}

export interface LoadTally extends EarCounts {
  begun: number
  finished: number
  failed: number
  failures: Map<string, number>
  latenciesMs: number[]
  talkedOver: number
  /** Carrier ids of the calls that did not fail, finished or hung up at the end. */
  sids: string[]
}

export function emptyTally(): LoadTally {
  return {
    lateness: new Histogram(),
    jitter: new Histogram(),
    ...{ frames: 0, lateFrames: 0, holes: 0, begun: 0, finished: 0, failed: 0, talkedOver: 0 },
    failures: new Map(),
    latenciesMs: [],
    sids: [],
  }
}

export class CallLoad {
  /** Replaced by `startCounting`: what came before was ramp-up. */
  tally: LoadTally = emptyTally()
  live = 0
  readonly #options: CallLoadOptions
  #ending = false
  /** No call is followed by another while this holds. */
  #resting: PromiseWithResolvers<void> | null = null
  #nextNumber = 0

  constructor(options: CallLoadOptions) {
    this.#options = options
  }

  startCounting(): void {
    Object.assign(this.tally, emptyTally())
  }

  /** Opens `count` lanes, spread over `spreadMs`, and keeps them busy. Resolves when all have ended. */
  async run(count: number, spreadMs: number): Promise<void> {
    await Promise.all(
      Array.from({ length: count }, async (_, lane) => {
        await sleep((lane * spreadMs) / count)
        while (!this.#ending) {
          await this.#resting?.promise
          if (!this.#ending) await this.#oneCall()
        }
      }),
    )
  }

  /** Lets the calls that are live come to their end, `withinMs` at most, and begins no others until resume(). */
  async rest(withinMs: number): Promise<void> {
    this.#resting ??= Promise.withResolvers()
    const untilMs = performance.now() + withinMs
    while (this.live > 0 && performance.now() < untilMs) await sleep(LOOK_MS)
  }

  resume(): void {
    this.#resting?.resolve()
    this.#resting = null
  }

  /** Hangs up what is live; run() resolves soon after. All calls end at one instant, so what is heard meanwhile is not judged. */
  end(): void {
    this.tally.paused = true
    this.#ending = true
    this.resume()
  }

  async #oneCall(): Promise<void> {
    const { tally } = this
    const number = this.#nextNumber++
    tally.begun++
    const ear = new Ear(tally)
    const user = this.#user(ear, number)
    const call = await this.#place(ear, user, number)
    if (call === null) return sleep(AFTER_REFUSAL_MS)
    this.live++
    while (!user.isDone && !call.isOver && !this.#ending) await sleep(LOOK_MS)
    const wasOver = call.isOver
    await call.hangup()
    this.live--
    const reason =
      user.failure ??
      (wasOver && !user.isDone ? 'endedByServer' : call.warnings.size > 0 ? 'carrierWarning' : null)
    if (reason !== null) this.#failed(reason)
    else {
      if (user.isDone) tally.finished++
      tally.sids.push(call.carrierCallId)
    }
  }

  #user(ear: Ear, number: number): ScriptedUser {
    const { lines, seed, turns } = this.#options
    return new ScriptedUser({
      ear,
      lines,
      turns: turns ?? lines.length,
      random: seededRandom(seed * 1_000_003 + number),
      onLatency: (ms) => this.tally.latenciesMs.push(ms),
      onTalkedOver: () => this.tally.talkedOver++,
    })
  }

  async #place(ear: Ear, user: ScriptedUser, number: number): Promise<SimulatedCall | null> {
    const { server, authToken, pacer, telnyx = null } = this.#options
    let call: SimulatedCall | null = null
    try {
      const line = {
        ...{ server: server.url, pacer, record: false },
        from: `+5255${String(10_000_000 + (number % 80_000_000))}`,
        to: '+525587654321',
        probe: scriptedProbe(user, ear, () => call?.playOut.clearsMs.length ?? 0),
      }
      call = telnyx
        ? await TelnyxCall.place({ ...line, carrier: telnyx, signed: true })
        : await TwilioCall.place({ ...line, publicUrl: server.url, authToken })
      return call
    } catch (error) {
      this.#failed(error instanceof CallRefused ? 'refused' : 'noConnection')
      return null
    }
  }

  #failed(reason: string): void {
    this.tally.failed++
    this.tally.failures.set(reason, (this.tally.failures.get(reason) ?? 0) + 1)
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
