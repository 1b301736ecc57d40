import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTempDir } from '../support/postgres.ts'
import { runApp, type RunningApp } from './running-app.ts'

let app: RunningApp

beforeAll(async () => {
  const dashboardDir = openTempDir('andrea-dist-')
  mkdirSync(join(dashboardDir, 'assets'))
  writeFileSync(join(dashboardDir, 'index.html'), '<!doctype html><title>Andrea</title>')
  writeFileSync(join(dashboardDir, 'assets', 'index-4f2a.js'), 'export {}')
  writeFileSync(join(dashboardDir, '.secret'), 'no')
  app = await runApp({ dashboardDir })
})
afterAll(() => app.close())

describe('errors', () => {
  it('answers an unknown address with 404 in the one error shape, with the request id of the header', async () => {
    const reply = await app.ask('/api/v1/nothing')
    expect(reply.status).toBe(404)
    expect(reply.json).toEqual({
      error: {
        code: 'NOT_FOUND',
        message: 'There is nothing at /api/v1/nothing.',
        requestId: reply.headers['x-request-id'],
      },
    })
  })

  it('answers a wrong method with 405 and the methods that are allowed', async () => {
    const reply = await app.ask('/api/v1/agents', { method: 'PATCH' })
    expect(reply.status).toBe(405)
    expect(reply.headers.allow).toMatch(/GET/)
    expect(reply.headers.allow).toMatch(/POST/)
    expect(reply.json.error.code).toBe('METHOD_NOT_ALLOWED')
  })

  it('answers a method that HTTP has but we do not with 501', async () => {
    const reply = await app.ask('/api/v1/agents', { method: 'PROPFIND' })
    expect(reply.status).toBe(501)
    expect(reply.json.error.code).toBe('METHOD_UNKNOWN')
  })

  it('takes 256 kB of JSON and refuses one byte more with 413', async () => {
    const body = (bytes: number) => `{"name":"${'x'.repeat(bytes - 11)}"}`
    const headers = { 'Content-Type': 'application/json' }
    const post = (bytes: number) =>
      app.ask('/api/v1/agents', { method: 'POST', headers, body: body(bytes) })
    expect((await post(262_144)).status).toBe(422)
    const over = await post(262_145)
    expect(over.status).toBe(413)
    expect(over.json.error.code).toBe('BODY_TOO_LARGE')
  })

  it('refuses a body that is not application/json with 415', async () => {
    const headers = { 'Content-Type': 'text/plain' }
    const reply = await app.ask('/api/v1/agents', { method: 'POST', headers, body: 'name=x' })
    expect(reply.status).toBe(415)
    expect(reply.json.error.code).toBe('UNSUPPORTED_MEDIA_TYPE')
  })

  it('refuses broken JSON with 400 INVALID_JSON', async () => {
    const headers = { 'Content-Type': 'application/json' }
    const reply = await app.ask('/api/v1/agents', { method: 'POST', headers, body: '{"name":' })
    expect(reply.status).toBe(400)
    expect(reply.json.error.code).toBe('INVALID_JSON')
  })

  it('answers 422 naming the field when a value is missing, wrong or unknown', async () => {
    const post = (body: unknown) => app.ask('/api/v1/agents', { method: 'POST', body })
    for (const [body, field] of [
      [{}, 'name'],
      [{ name: 7 }, 'name'],
      [{ name: 'x', extra: 1 }, 'extra'],
    ] as const) {
      const reply = await post(body)
      expect([reply.status, reply.json.error.field]).toEqual([422, field])
    }
  })

  it('keeps the reason of an unforeseen failure in the log, under the request id', async () => {
    const broken = await runApp()
    await broken.db.end()
    const reply = await broken.ask('/api/v1/agents', { headers: { 'X-Request-Id': 'trace-12345' } })
    expect([500, 503]).toContain(reply.status)
    expect(reply.json.error.requestId).toBe('trace-12345')
    expect(reply.text).not.toMatch(/pool|slonik|stack/i)
    expect(broken.logLines.join('')).toContain('trace-12345')
    await broken.close().catch(() => undefined)
  })

  it('answers 503 STORE_UNAVAILABLE while the database is away; health and webhooks go on', async () => {
    const lonely = await runApp({ env: { ADMIN_API_KEY: 'configured-key-123456' } })
    await lonely.dropDatabase()
    const headers = { 'X-API-Key': 'configured-key-123456' }
    const reply = await lonely.ask('/api/v1/agents', { key: false, headers })
    expect([reply.status, reply.json.error.code]).toEqual([503, 'STORE_UNAVAILABLE'])
    expect(reply.headers['retry-after']).toBe('5')
    expect((await lonely.ask('/health')).status).toBe(200)
    const incoming = await lonely.ask('/api/v1/twilio/incoming-call', {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: 'CallSid=CA1',
    })
    expect(incoming.status).toBe(200)
    await lonely.close()
  })

  it('answers 400 to a body that cannot be decompressed, 415 to an unknown encoding', async () => {
    const post = (encoding: string) =>
      app.ask('/api/v1/agents', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Content-Encoding': encoding },
        body: '{"name":"x"}',
      })
    expect([(await post('gzip')).status, (await post('foo')).status]).toEqual([400, 415])
  })

  it('counts a body against the limit after it was decompressed', async () => {
    const bomb = gzipSync(Buffer.alloc(1_000_000, 'x'))
    const reply = await app.ask('/api/v1/agents', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' },
      body: bomb,
    })
    expect(reply.status).toBe(413)
  })

  it('answers 404 or 400 to addresses that cannot be decoded', async () => {
    expect((await app.ask('/api/v1/agents/%zz')).status).toBe(404)
    expect((await app.ask('/dashboard/%zz.js')).status).toBe(400)
    expect((await app.ask('//evil.example/x')).status).toBe(404)
  })
})

describe('headers', () => {
  it('passes on a request id that looks like one and replaces one that does not', async () => {
    const id = async (given: string) =>
      (await app.ask('/health', { headers: { 'X-Request-Id': given } })).headers['x-request-id']
    expect(await id('abc-DEF_123')).toBe('abc-DEF_123')
    expect(await id('bad id "quoted"')).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('forbids foreign scripts, framing and sniffing, and allows the microphone to itself only', async () => {
    const { headers } = await app.ask('/dashboard/')
    const policy = headers['content-security-policy'] ?? ''
    expect(policy).toContain("default-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain("script-src 'self' 'unsafe-inline'")
    expect(policy).not.toContain('upgrade-insecure-requests')
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['permissions-policy']).toContain('microphone=(self)')
    expect(headers['strict-transport-security']).toBeUndefined()
    expect(headers['x-powered-by']).toBeUndefined()
  })

  it('lets no cache keep an API answer', async () => {
    expect((await app.ask('/api/v1/agents')).headers['cache-control']).toBe('no-store')
  })
})

describe('probes', () => {
  it('is healthy without a key and ready only when told so', async () => {
    expect((await app.ask('/health', { key: false })).json).toMatchObject({ status: 'ok' })
    expect((await app.ask('/ready', { key: false })).status).toBe(200)
    app.isReady = false
    const reply = await app.ask('/ready', { key: false })
    expect([reply.status, reply.json.error.code]).toEqual([503, 'NOT_READY'])
    app.isReady = true
  })

  it('counts requests by route pattern, never by the path a stranger chose', async () => {
    await app.ask('/api/v1/calls/stranger-chosen', {})
    const { text } = await app.ask('/metrics', { key: false })
    expect(text).toContain('route="/api/v1/calls/:id",status="404"')
    expect(text).not.toContain('stranger-chosen')
  })
})

describe('dashboard', () => {
  it('leads / to /dashboard/ and answers every page of the app with index.html', async () => {
    const root = await app.ask('/', { key: false })
    expect([root.status, root.headers.location]).toEqual([302, '/dashboard/'])
    for (const path of ['/dashboard', '/dashboard/', '/dashboard/calls/42']) {
      const page = await app.ask(path, { key: false })
      expect([page.status, page.headers['cache-control']]).toEqual([200, 'no-cache'])
      expect(page.headers['content-type']).toContain('text/html')
    }
  })

  it('keeps hashed assets for a year and answers 304 for an unchanged page', async () => {
    const asset = await app.ask('/dashboard/assets/index-4f2a.js', { key: false })
    expect(asset.headers['cache-control']).toBe('max-age=31536000,immutable')
    const page = await app.ask('/dashboard/', { key: false })
    const headers = { 'If-Modified-Since': page.headers['last-modified'] ?? '' }
    expect((await app.ask('/dashboard/', { key: false, headers })).status).toBe(304)
  })

  it('sends no missing, hidden or outside file', async () => {
    for (const path of [
      '/dashboard/assets/gone.js',
      '/dashboard/.secret',
      '/dashboard/..%2f..%2fpackage.json',
      '/dashboard/%2e%2e/%2e%2e/package.json',
    ]) {
      const reply = await app.ask(path, { key: false })
      expect(reply.text).not.toContain('"andrea"')
      expect([403, 404]).toContain(reply.status)
    }
  })

  it('says how to build the dashboard when it is missing', async () => {
    const bare = await runApp({ dashboardDir: '/nonexistent' })
    const reply = await bare.ask('/dashboard', { key: false })
    expect([reply.status, reply.json.error.hint]).toEqual([503, 'Run: npm run build'])
    await bare.close()
  })
})
