import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventBody, TelnyxCarrier } from '../../bench/rig/telnyx-carrier.ts'
import { runApp, type RunningApp } from './running-app.ts'

const PATH = '/api/v1/telnyx/call-control'
const CONTROL = 'v3:MdI91X4lWFEs7IgbBEOT9M4AigoY08M0WWZFISt1Yw2axZ_IiE4pqg'

let carrier: TelnyxCarrier
let other: TelnyxCarrier
let app: RunningApp

beforeAll(async () => {
  ;[carrier, other] = await Promise.all([TelnyxCarrier.open(), TelnyxCarrier.open()])
  app = await runApp({ env: carrier.env })
})
afterAll(async () => {
  await app.close()
  await Promise.all([carrier.close(), other.close()])
})

const hangup = (id: string = randomUUID()) =>
  eventBody('call.hangup', { call_control_id: CONTROL, hangup_cause: 'user_busy' }, id)

function post(body: string, headers: Record<string, string>, on = app) {
  return on.ask(PATH, { method: 'POST', key: false, headers, body })
}

const nowSec = () => Math.floor(Date.now() / 1_000)

describe('telnyx signature', () => {
  it('is accepted over the raw body, odd spacing, accents and 290 s of age included', async () => {
    const body = eventBody('call.cost', { call_control_id: CONTROL, note: 'año ☎' }, randomUUID())
    expect((await post(body, carrier.headers(body))).status).toBe(200)
    expect((await post(body, carrier.headers(body, nowSec() - 290))).status).toBe(200)
  })

  it('is refused with 403 and counted by reason: missing, stale, tampered, of another account', async () => {
    const body = hangup()
    const compact = JSON.stringify(JSON.parse(body))
    const signed = carrier.headers(body)
    const attempts: [string, Record<string, string>, string][] = [
      [body, { 'content-type': 'application/json' }, 'unsigned'],
      [body, carrier.headers(body, nowSec() - 400), 'stale'],
      [body, carrier.headers(body, nowSec() + 400), 'stale'],
      [body, { ...signed, 'telnyx-timestamp': 'soon' }, 'stale'],
      [compact, signed, 'badSignature'],
      [body.replace('user_busy', 'no_answer'), signed, 'badSignature'],
      [`${body}\n`, signed, 'badSignature'],
      [body, { ...signed, 'telnyx-timestamp': String(nowSec() - 5) }, 'badSignature'],
      [body, other.headers(body), 'badSignature'],
      [body, { ...signed, 'telnyx-signature-ed25519': 'AAAA' }, 'badSignature'],
    ]
    for (const [sent, headers, reason] of attempts) {
      const reply = await post(sent, headers)
      expect([reason, reply.status, reply.json.error.code]).toEqual([reason, 403, 'BAD_SIGNATURE'])
    }
    const { text } = await app.ask('/metrics')
    for (const [reason, count] of [
      ['unsigned', 1],
      ['stale', 3],
      ['badSignature', 6],
    ]) {
      expect(text).toContain(`webhook_rejected_total{carrier="telnyx",reason="${reason}"} ${count}`)
    }
    expect(app.carrierReports).toEqual([])
    expect(app.logLines.join('\n')).not.toContain(carrier.publicKey)
  })

  it('of any configured account is accepted, and the account is known by it', async () => {
    const second = { name: 'sur', apiKey: 'KEY2', publicKey: other.publicKey }
    const both = await runApp({
      env: { ...carrier.env, TELNYX_ACCOUNTS: JSON.stringify([second]) },
    })
    const body = hangup()
    expect((await post(body, other.headers(body), both)).status).toBe(200)
    expect(both.carrierReports).toMatchObject([{ account: 'sur' }])
    await both.close()
  })
})

describe('telnyx events', () => {
  it('count once by their id, however often and late they come', async () => {
    const before = app.carrierReports.length
    const body = hangup()
    for (let i = 0; i < 3; i++) expect((await post(body, carrier.headers(body))).status).toBe(200)
    expect(app.carrierReports.slice(before)).toMatchObject([{ kind: 'ended', reason: 'busy' }])
  })

  it('cannot bring a call back: ringing and answers after its end are old news', async () => {
    const id = `v3:${randomUUID()}`
    const send = async (type: string, payload: object) => {
      const body = eventBody(
        type,
        { call_control_id: id, client_state: null, ...payload },
        randomUUID(),
      )
      expect((await post(body, carrier.headers(body))).status).toBe(200)
    }
    const leg = { callControlId: id, isAnswered: false, isOver: false, command: () => undefined }
    carrier.join(leg)
    const numbers = { direction: 'incoming', from: '+525512345678', to: '+525587654321' }
    await send('call.initiated', numbers)
    await expect.poll(() => carrier.commandsOf(id)).toEqual(['answer'])
    await send('call.hangup', { hangup_cause: 'originator_cancel' })
    await send('call.answered', {})
    await send('call.initiated', numbers)
    expect(carrier.commandsOf(id)).toEqual(['answer'])
    await app.journal.flush()
    const { json } = await app.ask(`/api/v1/calls?search=${encodeURIComponent(id)}`)
    expect(json.items).toMatchObject([{ status: 'ended', endReason: 'userHangup' }])
  })

  it('with a body that is no JSON are refused with 400, without an event with 422', async () => {
    const broken = '{"data":'
    expect((await post(broken, carrier.headers(broken))).status).toBe(400)
    expect((await post('{}', carrier.headers('{}'))).status).toBe(422)
  })

  it('say who answered and what was recorded in our own words', async () => {
    const before = app.carrierReports.length
    const events: [string, object][] = [
      ['call.machine.premium.detection.ended', { result: 'human_business' }],
      ['call.machine.premium.detection.ended', { result: 'fax_detected' }],
      ['call.machine.detection.ended', { result: 'not_sure' }],
      ['call.machine.premium.greeting.ended', { result: 'beep_detected' }],
      [
        'call.recording.saved',
        { recording_id: 'r1', channels: 'dual', recording_urls: { wav: 'https://x/r1.wav' } },
      ],
    ]
    for (const [type, payload] of events) {
      const body = eventBody(type, { call_control_id: CONTROL, ...payload }, randomUUID())
      await post(body, carrier.headers(body))
    }
    expect(app.carrierReports.slice(before)).toMatchObject([
      { kind: 'party', party: 'human' },
      { kind: 'party', party: 'fax' },
      { kind: 'party', party: 'unknown' },
      { kind: 'party', party: 'machine', mayLeaveMessage: true },
      { kind: 'recording', facts: { recordingId: 'r1', channels: 2, url: 'https://x/r1.wav' } },
    ])
  })

  it('never bring the keys that were pressed into the log, at any level, also when refused', async () => {
    for (const [type, payload] of [
      ['call.dtmf.received', { digit: '7391462' }],
      ['call.gather.ended', { digits: '7391462' }],
      ['call.answered', { call_control_id: 7, digits: '7391462' }],
    ] as const) {
      const body = eventBody(type, { call_control_id: CONTROL, ...payload }, randomUUID())
      await post(body, carrier.headers(body))
      expect((await post(body, {})).status).not.toBe(200)
    }
    expect(app.logLines.length).toBeGreaterThan(0)
    expect(app.logLines.join('')).not.toContain('7391462')
  })

  it('of a leg that a transfer dialled go to the transfer', async () => {
    const callId = randomUUID()
    const client_state = Buffer.from(JSON.stringify({ transferOf: callId })).toString('base64')
    const body = eventBody(
      'call.answered',
      { call_control_id: CONTROL, client_state },
      randomUUID(),
    )
    await post(body, carrier.headers(body))
    expect(app.legReports).toEqual([{ callId, legId: CONTROL, event: 'answered' }])
  })
})
