import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addressKey } from '../../server/http/rate-limits.ts'
import { readSession, SESSION_LIFE_MS, signSession } from '../../server/http/session-cookie.ts'
import { runApp, type RunningApp } from './running-app.ts'

let app: RunningApp

beforeAll(async () => {
  app = await runApp()
})
afterAll(() => app.close())

async function signIn(on: RunningApp, headers: Record<string, string> = {}) {
  const reply = await on.ask('/api/v1/session', {
    method: 'POST',
    key: false,
    headers,
    body: { key: on.key },
  })
  const header = reply.headers['set-cookie']?.[0] ?? ''
  return { reply, header, cookie: header.split(';')[0] ?? '' }
}

describe('API key', () => {
  it('is asked for on every address that is not open', async () => {
    const { json } = await app.ask('/openapi.json', { key: false })
    const guarded: [string, string][] = []
    for (const [path, methods] of Object.entries<Record<string, { security: object[] }>>(
      json.paths,
    )) {
      for (const [method, operation] of Object.entries(methods)) {
        if (operation.security.some((scheme) => 'apiKey' in scheme)) guarded.push([method, path])
      }
    }
    expect(guarded.length).toBeGreaterThanOrEqual(15)
    for (const [method, path] of guarded) {
      const reply = await app.ask(path, { method: method.toUpperCase(), key: false })
      expect([path, reply.status, reply.json?.error.code]).toEqual([path, 401, 'UNAUTHENTICATED'])
      expect(reply.headers['www-authenticate']).toBe('ApiKey')
    }
  })

  it('opens with the generated key and not with a changed one', async () => {
    expect((await app.ask('/api/v1/session')).json.signedIn).toBe(true)
    const headers = { 'X-API-Key': `${app.key}x` }
    expect((await app.ask('/api/v1/session', { key: false, headers })).status).toBe(401)
  })

  it('opens with ADMIN_API_KEY as configured', async () => {
    const other = await runApp({ env: { ADMIN_API_KEY: 'configured-key-123456' } })
    const headers = { 'X-API-Key': 'configured-key-123456' }
    const reply = await other.ask('/api/v1/session', { key: false, headers })
    expect(reply.json).toEqual({ signedIn: true, name: 'admin' })
    await other.close()
  })
})

describe('session', () => {
  it('is a signed cookie: httpOnly, SameSite=Strict, 12 hours, Secure only over TLS', async () => {
    const { reply, header } = await signIn(app)
    expect(reply.status).toBe(204)
    expect(header).toMatch(
      /^andrea_session=[\w-]+\.[\w-]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    )
    const behindTls = await runApp({ env: { TRUST_PROXY: '1' } })
    const secure = await signIn(behindTls, { 'X-Forwarded-Proto': 'https' })
    expect(secure.header).toMatch(/; Secure$/)
    await behindTls.close()
  })

  it('is refused for a wrong key with 401 and the field', async () => {
    const body = { key: 'wrong-wrong-wrong' }
    const reply = await app.ask('/api/v1/session', { method: 'POST', key: false, body })
    expect([reply.status, reply.json.error.code, reply.json.error.field]).toEqual([
      401,
      'WRONG_KEY',
      'key',
    ])
    expect(reply.headers['set-cookie']).toBeUndefined()
  })

  it('opens for reading until 12 hours have passed', async () => {
    const { cookie } = await signIn(app)
    const read = () => app.ask('/api/v1/agents', { key: false, headers: { Cookie: cookie } })
    expect((await read()).status).toBe(200)
    app.nowMs += SESSION_LIFE_MS
    expect((await read()).status).toBe(401)
    app.nowMs -= SESSION_LIFE_MS
  })

  it('does not open once its text or signature was changed', () => {
    const secret = new Uint8Array(32).fill(1)
    const value = signSession({ id: 'a', name: 'admin' }, secret, 0)
    expect(readSession(value, secret, 1)).toEqual({ id: 'a', name: 'admin' })
    const [text = '', signature = ''] = value.split('.')
    const forged = Buffer.from('{"id":"a","name":"root","exp":9e15}').toString('base64url')
    for (const bad of [`${forged}.${signature}`, `${text}.`, text, `${value}.x`, '', '.', 'a.b']) {
      expect(readSession(bad, secret, 1)).toBeNull()
    }
    expect(readSession(value, new Uint8Array(32).fill(2), 1)).toBeNull()
  })

  it('changes something only when the request comes from this very origin', async () => {
    const { cookie } = await signIn(app)
    const create = (origin: string | null) =>
      app.ask('/api/v1/agents', {
        method: 'POST',
        key: false,
        headers: { Cookie: cookie, ...(origin === null ? {} : { Origin: origin }) },
        body: { name: 'Otra' },
      })
    expect((await create(app.url)).status).toBe(201)
    for (const origin of [null, 'null', 'https://evil.example', app.url.replace('http', 'https')]) {
      const reply = await create(origin)
      expect([origin, reply.status, reply.json.error.code]).toEqual([origin, 403, 'CROSS_ORIGIN'])
    }
  })

  it('cannot be planted by another site', async () => {
    const { reply, header } = await signIn(app, { Origin: 'https://evil.example' })
    expect([reply.status, header]).toEqual([403, ''])
  })

  it('accepts PUBLIC_URL as its origin when the proxy in front changes the host', async () => {
    const proxied = await runApp({ env: { PUBLIC_URL: 'https://andrea.example' } })
    const { cookie, header } = await signIn(proxied, { Host: 'andrea.example' })
    expect(header).toMatch(/; Secure$/)
    const headers = { Cookie: cookie, Origin: 'https://andrea.example' }
    const reply = await proxied.ask('/api/v1/session', { method: 'DELETE', key: false, headers })
    expect(reply.status).toBe(204)
    expect(reply.headers['set-cookie']?.[0]).toMatch(/^andrea_session=; Path=\/; Max-Age=0;/)
    await proxied.close()
  })

  it('lets no browser on another site read an answer: no CORS header is ever sent', async () => {
    const reply = await app.ask('/api/v1/agents', { headers: { Origin: 'https://evil.example' } })
    expect(reply.headers['access-control-allow-origin']).toBeUndefined()
  })
})

describe('rate limits', () => {
  it('refuses the sixth failed sign-in of a minute with 429 and Retry-After', async () => {
    const guarded = await runApp()
    const attempt = (key: string) =>
      guarded.ask('/api/v1/session', { method: 'POST', key: false, body: { key } })
    for (let i = 0; i < 5; i += 1) expect((await attempt('wrong-key')).status).toBe(401)
    const refused = await attempt(guarded.key)
    expect([refused.status, refused.json.error.code]).toEqual([429, 'RATE_LIMITED'])
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(50)
    await guarded.close()
  })

  it('does not count successful sign-ins', async () => {
    for (let i = 0; i < 8; i += 1) expect((await signIn(app)).reply.status).toBe(204)
  })

  it('counts API requests per key: 4 of 3 are refused, another address does not help', async () => {
    const small = await runApp({ limits: { apiPerMinute: 3 }, env: { TRUST_PROXY: '1' } })
    const ask = (ip: string) => small.ask('/api/v1/session', { headers: { 'X-Forwarded-For': ip } })
    expect((await ask('192.0.2.1')).headers['ratelimit-remaining']).toBe('2')
    await ask('192.0.2.1')
    await ask('192.0.2.1')
    expect((await ask('192.0.2.2')).status).toBe(429)
    await small.close()
  })

  it('refuses further wrong keys of an address, and leaves other addresses alone', async () => {
    const small = await runApp({ limits: { wrongKeyPerMinute: 2 }, env: { TRUST_PROXY: '1' } })
    const ask = (ip: string, key: string) =>
      small.ask('/api/v1/session', {
        key: false,
        headers: { 'X-Forwarded-For': ip, 'X-API-Key': key },
      })
    const statuses = []
    for (let i = 0; i < 4; i += 1) statuses.push((await ask('192.0.2.1', `guess-${i}`)).status)
    expect(statuses).toEqual([401, 401, 429, 429])
    expect((await ask('192.0.2.2', small.key)).status).toBe(200)
    await small.close()
  })

  it('believes X-Forwarded-For only behind a configured proxy', async () => {
    const direct = await runApp({ limits: { wrongKeyPerMinute: 1 } })
    const ask = (ip: string) =>
      direct.ask('/api/v1/session', {
        key: false,
        headers: { 'X-Forwarded-For': ip, 'X-API-Key': 'guess' },
      })
    expect([(await ask('192.0.2.1')).status, (await ask('192.0.2.2')).status]).toEqual([401, 429])
    await direct.close()
  })

  it('counts IPv6 addresses by their /64', () => {
    expect(addressKey('2001:db8:1:2:aaaa::1')).toBe(addressKey('2001:db8:1:2:bbbb::2'))
    expect(addressKey('2001:db8:1:2::1')).not.toBe(addressKey('2001:db8:1:3::1'))
    expect(addressKey('2001:db8::1')).toBe('2001:db8:0:0')
    expect(addressKey('::ffff:192.0.2.7')).toBe('192.0.2.7')
    expect(addressKey('::1')).toBe('0:0:0:0')
  })
})

describe('secrets', () => {
  it('never appear in the log, whatever the request carries them in', async () => {
    const secretKey = 'ADMINKEY-abcdef-123456'
    const quiet = await runApp({
      env: { ADMIN_API_KEY: secretKey, TWILIO_AUTH_TOKEN: 'twilio-token-654321' },
    })
    const { cookie } = await signIn(quiet)
    await quiet.ask(`/api/v1/calls?key=${quiet.key}&token=${secretKey}`)
    await quiet.ask(`/api/v1/${secretKey}`, { headers: { 'X-API-Key': secretKey, Cookie: cookie } })
    await quiet.ask('/api/v1/session', { headers: { Authorization: `Bearer ${quiet.key}` } })
    const body = { client: 'browser' }
    const token = (await quiet.ask('/api/v1/media-tokens', { method: 'POST', body })).json.token
    await quiet.ask(`/api/v1/ws/media-stream?client=browser&token=${token}`)
    await quiet.ask('/api/v1/twilio/incoming-call', {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: 'CallSid=CA1',
    })
    const log = quiet.logLines.join('')
    expect(quiet.logLines.length).toBeGreaterThan(5)
    for (const secret of [
      secretKey,
      quiet.key,
      cookie.split('=')[1],
      token,
      'twilio-token-654321',
    ]) {
      expect(log).not.toContain(secret)
    }
    await quiet.close()
  })
})
