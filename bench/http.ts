/**
 * Bench `http`: autocannon against the server's HTTP side, alone and while N whole calls are live.
 *
 *   signed webhook, health, agents (config), calls (history) ─► as fast as they go, alone
 *   the same at a call centre's rate ─► while N scripted calls talk to emulated providers
 *
 * Alone, webhooks are answered until every place is reserved (2 000), then politely refused: both are TwiML behind a
 * checked signature. Under calls the rate is low enough that each webhook connects.
 */
import { CallLoad } from './rig/call-load.ts'
import { fire, type CannonOrder, type CannonShot } from './rig/cannon-process.ts'
import { spokenScript } from './rig/canned-speech.ts'
import { AUTH_TOKEN, openLab, sleep, type Lab } from './rig/lab.ts'
import { rounded, type BenchFigures } from './rig/report.ts'
import {
  CLOCK_LATE_P99_LIMIT_MS,
  judged,
  loadBetween,
  rigDoubt,
  settledClockMs,
  snapshot,
} from './rig/self-check.ts'
import { signature } from './rig/twilio-webhook.ts'

const CONNECTIONS = 10
const WEBHOOKS_PER_SEC = 20
const API_PER_SEC = 50
const DIAL_PER_SEC = 20
/** A reservation lives 60 s. */
const RESERVED_MS = 61_000
/** What bench/rig/targets.ts wants of a webhook under calls. */
const WEBHOOK_LIMIT_MS = 25
/** Of the calls that were to be live. */
const LIVE_SHARE = 0.99
/** Different calls, so that nothing can be answered from memory. */
const DISTINCT_CALLS = 500
const INCOMING = '/api/v1/twilio/incoming-call'

export interface HttpOptions {
  /** Calls that are live in the second half. */
  calls: number
  /** Per target. */
  seconds: number
  seed: number
  progress(text: string): void
}

type Requests = CannonOrder['requests']

/** @throws RigUnreliable when the rig was the bottleneck. */
export async function runHttp(options: HttpOptions): Promise<BenchFigures> {
  const { calls, seconds, seed, progress } = options
  const lines = await spokenScript(undefined, progress)
  const lab = await openLab({ maxCalls: 2_000, seed, loadControl: false, progress })
  try {
    const clockMs = await settledClockMs()
    const targets = targetsOf(lab)
    const alone: Record<string, CannonShot> = {}
    let reservedMs = 0
    // Webhooks first: they reserve every place for a minute, in which the others are measured.
    for (const [name, requests] of Object.entries(targets)) {
      alone[name] = await fire({
        ...{ url: lab.server.url, seconds, connections: CONNECTIONS, requests },
      })
      if (name === 'webhook') reservedMs = performance.now()
      progress(`${name} alone: ${JSON.stringify(alone[name])}`)
    }
    progress('waiting until the reservations of the webhooks have expired (60 s)')
    await sleep(Math.max(0, reservedMs + RESERVED_MS - performance.now()))
    const under = await underCalls(lab, lines, options)
    const wrong = [...Object.values(alone), ...Object.values(under.shots)].reduce(
      (sum, shot) => sum + shot.wrong,
      0,
    )
    const result: BenchFigures = {
      bench: 'http',
      seed,
      settings: { seconds, rigCore: lab.rigCore, connections: CONNECTIONS },
      figures: {
        calls,
        webhookRps: rounded(alone['webhook']?.perSec ?? -1, 0),
        webhookP99Ms: alone['webhook']?.p99Ms ?? -1,
        webhookUnderCallsP99Ms: under.shots['webhook']?.p99Ms ?? -1,
        ...figuresOf(alone, ''),
        ...figuresOf(under.shots, 'UnderCalls'),
        wrongAnswers: wrong,
        liveCalls: under.live,
        callsFailed: under.failed,
        serverCores: rounded(under.load.serverCores, 3),
        rigBusy: rounded(under.load.rigBusy, 3),
        rigLateP99Ms: lab.pacer.lateness.percentileMs(0.99),
        clockLateP99Ms: clockMs,
      },
    }
    const doubt =
      clockMs > CLOCK_LATE_P99_LIMIT_MS
        ? `The rig's clock was ${clockMs} ms late at p99`
        : rigDoubt(under.load, lab.pacer.lateness)
    const seenMs = under.shots['webhook']?.p99Ms ?? Infinity
    const proven = seenMs <= WEBHOOK_LIMIT_MS && under.live >= LIVE_SHARE * calls
    return judged(result, { doubt, proven, lateness: lab.pacer.lateness })
  } finally {
    await lab.stop()
  }
}

async function underCalls(
  lab: Lab,
  lines: Awaited<ReturnType<typeof spokenScript>>,
  { calls, seconds, seed, progress }: HttpOptions,
) {
  const load = new CallLoad({
    ...{ server: lab.server, authToken: AUTH_TOKEN, pacer: lab.pacer, lines, seed },
  })
  const fillMs = Math.max(2_000, (calls / DIAL_PER_SEC) * 1_000)
  const running = load.run(calls, fillMs)
  await sleep(fillMs + 2_000)
  lab.pacer.lateness.reset()
  const before = snapshot(lab.server)
  const shots: Record<string, CannonShot> = {}
  for (const [name, requests] of Object.entries(targetsOf(lab))) {
    const perSec = name === 'webhook' ? WEBHOOKS_PER_SEC : API_PER_SEC
    shots[name] = await fire({
      ...{ url: lab.server.url, seconds, connections: CONNECTIONS, requests, perSec },
    })
    progress(`${name} under ${load.live} calls: ${JSON.stringify(shots[name])}`)
  }
  const measured = loadBetween(before, snapshot(lab.server))
  const { live } = load
  load.end()
  await running
  return { shots, load: measured, live, failed: load.tally.failed }
}

/** The webhook is the first one: see above. */
function targetsOf(lab: Lab): Record<string, Requests> {
  const headers = { 'x-api-key': lab.server.adminKey }
  return {
    webhook: signedWebhooks(lab.server.url, DISTINCT_CALLS),
    health: [{ method: 'GET', path: '/health' }],
    config: [{ method: 'GET', path: '/api/v1/agents', headers }],
    history: [{ method: 'GET', path: '/api/v1/calls?limit=50', headers }],
  }
}

/** Twilio's form for `count` different calls, each signed. */
export function signedWebhooks(url: string, count: number): Requests {
  return Array.from({ length: count }, (_, i) => {
    const fields = {
      ...{ AccountSid: `AC${'0'.repeat(32)}`, ApiVersion: '2010-04-01', Direction: 'inbound' },
      ...{ CallSid: `CA${i.toString(16).padStart(32, '0')}`, CallStatus: 'ringing' },
      ...{ From: `+5255${String(20_000_000 + i)}`, To: '+525587654321' },
    }
    return {
      method: 'POST' as const,
      path: INCOMING,
      headers: {
        'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
        'x-twilio-signature': signature(AUTH_TOKEN, url + INCOMING, fields),
      },
      body: new URLSearchParams(fields).toString(),
    }
  })
}

function figuresOf(shots: Record<string, CannonShot>, suffix: string): Record<string, number> {
  return Object.fromEntries(
    Object.entries(shots)
      .filter(([name]) => name !== 'webhook')
      .flatMap(([name, shot]) => [
        ...(suffix === '' ? [[`${name}Rps`, rounded(shot.perSec, 0)]] : []),
        [`${name}${suffix}P99Ms`, shot.p99Ms],
      ]),
  )
}
