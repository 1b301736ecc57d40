/**
 * Autocannon in a process of its own, so that its timings do not wait for the rig's event loop:
 *
 *   {"url":…,"seconds":…,"requests":[…]} on standard input ─► node bench/rig/cannon-process.ts ─► one line of JSON
 */
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import autocannon from 'autocannon'
import { z } from 'zod'

const request = z.object({
  method: z.enum(['GET', 'POST']),
  path: z.string(),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.string().optional(),
})

const order = z.object({
  url: z.string(),
  seconds: z.number(),
  connections: z.number(),
  /** Requests per second over all connections; absent: as many as possible. */
  perSec: z.number().optional(),
  requests: z.array(request).min(1),
})
export type CannonOrder = z.input<typeof order>

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
  // By standard input: 500 signed forms are more than a command line takes.
  child.stdin.end(JSON.stringify(shotOrder))
  return shot.parse(JSON.parse(await text(child.stdout)))
}

async function main(): Promise<void> {
  const { url, seconds, connections, perSec, requests } = order.parse(
    JSON.parse(await text(process.stdin)),
  )
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    requests: requests.map(({ body, ...rest }) => ({ ...rest, ...(body ? { body } : {}) })),
    ...(perSec === undefined ? {} : { overallRate: perSec }),
  })
  const { latency, non2xx, errors, timeouts } = result
  const seen: CannonShot = {
    perSec: result.requests.average,
    p50Ms: latency.p50,
    p99Ms: latency.p99,
    maxMs: latency.max,
    answers: result.requests.total,
    wrong: non2xx + errors + timeouts,
  }
  process.stdout.write(`${JSON.stringify(seen)}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
