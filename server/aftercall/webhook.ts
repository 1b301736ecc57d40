/**
 * Webhook: posts what a call came to, signed, and tries again.
 *
 *   Andrea-Signature: t=<seconds since 1970>,v1=<hex HMAC-SHA-256 of "t.body" with WEBHOOK_SECRET>
 *
 * The receiver checks both: the time stops a replay, the HMAC a forgery. Only public addresses (public-lookup.ts); redirects
 * are not followed.
 */
import { createHmac } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorText } from '../errors.ts'
import { publicLookup, refusePrivateHost, RefusedAddress } from './public-lookup.ts'

export interface WebhookDeps {
  secret: string
  /** For tests and for receivers in one's own network: plain http and private addresses are allowed. */
  allowPrivate: boolean
  /** Seconds since 1970. */
  nowSec(): number
  /** Waits before the second, third … attempt, ms. */
  retryMs?: readonly number[]
  /** Gives up. */
  signal?: AbortSignal
}

const RETRY_MS = [1_000, 5_000, 30_000]
const TIMEOUT_MS = 5_000

export function signature(body: string, secret: string, atSec: number): string {
  const mac = createHmac('sha256', secret).update(`${atSec}.${body}`).digest('hex')
  return `t=${atSec},v1=${mac}`
}

/** @returns null when it was taken, else why not. 4xx other than 408 and 429 are not tried again. Never throws. */
export async function postWebhook(
  url: string,
  payload: unknown,
  deps: WebhookDeps,
): Promise<string | null> {
  const body = JSON.stringify(payload)
  const waits = deps.retryMs ?? RETRY_MS
  for (let attempt = 0; ; attempt++) {
    const failure = await attemptPost(url, body, deps)
    const waitMs = waits[attempt]
    if (failure === null) return null
    if (failure.isFinal || waitMs === undefined) return failure.reason
    if (!(await waited(waitMs, deps.signal))) return failure.reason
  }
}

/** False when it was cut short. */
async function waited(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await sleep(ms, undefined, signal ? { signal } : {})
    return true
  } catch (error) {
    if (signal?.aborted) return false
    throw error
  }
}

interface Failure {
  reason: string
  isFinal: boolean
}

async function attemptPost(url: string, body: string, deps: WebhookDeps): Promise<Failure | null> {
  try {
    const status = await send(allowedUrl(url, deps.allowPrivate), body, deps)
    if (status >= 200 && status < 300) return null
    const isFinal = status < 500 && status !== 408 && status !== 429
    return { reason: `the receiver answered ${status}`, isFinal }
  } catch (error) {
    return { reason: errorText(error), isFinal: error instanceof RefusedAddress }
  }
}

/** @throws RefusedAddress for anything but https to a name or a public address. */
function allowedUrl(text: string, allowPrivate: boolean): URL {
  if (!URL.canParse(text)) throw new RefusedAddress('the webhook URL is not a URL')
  const url = new URL(text)
  const isPlain = url.protocol === 'http:' && allowPrivate
  if (url.protocol !== 'https:' && !isPlain) throw new RefusedAddress('webhooks go to https only')
  if (!allowPrivate) refusePrivateHost(url)
  return url
}

function send(url: URL, body: string, deps: WebhookDeps): Promise<number> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        method: 'POST',
        timeout: TIMEOUT_MS,
        signal: AbortSignal.timeout(2 * TIMEOUT_MS),
        lookup: deps.allowPrivate ? undefined : publicLookup,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'andrea-signature': signature(body, deps.secret, deps.nowSec()),
        },
      },
      (answer) => {
        // The body does not matter, but it must be read for the socket to be freed.
        answer.resume()
        answer.once('end', () => resolve(answer.statusCode ?? 0))
        answer.once('error', reject)
      },
    )
    outgoing.once('timeout', () =>
      outgoing.destroy(new Error('the receiver did not answer in 5 s')),
    )
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}
