/**
 * Bench `media`: N simulated Twilio calls whose audio goes through the server's whole path and
 * comes back as an echo (MEDIA_ECHO=1). Prints how many frames were lost, how late they came, and
 * what a call costs.
 *
 * The rig shares the machine with the server. When it was itself too busy or unpunctual to be
 * trusted, or when the machine had no idle time left, no figure is printed.
 */
import { performance } from 'node:perf_hooks'
import { EchoProbe, type EchoResult } from './rig/echo-probe.ts'
import { Histogram } from './rig/histogram.ts'
import { inGroups } from './rig/in-groups.ts'
import { FRAME_MS, Pacer } from './rig/pacer.ts'
import { rounded, type BenchFigures } from './rig/report.ts'
import { loadBetween, rigDoubt, RigUnreliable, snapshot, type Load } from './rig/self-check.ts'
import type { ServerProcess } from './rig/server-process.ts'
import { ToneCode } from './rig/tone-code.ts'
import { TwilioCall } from './rig/twilio-caller.ts'

/** Calls dialled at the same time: as fast as telephone calls ever arrive, without a herd. */
const DIAL_AT_ONCE = 8
/** How long the last frames may take to come back. */
const TAIL_MS = 2_000
const LEAD_MS = 1_000
/**
 * Under full load, before anything is timed: both processes compile what the load is the first to run. Frames lost in it count.
 */
const WARM_UP_MS = 3_000

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

interface Measured {
  result: EchoResult
  warnings: number
  endedEarly: boolean
}

/** @throws RigUnreliable when the rig or the machine was the bottleneck. */
export async function runMedia(options: MediaOptions): Promise<BenchFigures> {
  const pacer = new Pacer()
  const code = new ToneCode(options.seed)
  const warmUpFrames = WARM_UP_MS / FRAME_MS
  const codeFrames = warmUpFrames + Math.round((options.seconds * 1_000) / FRAME_MS)
  const probes: EchoProbe[] = []
  const calls: TwilioCall[] = []
  const dial = async (index: number): Promise<void> => {
    const probe = new EchoProbe(code, { callIndex: index, codeFrames, warmUpFrames, hold: true })
    probes[index] = probe
    calls[index] = await TwilioCall.place({
      server: options.server.url,
      publicUrl: options.server.url,
      authToken: options.authToken,
      pacer,
      record: false,
      from: `+5255${String(10_000_000 + index)}`,
      to: '+525587654321',
      frame: (frame, deadlineMs) => probe.frame(frame, deadlineMs),
      onPayload: (payload, nowMs) => probe.receive(payload, nowMs),
    })
  }
  await inGroups(options.calls, DIAL_AT_ONCE, dial)
  options.progress(`${calls.length} calls are up; measuring ${options.seconds} s`)

  // All probes begin together, when the last call is up, so that the whole load lies under every
  // measured frame.
  for (const probe of probes) probe.release()
  await until(() => probes.every((p) => p.isWarm), LEAD_MS + WARM_UP_MS * 2)
  pacer.lateness.reset()
  const before = snapshot(options.server)
  if (options.window) options.window.fromUs = monotonicUs()
  await until(() => probes.every((p) => p.isSent), options.seconds * 2_000 + 5_000)
  const after = snapshot(options.server)
  if (options.window) options.window.toUs = monotonicUs()
  await until(() => probes.every((p) => p.isComplete), TAIL_MS)
  const rssMb = options.server.rssMb()
  const measured = await hangUp(calls, probes)
  const load = loadBetween(before, after)
  const result = {
    bench: 'media',
    seed: options.seed,
    settings: { seconds: options.seconds, signed: options.authToken !== null },
    figures: figures({ measured, load, rssMb, rigLateness: pacer.lateness }),
  }
  const doubt = rigDoubt(load, pacer.lateness)
  if (doubt !== null) throw new RigUnreliable(doubt, result)
  return result
}

async function hangUp(calls: TwilioCall[], probes: EchoProbe[]): Promise<Measured[]> {
  const endedEarly = calls.map((call) => call.isOver)
  await Promise.all(calls.map((call) => call.hangup()))
  return probes.map((probe, i) => {
    const warnings = [...(calls[i]?.warnings.values() ?? [])].reduce((sum, n) => sum + n, 0)
    return { result: probe.finish(), warnings, endedEarly: endedEarly[i] ?? true }
  })
}

function figures(all: {
  measured: Measured[]
  load: Load
  rssMb: number
  rigLateness: Histogram
}): Record<string, number> {
  const { measured, load } = all
  const sum = (pick: (result: EchoResult) => number): number =>
    measured.reduce((total, { result }) => total + pick(result), 0)
  const late = new Histogram()
  const delay = new Histogram()
  for (const { result } of measured) {
    const constantMs = result.delaysMs.reduce((least, value) => Math.min(least, value), Infinity)
    for (const value of result.delaysMs) {
      delay.add(value)
      late.add(value - constantMs)
    }
  }
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

/** Looks every 20 ms; settles when it is true or the time is up. */
async function until(isTrue: () => boolean, timeoutMs: number): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs
  while (!isTrue() && performance.now() < deadlineMs) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
