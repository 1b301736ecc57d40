/**
 * Bench `overload`: 150 % of the calls that fit. The first 100 % are live and echoed, the others arrive while every frame
 * of the live ones is timed; each must be turned away before any media exists, as its carrier wants it.
 *
 *   C calls live ─► frames timed for S s ─► meanwhile C/2 more ─┬─► Twilio: <Say>…<Hangup/>, never a <Stream>
 *                                                               └─► Telnyx: the command reject, never an answer
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
  judged,
  loadBetween,
  rigDoubt,
  settledClockMs,
  snapshot,
} from './rig/self-check.ts'
import { ServerApi } from './rig/server-api.ts'
import { ServerProcess } from './rig/server-process.ts'
import { ServerWatch } from './rig/server-watch.ts'
import { TelnyxCarrier } from './rig/telnyx-carrier.ts'
import { ToneCode } from './rig/tone-code.ts'
import { TwilioCall } from './rig/twilio-caller.ts'
import { postForm } from './rig/twilio-webhook.ts'
import { parseTwiml } from './rig/twiml.ts'

const DIAL_AT_ONCE = 8
const OVERLOAD_SHARE = 0.5
const TAIL_MS = 2_000
const TO = '+525587654321'
const LATE_LIMIT_MS = 20
/** A refusal by command comes after the webhook was answered. */
const COMMAND_WITHIN_MS = 5_000

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

/** The same for Telnyx, by the commands that the call received: `reject` and nothing else. */
export function commandedRefusalOf(commands: readonly string[]): Refusal {
  if (commands.some((name) => name === 'answer' || name === 'streaming_start')) return 'admitted'
  return commands.includes('reject') ? 'polite' : 'impolite'
}

/** @throws RigUnreliable when the rig was the bottleneck. */
export async function runOverload(options: OverloadOptions): Promise<BenchFigures> {
  const { calls, seconds, seed, progress } = options
  const telnyx = await TelnyxCarrier.open()
  const server = await ServerProcess.start({
    env: {
      ...telnyx.env,
      MAX_CALLS: String(calls),
      MEDIA_ECHO: '1',
      TWILIO_AUTH_TOKEN: AUTH_TOKEN,
      LOG_LEVEL: 'error',
      WEBHOOKS_PER_MINUTE: '1000000',
    },
  })
  const rigCore = takeOwnCore(server.pid)
  const api = new ServerApi(server.url, server.adminKey)
  try {
    const clockMs = await settledClockMs()
    const pacer = new Pacer()
    const { live, probes } = await fill({ server, pacer, calls, seed, seconds })
    progress(`${live.length} of ${calls} calls are up; ${Math.round(calls * OVERLOAD_SHARE)} more`)
    pacer.lateness.reset()
    const watch = new ServerWatch(server, api)
    watch.start()
    const before = snapshot(server)
    for (const probe of probes) probe.release()
    const refusals = await offer(
      { server, telnyx },
      { count: Math.round(calls * OVERLOAD_SHARE), seconds },
    )
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
      settings: {
        seconds,
        rigCore,
        carriers: 'twilio telnyx',
        rungs: [...watch.seen.rungs].join(' '),
      },
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
    const { lateP99Ms = Infinity } = result.figures
    const proven = lateP99Ms < LATE_LIMIT_MS && live.length === calls
    return judged(result, { doubt, proven, lateness: pacer.lateness })
  } finally {
    await server.stop()
    await telnyx.close()
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
        probe,
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

interface Offered {
  server: ServerProcess
  telnyx: TelnyxCarrier
}

/** `count` more calls, evenly over `seconds`, by Twilio and Telnyx in turn. */
async function offer(
  to: Offered,
  { count, seconds }: { count: number; seconds: number },
): Promise<Refusal[]> {
  const each = Array.from({ length: count }, async (_, i) => {
    await sleep((i * seconds * 1_000) / count)
    return i % 2 === 0 ? offerByTwilio(to, i) : offerByTelnyx(to, i)
  })
  return Promise.all(each)
}

async function offerByTwilio({ server }: Offered, number: number): Promise<Refusal> {
  const target = { server: server.url, publicUrl: server.url, authToken: AUTH_TOKEN }
  const sid = `CA${(0xabcdef000000 + number).toString(16).padStart(32, '0')}`
  const answer = await postForm(target, '/api/v1/twilio/incoming-call', {
    ...{ CallSid: sid, AccountSid: `AC${'0'.repeat(32)}`, CallStatus: 'ringing' },
    ...{ From: `+5256${String(10_000_000 + number)}`, To: TO, Direction: 'inbound' },
  })
  return refusalOf(answer)
}

async function offerByTelnyx({ server, telnyx }: Offered, number: number): Promise<Refusal> {
  const commands: string[] = []
  const callControlId = `v3:overload-${number}`
  const command = (action: string): void => void commands.push(action)
  telnyx.join({ callControlId, isAnswered: false, isOver: false, command })
  const status = await telnyx.tell({ server: server.url, signed: true }, 'call.initiated', {
    ...{ call_control_id: callControlId, call_leg_id: `leg-${number}`, client_state: null },
    ...{ call_session_id: `session-${number}`, connection_id: telnyx.env['TELNYX_CONNECTION_ID'] },
    ...{ direction: 'incoming', state: 'parked', from: `+5257${10_000_000 + number}`, to: TO },
  })
  if (status !== 200) return 'impolite'
  await until(() => commands.length > 0, COMMAND_WITHIN_MS)
  return commandedRefusalOf(commands)
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
