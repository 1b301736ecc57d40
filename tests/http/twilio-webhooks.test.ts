import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseForm, TWILIO_MEDIA_PATH } from '../../server/http/twilio-webhooks.ts'
import { runApp, type RunningApp } from './running-app.ts'

const AUTH_TOKEN = '12345-not-a-real-token'
const PUBLIC_URL = 'https://andrea.example'
const INCOMING = '/api/v1/twilio/incoming-call'
const FORM = 'application/x-www-form-urlencoded; charset=UTF-8'
/** Fields as in captured requests: empty ones and a JSON text included. */
const CALL: [string, string][] = [
  ['CallSid', 'CA0123456789abcdef0123456789abcdef'],
  ['AccountSid', 'AC0123456789abcdef0123456789abcdef'],
  ['From', '+525512345678'],
  ['To', '+525587654321'],
  ['CallStatus', 'ringing'],
  ['ApiVersion', '2010-04-01'],
  ['Direction', 'inbound'],
  ['CallerCity', ''],
  ['FromState', 'Ciudad de México'],
  ['CallToken', '{"parentCallInfoToken":"x&y=z"}'],
]

/** Twilio's scheme, written down a second time: URL, then sorted keys with their values. */
function sign(url: string, fields: [string, string][], authToken = AUTH_TOKEN): string {
  const keys = [...new Set(fields.map(([name]) => name))].sort()
  const text = keys.map((key) => {
    const values = [...new Set(fields.filter(([name]) => name === key).map(([, value]) => value))]
    return values
      .sort()
      .map((value) => key + value)
      .join('')
  })
  return createHmac('sha1', authToken)
    .update(url + text.join(''))
    .digest('base64')
}

const encode = (fields: [string, string][]) => new URLSearchParams(fields).toString()

let app: RunningApp

beforeAll(async () => {
  app = await runApp({ env: { TWILIO_AUTH_TOKEN: AUTH_TOKEN, PUBLIC_URL } })
})
afterAll(() => app.close())

function post(
  on: RunningApp,
  options: { fields?: [string, string][]; signature?: string; path?: string } = {},
) {
  const signature: Record<string, string> =
    options.signature === undefined ? {} : { 'X-Twilio-Signature': options.signature }
  return on.ask(options.path ?? INCOMING, {
    method: 'POST',
    key: false,
    headers: { 'Content-Type': FORM, ...signature },
    body: encode(options.fields ?? CALL),
  })
}

describe('signature', () => {
  it('is accepted when it matches URL and every field', async () => {
    const reply = await post(app, { signature: sign(PUBLIC_URL + INCOMING, CALL) })
    expect(reply.status).toBe(200)
  })

  it('covers empty and repeated fields', async () => {
    const fields: [string, string][] = [
      ...CALL,
      ['Tag', 'b'],
      ['Tag', 'a'],
      ['Tag', 'b'],
      ['Z', ''],
    ]
    const signature = sign(PUBLIC_URL + INCOMING, fields)
    expect((await post(app, { fields, signature })).status).toBe(200)
    expect((await post(app, { fields: fields.slice(0, -2), signature })).status).toBe(403)
  })

  it('covers the query string as it was sent', async () => {
    const path = `${INCOMING}?b=2&a=%7E1`
    const signature = sign(PUBLIC_URL + path, CALL)
    expect((await post(app, { path, signature })).status).toBe(200)
    expect((await post(app, { path: `${INCOMING}?b=2&a=1`, signature })).status).toBe(403)
  })

  it('works for GET, where the fields are in the query string', async () => {
    const path = `${INCOMING}?${encode(CALL)}`
    const headers = { 'X-Twilio-Signature': sign(PUBLIC_URL + path, []) }
    expect((await app.ask(path, { key: false, headers })).status).toBe(200)
  })

  it('is refused with 403 and counted when missing, wrong, of another token, URL or field value', async () => {
    const good = sign(PUBLIC_URL + INCOMING, CALL)
    const changed = CALL.map(([name, value]): [string, string] =>
      name === 'From' ? [name, '+15005550006'] : [name, value],
    )
    const attempts = [
      {},
      { signature: '' },
      { signature: 'AAAA' },
      { signature: sign(PUBLIC_URL + INCOMING, CALL, 'other') },
      { signature: sign('http://andrea.example' + INCOMING, CALL) },
      { signature: good, fields: changed },
      { signature: good, fields: [...CALL, ['Extra', '1']] as [string, string][] },
    ]
    for (const attempt of attempts) {
      const reply = await post(app, attempt)
      expect([reply.status, reply.json.error.code]).toEqual([403, 'BAD_SIGNATURE'])
    }
    const { text } = await app.ask('/metrics')
    expect(text).toMatch(/webhook_rejected_total\{carrier="twilio",reason="unsigned"\} 2/)
    expect(text).toMatch(/webhook_rejected_total\{carrier="twilio",reason="badSignature"\} [5-9]/)
  })

  it('is taken over the request’s own host when PUBLIC_URL is not set', async () => {
    const local = await runApp({ env: { TWILIO_AUTH_TOKEN: AUTH_TOKEN } })
    expect((await post(local, { signature: sign(local.url + INCOMING, CALL) })).status).toBe(200)
    await local.close()
  })

  it('is not asked for without a configured token', async () => {
    const local = await runApp()
    expect((await post(local)).status).toBe(200)
    await local.close()
  })
})

describe('incoming call', () => {
  const ask = (fields = CALL) =>
    post(app, { fields, signature: sign(PUBLIC_URL + INCOMING, fields) })

  it('is connected to the media socket by wss, without a query, with token, from and to', async () => {
    const reply = await ask()
    expect(reply.headers['content-type']).toContain('text/xml')
    expect(reply.text).toMatch(
      new RegExp(
        `<Response><Connect><Stream url="wss://andrea\\.example${TWILIO_MEDIA_PATH}">` +
          '<Parameter name="token" value="([\\w-]{32})"/>' +
          '<Parameter name="from" value="\\+525512345678"/>' +
          '<Parameter name="to" value="\\+525587654321"/></Stream></Connect></Response>$',
      ),
    )
  })

  it('gets a token that opens one stream, once, for this very call', async () => {
    const token = /name="token" value="([\w-]+)"/.exec((await ask()).text)?.[1] ?? ''
    expect(app.tokens.take(token, app.nowMs)).toMatchObject({
      client: 'twilio',
      carrierCallId: 'CA0123456789abcdef0123456789abcdef',
    })
    expect(app.tokens.take(token, app.nowMs)).toBeNull()
  })

  it('is connected by ws where there is no TLS, as with the rig', async () => {
    const local = await runApp()
    const reply = await post(local)
    expect(reply.text).toContain(`url="${local.url.replace('http', 'ws')}${TWILIO_MEDIA_PATH}"`)
    await local.close()
  })

  it('cannot break out of the TwiML with what it says about itself', async () => {
    const evil = '"/><Dial>+1900</Dial>&<x y=\''
    const changes: Record<string, string> = { From: evil, CallSid: `CA${'e'.repeat(32)}` }
    const fields = CALL.map(([name, value]): [string, string] => [name, changes[name] ?? value])
    const { text } = await ask(fields)
    expect(text).not.toContain('<Dial>')
    expect(text).toContain('value="&quot;/>&lt;Dial>+1900')
  })

  it('is told politely, then hung up, when no line is free', async () => {
    app.admission = { ok: false, reason: 'full' }
    const fields = CALL.map(([name, value]): [string, string] =>
      name === 'CallSid' ? [name, `CA${'f'.repeat(32)}`] : [name, value],
    )
    const reply = await ask(fields)
    app.admission = { ok: true }
    expect(reply.status).toBe(200)
    expect(reply.text).toMatch(/<Say language="es-MX">En este momento .*<\/Say><Hangup\/>/)
    expect(reply.text).not.toContain('<Stream')
    expect((await app.ask('/metrics')).text).toContain(
      'andrea_calls_refused_total{carrier="twilio",reason="full"} 1',
    )
  })

  it('without a CallSid is refused with 422, of another type with 415, over 64 kB with 413', async () => {
    const local = await runApp()
    expect((await post(local, { fields: [['From', '+1']] })).json.error.field).toBe('CallSid')
    const headers = { 'Content-Type': 'text/plain' }
    const plain = await local.ask(INCOMING, { method: 'POST', key: false, headers, body: 'CA1' })
    expect(plain.status).toBe(415)
    expect((await post(local, { fields: [['CallSid', 'x'.repeat(65_536)]] })).status).toBe(413)
    await local.close()
  })
})

describe('status report', () => {
  it('is handed on with the end of the call recognised', async () => {
    const path = '/api/v1/twilio/status'
    const send = (status: string) => {
      const fields: [string, string][] = [
        ['CallSid', 'CA1'],
        ['CallStatus', status],
      ]
      return post(app, { path, fields, signature: sign(PUBLIC_URL + path, fields) })
    }
    for (const status of ['in-progress', 'completed']) expect((await send(status)).status).toBe(204)
    expect(app.carrierReports.map(({ kind }) => kind)).toEqual(['answered', 'ended'])
  })
})

describe('keys that were pressed', () => {
  it('never come into the log, at any level, also when the webhook is refused', async () => {
    const path = '/api/v1/twilio/status'
    const fields: [string, string][] = [
      ['CallSid', 'CA2'],
      ['CallStatus', 'in-progress'],
      ['Digits', '7391462'],
    ]
    const signature = sign(PUBLIC_URL + path, fields)
    expect((await post(app, { path, fields, signature })).status).toBe(204)
    expect((await post(app, { path, fields })).status).toBe(403)
    expect(app.logLines.join('')).not.toContain('7391462')
  })
})

describe('form', () => {
  it('keeps empty and repeated values and names like __proto__', () => {
    const form = parseForm('a=&b=1&b=2&b=1&__proto__=x&c=%2B52+55')
    expect(Object.entries(form)).toEqual([
      ['a', ''],
      ['b', ['1', '2', '1']],
      ['__proto__', 'x'],
      ['c', '+52 55'],
    ])
  })
})
