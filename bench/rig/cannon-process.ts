/**
 * Autocannon in a process of its own, so that its timings do not wait for the rig's event loop:
 *
 *   {"url":…,"seconds":…,"requests":[…]} on standard input ─► node bench/rig/cannon-process.ts ─► one line of JSON
 *
 * Each connection is a cannon of its own, with requests that no other has. At a rate they begin one after the other within a
 * second, because autocannon asks all that a second is owed at its beginning: ten connections of one cannon ask ten times at once.
 */
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import autocannon from 'autocannon'
import { z } from 'zod'
import { Histogram } from './histogram.ts'

/** Answers of the first second count as warm-up. */
const WARM_UP_SEC = 1

const request = z.object({
  method: z.enum(['GET', 'POST']),
  path: z.string(),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.string().optional(),
})

const WARM_UP_REQUEST = request.parse({ method: 'GET', path: '/health' })

const order = z.object({
  url: z.string(),
  seconds: z.number(),
  connections: z.number().int().min(1),
  /** Requests per second over all connections, at least one on each; absent: as many as possible. */
  perSec: z.number().optional(),
  /** In this order, again from the first when all were asked; fewer than connections: all connections ask all of them. */
  requests: z.array(request).min(1),
})
export type CannonOrder = z.input<typeof order>
type Order = z.output<typeof order>

const shot = z.object({
  perSec: z.number(),
  p50Ms: z.number(),
  p99Ms: z.number(),
  maxMs: z.number(),
  answers: z.number(),
  /** Answers that were not 2xx, and requests without any. */
  wrong: z.number(),
})
export type CannonShot = z.infer<typeof shot>

/** Runs one order in a child process. @throws Error when the child fails. */
export async function fire(shotOrder: CannonOrder): Promise<CannonShot> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  // By standard input: signed forms are more than a command line takes.
  child.stdin.end(JSON.stringify(shotOrder))
  return shot.parse(JSON.parse(await text(child.stdout)))
}

async function main(): Promise<void> {
  const given = order.parse(JSON.parse(await text(process.stdin)))
  // What compiles and connects for the first time is the cannon's, not the server's.
  await cannonade({ ...given, seconds: WARM_UP_SEC, requests: [WARM_UP_REQUEST] })
  process.stdout.write(`${JSON.stringify(await cannonade(given))}\n`)
}

/** All connections, from the first request to the last answer. */
async function cannonade(given: Order): Promise<CannonShot> {
  const { connections, seconds, perSec } = given
  const seen = { delays: new Histogram(), wrong: 0 }
  const apartMs = perSec === undefined ? 0 : 1_000 / connections
  const lanes = Array.from({ length: connections }, async (_, lane) => {
    await sleep(lane * apartMs)
    await shoot(cannonOf(given, lane), seen)
  })
  await Promise.all(lanes)
  const { delays, wrong } = seen
  return {
    perSec: delays.count / seconds,
    p50Ms: delays.percentileMs(0.5),
    p99Ms: delays.percentileMs(0.99),
    maxMs: delays.maxMs,
    answers: delays.count,
    wrong,
  }
}

/**
 * One cannon, each answer as it came. Autocannon's own percentiles, at a rate, take 1 ms for the interval of the requests whatever
 * the rate, and count an answer of 40 ms as one each of 1 to 40.
 */
function shoot(
  options: autocannon.Options,
  seen: { delays: Histogram; wrong: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const cannon = autocannon(options, (error: Error | null, result) => {
      if (error) return reject(error)
      seen.wrong += result.errors + result.timeouts
      resolve()
    })
    cannon.on('response', (_client, status, _bytes, responseMs) => {
      seen.delays.add(responseMs)
      if (status < 200 || status >= 300) seen.wrong++
    })
  })
}

function cannonOf(given: Order, lane: number): autocannon.Options {
  const { url, seconds, connections, perSec, requests } = given
  const own = requests.filter((_, i) => i % connections === lane)
  const asked = requests.length < connections ? requests : own
  return {
    ...{ url, connections: 1, duration: seconds },
    requests: asked.map(({ body, ...rest }) => ({ ...rest, ...(body ? { body } : {}) })),
    ...(perSec === undefined ? {} : { overallRate: perSec / connections }),
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
