import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { callHttpTool } from '../../server/tools/call-http-tool.ts'
import type { HttpTool } from '../../server/tools/http-tool.ts'

const TOOL: HttpTool = {
  ...{ name: 'find', description: 'Finds.', method: 'GET', url: 'https://example.com/' },
  ...{ headers: { Authorization: 'Bearer key-of-the-test' }, timeoutMs: 10_000, retries: 0 },
  parameters: {
    type: 'object',
    properties: { day: { type: 'string' }, people: { type: 'integer' } },
    required: ['day'],
  },
}

let server: Server | null = null

interface Asked {
  method: string
  url: string
  headers: IncomingMessage['headers']
  body: string
}

/** A service on this machine. `host` is what the allow-list must name. */
async function service(
  respond: (answer: ServerResponse, count: number) => void,
): Promise<{ host: string; asked: Asked[] }> {
  const asked: Asked[] = []
  const started = createServer((request, answer) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      asked.push({ method, url, headers, body })
      respond(answer, asked.length)
    })
  })
  server = started
  await new Promise<void>((done) => started.listen(0, '127.0.0.1', done))
  return { host: `127.0.0.1:${(started.address() as AddressInfo).port}`, asked }
}

function call(
  tool: Partial<HttpTool>,
  o: { allowedHosts?: string[]; args?: string; signal?: AbortSignal } = {},
): Promise<string> {
  const { allowedHosts = [], args = '{"day":"2026-12-01"}' } = o
  const signal = o.signal ?? new AbortController().signal
  const one = { callId: 'call-1', tool: { ...TOOL, ...tool }, args, signal }
  return callHttpTool(one, { allowedHosts, retryMs: [0] })
}

afterEach(async () => {
  server?.closeAllConnections()
  await new Promise<void>((done) => (server ? server.close(() => done()) : done()))
  server = null
})

describe('HTTP tool', () => {
  it('sends the arguments of a GET in the query, with its headers, and returns the body', async () => {
    const { host, asked } = await service((answer) => answer.end('{"free":["10:00"]}'))
    const args = '{"day":"1 & 2","people":2}'
    const result = await call({ url: `http://${host}/a?x=1` }, { allowedHosts: [host], args })
    expect(result).toBe('{"free":["10:00"]}')
    expect(asked[0]).toMatchObject({
      method: 'GET',
      url: '/a?x=1&day=1+%26+2&people=2',
      headers: { authorization: 'Bearer key-of-the-test' },
      body: '',
    })
  })

  it('sends those of a POST as JSON, with one idempotency key over 2 calls and 3 attempts', async () => {
    const { host, asked } = await service((answer, count) => {
      answer.writeHead(count === 1 ? 503 : 200).end('booked')
    })
    const tool = { method: 'POST', url: `http://${host}/`, retries: 1 } as const
    expect(await call(tool, { allowedHosts: [host] })).toBe('booked')
    expect(await call(tool, { allowedHosts: ['127.0.0.1'] })).toBe('booked')
    expect(asked.map(({ body }) => body)).toEqual(Array(3).fill('{"day":"2026-12-01"}'))
    const keys = new Set(asked.map(({ headers }) => headers['idempotency-key']))
    expect([keys.size, [...keys][0]?.length]).toEqual([1, 32])
  })

  it('does not try again after 404 nor follow a redirect, and tells the model', async () => {
    const { host, asked } = await service((answer, count) => {
      answer.writeHead(count === 1 ? 404 : 302, { location: 'http://127.0.0.1:1/' }).end('nothing')
    })
    const tool = { url: `http://${host}/`, retries: 3 }
    expect(await call(tool, { allowedHosts: [host] })).toBe(
      'error: the service answered 404 nothing',
    )
    expect(await call(tool, { allowedHosts: [host] })).toMatch(/^error: the service answered 302/)
    expect(asked).toHaveLength(2)
  })

  it('gives up 3 attempts that are not answered in time', async () => {
    const { host, asked } = await service(() => undefined)
    const tool = { url: `http://${host}/`, timeoutMs: 150, retries: 2 }
    expect(await call(tool, { allowedHosts: [host] })).toBe('error: no answer in 150 ms')
    // On a busy machine an attempt may be over before it has reached the service.
    expect(asked.length).toBeLessThanOrEqual(3)
  })

  it('ends when the call no longer wants the result', async () => {
    const abort = new AbortController()
    const { host, asked } = await service(() => abort.abort())
    const tool = { url: `http://${host}/`, retries: 3 }
    const result = await call(tool, { allowedHosts: [host], signal: abort.signal })
    expect(result).toMatch(/^error: /)
    expect(asked).toHaveLength(1)
  })

  it('cuts an answer of 1 MB to 4 000 characters, and takes its own secret out of it', async () => {
    const { host } = await service((answer) => {
      answer.end(`you sent key-of-the-test ${'x'.repeat(1_000_000)}`)
    })
    const result = await call({ url: `http://${host}/` }, { allowedHosts: [host] })
    expect(result).toMatch(/^you sent \*\*\* xxx/)
    expect(result.length).toBeLessThan(4_020)
  })

  it('refuses arguments that do not fit the schema without asking', async () => {
    const { host, asked } = await service((answer) => answer.end())
    const tool = { url: `http://${host}/` }
    for (const args of ['{', '[]', '{}', '{"day":1}', '{"day":"x","people":1.5}']) {
      expect(await call(tool, { allowedHosts: [host], args })).toMatch(/^error: arguments:/)
    }
    expect(asked).toHaveLength(0)
  })

  it.each([
    ['https://127.0.0.1/', 'not a public address'],
    ['https://[::1]/', 'not a public address'],
    ['https://169.254.169.254/latest/meta-data', 'not a public address'],
    ['https://10.0.0.8/', 'not a public address'],
    ['https://2130706433/', 'not a public address'],
    ['https://localhost/', 'which is not public'],
    ['http://example.com/', 'tools use https only'],
  ])('refuses %s: %s', async (url, reason) => {
    expect(await call({ url, retries: 3 })).toContain(reason)
  })

  it('does not take one allowed host for another', async () => {
    const { host, asked } = await service((answer) => answer.end())
    const tool = { url: `http://${host}/` }
    expect(await call(tool, { allowedHosts: ['127.0.0.1:1', '0.0.1', 'localhost'] })).toMatch(
      /^error: tools use https only/,
    )
    expect(asked).toHaveLength(0)
  })
})
