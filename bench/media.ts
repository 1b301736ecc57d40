/**
 * Bench `media`: N simulated Twilio calls whose audio goes through the server's whole path and
 * comes back as an echo (MEDIA_ECHO=1). Prints how many frames were lost, how late they came, and
 * what a call costs.
 *
 * The rig shares the machine with the server. When it was itself too busy or unpunctual to be
 * trusted, or when the machine had no idle time left, no figure is printed.
 */
import { delaysOf, EchoLoad, type EchoedCall } from './rig/echo-load.ts'
import type { EchoResult } from './rig/echo-probe.ts'
import type { Histogram } from './rig/histogram.ts'
import { Pacer } from './rig/pacer.ts'
import { rounded, type BenchFigures } from './rig/report.ts'
import { loadBetween, rigDoubt, RigUnreliable, snapshot, type Load } from './rig/self-check.ts'
import type { ServerProcess } from './rig/server-process.ts'

export interface MediaOptions {
  calls: number
  seconds: number
  seed: number
  server: ServerProcess
  authToken: string | null
  /** Receives the measured seconds on the machine's monotonic clock, for profiles. */
  window?: { fromUs: number; toUs: number }
  progress(text: string): void
}

/** @throws RigUnreliable when the rig or the machine was the bottleneck. */
export async function runMedia(options: MediaOptions): Promise<BenchFigures> {
  const { calls, seconds, seed, server, authToken, window } = options
  const pacer = new Pacer()
  const echoes = await EchoLoad.place({ calls, seconds, seed, server, authToken, pacer })
  options.progress(`${calls} calls are up; measuring ${seconds} s`)
  await echoes.release()
  pacer.lateness.reset()
  const before = snapshot(server)
  if (window) window.fromUs = monotonicUs()
  await echoes.sent()
  const after = snapshot(server)
  if (window) window.toUs = monotonicUs()
  await echoes.returned()
  const rssMb = server.rssMb()
  const measured = await echoes.hangup()
  const load = loadBetween(before, after)
  const result = {
    bench: 'media',
    seed,
    settings: { seconds, signed: authToken !== null },
    figures: figures({ measured, load, rssMb, rigLateness: pacer.lateness }),
  }
  const doubt = rigDoubt(load, pacer.lateness)
  if (doubt !== null) throw new RigUnreliable(doubt, result)
  return result
}

function figures(all: {
  measured: EchoedCall[]
  load: Load
  rssMb: number
  rigLateness: Histogram
}): Record<string, number> {
  const { measured, load } = all
  const sum = (pick: (result: EchoResult) => number): number =>
    measured.reduce((total, { result }) => total + pick(result), 0)
  const { late, delay } = delaysOf(measured)
  return {
    calls: measured.length,
    sentFrames: sum((result) => result.sent),
    lostFrames: sum((result) => result.lost),
    damagedFrames: sum((result) => result.damaged),
    repeatedFrames: sum((result) => result.repeated),
    holes: sum((result) => result.holes),
    lateP50Ms: late.percentileMs(0.5),
    lateP99Ms: late.percentileMs(0.99),
    lateMaxMs: rounded(late.maxMs, 1),
    delayP50Ms: delay.percentileMs(0.5),
    delayP99Ms: delay.percentileMs(0.99),
    callsEndedEarly: measured.filter((call) => call.endedEarly).length,
    twilioWarnings: measured.reduce((total, call) => total + call.warnings, 0),
    coresPerCall: rounded(load.serverCores / measured.length, 5),
    serverCores: rounded(load.serverCores, 3),
    serverRssMb: Math.round(all.rssMb),
    rigCores: rounded(load.rigCores, 3),
    rigBusy: rounded(load.rigBusy, 3),
    rigLateP99Ms: all.rigLateness.percentileMs(0.99),
  }
}

function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1_000n)
}
