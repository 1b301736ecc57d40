/**
 * Bench `overload`: 150 % of the calls that fit. The first 100 % are live and echoed, the others arrive while every frame
 * of the live ones is timed; each must be turned away by TwiML, before any media exists.
 *
 *   C calls live ─► frames timed for S s ─► meanwhile C/2 more webhooks ─► <Say>…<Hangup/>, never a <Stream>
 */
import { EchoProbe } from './rig/echo-probe.ts'
import { Histogram } from './rig/histogram.ts'
import { inGroups } from './rig/in-groups.ts'
import { AUTH_TOKEN, sleep } from './rig/lab.ts'
import { takeOwnCore } from './rig/own-core.ts'
import { FRAME_MS, Pacer } from './rig/pacer.ts'
import { rounded, type BenchFigures } from './rig/report.ts'
import {
  CLOCK_LATE_P99_LIMIT_MS,
  clockLateP99Ms,
  loadBetween,
  rigDoubt,
  RigUnreliable,
  snapshot,
} from './rig/self-check.ts'
import { ServerApi } from './rig/server-api.ts'
import { ServerProcess } from './rig/server-process.ts'
import { ServerWatch } from './rig/server-watch.ts'
import { ToneCode } from './rig/tone-code.ts'
import { TwilioCall } from './rig/twilio-caller.ts'
import { postForm } from './rig/twilio-webhook.ts'
import { parseTwiml } from './rig/twiml.ts'

const DIAL_AT_ONCE = 8
const OVERLOAD_SHARE = 0.5
const TAIL_MS = 2_000
const TO = '+525587654321'

export interface OverloadOptions {
  /** What fits: the server's MAX_CALLS. */
  calls: number
  seconds: number
  seed: number
  progress(text: string): void
}

export type Refusal = 'polite' | 'admitted' | 'impolite'

/** Polite: TwiML that speaks and hangs up, and opens no media. */
export function refusalOf(answer: { status: number; body: string }): Refusal {
  if (answer.status !== 200) return 'impolite'
  const kinds = parseTwiml(answer.body).map((verb) => verb.kind)
  if (kinds.includes('stream')) return 'admitted'
  return kinds.includes('hangup') || kinds.includes('reject') ? 'polite' : 'impolite'
}

/** @throws RigUnreliable when the rig was the bottleneck. */
export async function runOverload(options: OverloadOptions): Promise<BenchFigures> {
  const { calls, seconds, seed, progress } = options
  const server = await ServerProcess.start({
    env: {
      MAX_CALLS: String(calls),
      MEDIA_ECHO: '1',
      TWILIO_AUTH_TOKEN: AUTH_TOKEN,
      LOG_LEVEL: 'error',
      WEBHOOKS_PER_MINUTE: '1000000',
    },
  })
  const rigCore = takeOwnCore()
  const api = new ServerApi(server.url, server.adminKey)
  try {
    const clockMs = await clockLateP99Ms()
    const pacer = new Pacer()
    const { live, probes } = await fill({ server, pacer, calls, seed, seconds })
    progress(`${live.length} of ${calls} calls are up; ${Math.round(calls * OVERLOAD_SHARE)} more`)
    pacer.lateness.reset()
    const watch = new ServerWatch(server, api)
    watch.start()
    const before = snapshot(server)
    for (const probe of probes) probe.release()
    const refusals = await offer(server, Math.round(calls * OVERLOAD_SHARE), seconds)
    await until(() => probes.every((probe) => probe.isSent), seconds * 2_000 + 5_000)
    const load = loadBetween(before, snapshot(server))
    await until(() => probes.every((probe) => probe.isComplete), TAIL_MS)
    watch.stop()
    const endedEarly = live.filter((call) => call.isOver).length
    await Promise.all(live.map((call) => call.hangup()))
    const offered = calls + refusals.length
    const refused = offered - live.length - count(refusals, 'admitted')
    const result: BenchFigures = {
      bench: 'overload',
      seed,
      settings: { seconds, rigCore, rungs: [...watch.seen.rungs].join(' ') },
      figures: {
        calls: live.length,
        offered,
        refusedPct: rounded((100 * refused) / offered, 1),
        refusedPolitelyPct: rounded((100 * count(refusals, 'polite')) / refusals.length, 1),
        refusedImpolitely: count(refusals, 'impolite'),
        admittedTooMany: count(refusals, 'admitted'),
        ...frames(probes),
        callsEndedEarly: endedEarly,
        serverCores: rounded(load.serverCores, 3),
        rigBusy: rounded(load.rigBusy, 3),
        rigLateP99Ms: pacer.lateness.percentileMs(0.99),
        clockLateP99Ms: clockMs,
      },
    }
    const doubt =
      clockMs > CLOCK_LATE_P99_LIMIT_MS
        ? `The rig's clock was ${clockMs} ms late at p99 (limit ${CLOCK_LATE_P99_LIMIT_MS} ms)`
        : rigDoubt(load, pacer.lateness)
    if (doubt !== null) throw new RigUnreliable(doubt, result)
    return result
  } finally {
    await server.stop()
  }
}

async function fill(o: {
  server: ServerProcess
  pacer: Pacer
  calls: number
  seed: number
  seconds: number
}): Promise<{ live: TwilioCall[]; probes: EchoProbe[] }> {
  const code = new ToneCode(o.seed)
  const codeFrames = Math.round((o.seconds * 1_000) / FRAME_MS)
  const live: TwilioCall[] = []
  const probes: EchoProbe[] = []
  await inGroups(o.calls, DIAL_AT_ONCE, async (index) => {
    const probe = new EchoProbe(code, { callIndex: index, codeFrames, hold: true })
    try {
      const call = await TwilioCall.place({
        ...{ server: o.server.url, publicUrl: o.server.url, authToken: AUTH_TOKEN },
        ...{ pacer: o.pacer, record: false, from: `+5255${String(10_000_000 + index)}`, to: TO },
        frame: (frame, deadlineMs) => probe.frame(frame, deadlineMs),
        onPayload: (payload, nowMs) => probe.receive(payload, nowMs),
      })
      live.push(call)
      probes.push(probe)
    } catch {
      // Turned away by load before the places were full: counted as refused by the arithmetic above.
      await sleep(500)
    }
  })
  return { live, probes }
}

/** `count` more webhooks, evenly over `seconds`. */
async function offer(server: ServerProcess, count: number, seconds: number): Promise<Refusal[]> {
  const target = { server: server.url, publicUrl: server.url, authToken: AUTH_TOKEN }
  const each = Array.from({ length: count }, async (_, i) => {
    await sleep((i * seconds * 1_000) / count)
    const sid = `CA${(0xabcdef000000 + i).toString(16).padStart(32, '0')}`
    const answer = await postForm(target, '/api/v1/twilio/incoming-call', {
      ...{ CallSid: sid, AccountSid: `AC${'0'.repeat(32)}`, CallStatus: 'ringing' },
      ...{ From: `+5256${String(10_000_000 + i)}`, To: TO, Direction: 'inbound' },
    })
    return refusalOf(answer)
  })
  return Promise.all(each)
}

function frames(probes: readonly EchoProbe[]): Record<string, number> {
  const late = new Histogram()
  let lost = 0
  for (const probe of probes) {
    const { delaysMs, lost: missing } = probe.finish()
    const least = delaysMs.reduce((low, ms) => Math.min(low, ms), Infinity)
    for (const delayMs of delaysMs) late.add(delayMs - least)
    lost += missing
  }
  return {
    lateP99Ms: late.percentileMs(0.99),
    lateMaxMs: rounded(late.maxMs, 1),
    lostFrames: lost,
  }
}

function count(refusals: readonly Refusal[], kind: Refusal): number {
  return refusals.filter((refusal) => refusal === kind).length
}

async function until(isTrue: () => boolean, timeoutMs: number): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs
  while (!isTrue() && performance.now() < deadlineMs) await sleep(20)
}
