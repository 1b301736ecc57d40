import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { postWebhook, signature, type WebhookDeps } from '../../server/aftercall/webhook.ts'

const DEPS: WebhookDeps = {
  secret: 'a-secret-of-the-test',
  allowPrivate: true,
  nowSec: () => 1_700_000_000,
  retryMs: [0, 0],
}

interface Taken {
  signature: string
  body: string
}

let server: Server | null = null

/** Answers with these statuses, one after the other. */
async function receiver(...statuses: number[]): Promise<{ url: string; taken: Taken[] }> {
  const taken: Taken[] = []
  const started = createServer((request, answer) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      taken.push({ signature: String(request.headers['andrea-signature']), body })
      answer.writeHead(statuses.shift() ?? 200, { location: 'http://127.0.0.1:1/' }).end('ok')
    })
  })
  server = started
  await new Promise<void>((done) => started.listen(0, '127.0.0.1', done))
  const { port } = started.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/hook`, taken }
}

afterEach(async () => {
  server?.closeAllConnections()
  await new Promise<void>((done) => (server ? server.close(() => done()) : done()))
  server = null
})

describe('webhook', () => {
  it('posts JSON whose signature is the HMAC of time and body', async () => {
    const { url, taken } = await receiver(200)
    expect(await postWebhook(url, { a: 'ñ' }, DEPS)).toBeNull()
    expect(taken).toEqual([
      { body: '{"a":"ñ"}', signature: signature('{"a":"ñ"}', DEPS.secret, 1_700_000_000) },
    ])
    expect(signature('{}', 'key', 1)).toBe(
      't=1,v1=1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224',
    )
  })

  it('tries again after 500 and 429, and gives up after three attempts', async () => {
    const { url, taken } = await receiver(500, 429, 200)
    expect(await postWebhook(url, {}, DEPS)).toBeNull()
    expect(taken).toHaveLength(3)
    const second = await receiverAgain(503, 503, 503, 503)
    expect(await postWebhook(second.url, {}, DEPS)).toBe('the receiver answered 503')
    expect(second.taken).toHaveLength(3)
  })

  it('does not try again after 404, nor follow a redirect', async () => {
    const { url, taken } = await receiver(404)
    expect(await postWebhook(url, {}, DEPS)).toBe('the receiver answered 404')
    expect(taken).toHaveLength(1)
    const moved = await receiverAgain(302)
    expect(await postWebhook(moved.url, {}, DEPS)).toBe('the receiver answered 302')
    expect(moved.taken).toHaveLength(1)
  })

  it('refuses plain http and private addresses, by name too, without a connection', async () => {
    const guarded = { ...DEPS, allowPrivate: false }
    expect(await postWebhook('http://example.com/', {}, guarded)).toBe('webhooks go to https only')
    expect(await postWebhook('https://169.254.169.254/', {}, guarded)).toMatch(/not a public/)
    expect(await postWebhook('https://[::1]/', {}, guarded)).toMatch(/not a public/)
    expect(await postWebhook('https://localhost/', {}, guarded)).toMatch(/not public/)
    expect(await postWebhook('no url', {}, guarded)).toMatch(/not a URL/)
  })
})

async function receiverAgain(...statuses: number[]) {
  server?.closeAllConnections()
  server?.close()
  return await receiver(...statuses)
}
