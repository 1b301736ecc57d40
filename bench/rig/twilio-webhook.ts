/** The HTTP half of the simulated Twilio: signed form posts, as its proxy sends them. */
import { createHmac, randomUUID } from 'node:crypto'
import { request } from 'node:http'

/** Twilio gives up on an answer after 15 s (error 11205). */
const TIMEOUT_MS = 15_000
const ANSWER_LIMIT_BYTES = 64 * 1024

export interface WebhookTarget {
  /** Where the server listens, e.g. `http://127.0.0.1:8000`. */
  server: string
  /** The base URL that Twilio knows the server by; the signature covers it. */
  publicUrl: string
  /** Null posts without a signature. */
  authToken: string | null
}

export interface WebhookAnswer {
  status: number
  contentType: string
  body: string
}

/** `X-Twilio-Signature` of a URL and its form fields (none for a WebSocket upgrade). */
export function signature(authToken: string, url: string, fields: Record<string, string>): string {
  const text = Object.keys(fields)
    .sort()
    .reduce((all, name) => all + name + (fields[name] ?? ''), url)
  return createHmac('sha1', authToken).update(text).digest('base64')
}

/**
 * Posts a form to `path`. @throws Error when the server cannot be reached or does not answer within
 * 15 s.
 */
export function postForm(
  target: WebhookTarget,
  path: string,
  fields: Record<string, string>,
): Promise<WebhookAnswer> {
  const url = new URL(path, target.server)
  const publicUrl = new URL(path, target.publicUrl)
  const body = new URLSearchParams(fields).toString()
  const headers: Record<string, string> = {
    host: publicUrl.host,
    'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
    'content-length': String(Buffer.byteLength(body)),
    'user-agent': 'TwilioProxy/1.1',
    accept: '*/*',
    'i-twilio-idempotency-token': randomUUID(),
    'x-home-region': 'us1',
    connection: 'close',
  }
  if (target.authToken !== null) {
    headers['x-twilio-signature'] = signature(target.authToken, publicUrl.href, fields)
  }
  return new Promise((resolve, reject) => {
    const post = request(url, { method: 'POST', headers, timeout: TIMEOUT_MS }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (part: string) => {
        text += part
        if (text.length > ANSWER_LIMIT_BYTES) post.destroy(new Error('TwiML above 64 kB'))
      })
      answer.on('end', () => {
        const contentType = answer.headers['content-type'] ?? ''
        resolve({ status: answer.statusCode ?? 0, contentType, body: text })
      })
      answer.on('error', reject)
    })
    post.on('timeout', () => post.destroy(new Error(`11205: no answer from ${url.href} in 15 s`)))
    post.on('error', reject)
    post.end(body)
  })
}
