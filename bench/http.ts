/**
 * Bench `http`: autocannon against the server's HTTP side, alone and while N calls are live: whole ones, or echoed streams (`callKind`).
 *
 *   signed webhook, health, agents (config), calls (history) ─► as fast as they go, alone
 *   the same at a call centre's rate ─► while N calls are live
 *
 * Alone, webhooks are answered until every place is reserved (2 000), then politely refused: both are TwiML behind a
 * checked signature. Under calls the rate is low enough that each webhook connects.
 */
import { fire, type CannonOrder, type CannonShot } from './rig/cannon-process.ts'
import { AUTH_TOKEN, sleep } from './rig/lab.ts'
import { openLiveLoad, type CallKind, type LiveLoad } from './rig/live-load.ts'
import { rounded, type BenchFigures } from './rig/report.ts'
import {
  CLOCK_LATE_P99_LIMIT_MS,
  judged,
  loadBetween,
  rigDoubt,
  settledClockMs,
  snapshot,
} from './rig/self-check.ts'
import { LIVE_SHARE } from './rig/targets.ts'
import { signature } from './rig/twilio-webhook.ts'

/** Places: alone, webhooks reserve all of them. */
const MAX_CALLS = 2_000
const CONNECTIONS = 10
const WEBHOOKS_PER_SEC = 20
const API_PER_SEC = 50
/** Autocannon is a process of its own, which has to start. */
const CANNON_START_SEC = 2
/** A reservation lives 60 s. */
const RESERVED_MS = 61_000
/** What bench/rig/targets.ts wants of a webhook under calls. */
const WEBHOOK_LIMIT_MS = 25
/** Different calls, more than are asked for alone in 8 s: a call that is known is answered from memory. */
const ALONE_CALLS = 30_000
const INCOMING = '/api/v1/twilio/incoming-call'

export interface HttpOptions {
  /** Calls that are live in the second half. */
  calls: number
  callKind: CallKind
  /** Per target. */
  seconds: number
  seed: number
  progress(text: string): void
}

type Requests = CannonOrder['requests']

/** @throws RigUnreliable when the rig was the bottleneck. */
export async function runHttp(options: HttpOptions): Promise<BenchFigures> {
  const { calls, callKind, seconds, seed, progress } = options
  const load = await openLiveLoad({ kind: callKind, maxCalls: MAX_CALLS, seed, progress })
  const { server, pacer, rigCore } = load
  try {
    const clockMs = await settledClockMs()
    const targets = targetsOf(server, { first: 0, calls: ALONE_CALLS })
    const alone: Record<string, CannonShot> = {}
    let reservedMs = 0
    // Webhooks first: they reserve every place for a minute, in which the others are measured.
    for (const [name, requests] of Object.entries(targets)) {
      alone[name] = await fire({
        ...{ url: server.url, seconds, connections: CONNECTIONS, requests },
      })
      if (name === 'webhook') reservedMs = performance.now()
      progress(`${name} alone: ${JSON.stringify(alone[name])}`)
    }
    progress('waiting until the reservations of the webhooks have expired (60 s)')
    await sleep(Math.max(0, reservedMs + RESERVED_MS - performance.now()))
    const under = await underCalls(load, options)
    const wrong = [...Object.values(alone), ...Object.values(under.shots)].reduce(
      (sum, shot) => sum + shot.wrong,
      0,
    )
    const result: BenchFigures = {
      bench: 'http',
      seed,
      settings: { seconds, callKind, rigCore, connections: CONNECTIONS },
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
        ...under.callFigures,
        serverCores: rounded(under.measured.serverCores, 3),
        rigBusy: rounded(under.measured.rigBusy, 3),
        rigLateP99Ms: pacer.lateness.percentileMs(0.99),
        clockLateP99Ms: clockMs,
      },
    }
    const doubt =
      clockMs > CLOCK_LATE_P99_LIMIT_MS
        ? `The rig's clock was ${clockMs} ms late at p99`
        : rigDoubt(under.measured, pacer.lateness)
    const seenMs = under.shots['webhook']?.p99Ms ?? Infinity
    const proven = seenMs <= WEBHOOK_LIMIT_MS && under.live >= LIVE_SHARE * calls
    return judged(result, { doubt, proven, lateness: pacer.lateness })
  } finally {
    await load.stop()
  }
}

async function underCalls(load: LiveLoad, { calls, seconds, progress }: HttpOptions) {
  const { server, pacer } = load
  const webhooks = WEBHOOKS_PER_SEC * seconds
  const targets = Object.entries(targetsOf(server, { first: ALONE_CALLS, calls: 2 * webhooks }))
  await load.begin(calls, targets.length * (seconds + CANNON_START_SEC))
  pacer.lateness.reset()
  const before = snapshot(server)
  const shots: Record<string, CannonShot> = {}
  for (const [name, requests] of targets) {
    const perSec = name === 'webhook' ? WEBHOOKS_PER_SEC : API_PER_SEC
    shots[name] = await fire({
      ...{ url: server.url, seconds, connections: CONNECTIONS, requests, perSec },
    })
    progress(`${name} under ${load.live} calls: ${JSON.stringify(shots[name])}`)
  }
  const measured = loadBetween(before, snapshot(server))
  const { live } = load
  const { failed, figures: callFigures } = await load.end()
  return { shots, measured, live, failed, callFigures }
}

/** The webhook is the first one: see above. */
function targetsOf(
  { url, adminKey }: LiveLoad['server'],
  { first, calls }: { first: number; calls: number },
): Record<string, Requests> {
  const headers = { 'x-api-key': adminKey }
  return {
    webhook: signedWebhooks(url, calls, first),
    health: [{ method: 'GET', path: '/health' }],
    config: [{ method: 'GET', path: '/api/v1/agents', headers }],
    history: [{ method: 'GET', path: '/api/v1/calls?limit=50', headers }],
  }
}

/** Twilio's form for `count` different calls, from the `first` one on, each signed. */
export function signedWebhooks(url: string, count: number, first = 0): Requests {
  return Array.from({ length: count }, (_, index) => {
    const i = first + index
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
