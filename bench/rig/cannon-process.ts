/**
 * Autocannon in a process of its own, so that its timings do not wait for the rig's event loop:
 *
 *   node bench/rig/cannon-process.ts '{"url":…,"seconds":…,"requests":[…]}'   ─►   one line of JSON
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
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
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [fileURLToPath(import.meta.url), JSON.stringify(shotOrder)],
    { maxBuffer: 10 * 1024 * 1024 },
  )
  return shot.parse(JSON.parse(stdout))
}

async function main(): Promise<void> {
  const { url, seconds, connections, perSec, requests } = order.parse(
    JSON.parse(process.argv[2] ?? '{}'),
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
