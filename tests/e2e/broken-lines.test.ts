/**
 * What goes wrong between a carrier and us, through real sockets and SDKs: each has one outcome, an end reason and a row.
 * A server whose two carriers refuse, fall silent, never open their stream, or lose it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RestAnswer } from '../../bench/rig/carrier-rest.ts'
import { Pacer } from '../../bench/rig/pacer.ts'
import { ServerApi } from '../../bench/rig/server-api.ts'
import { ServerProcess } from '../../bench/rig/server-process.ts'
import { TelnyxCall, type TelnyxCallerOptions } from '../../bench/rig/telnyx-caller.ts'
import { TelnyxCarrier } from '../../bench/rig/telnyx-carrier.ts'
import { newIdentity, TwilioCall, type CallerOptions } from '../../bench/rig/twilio-caller.ts'
import { TwilioCarrier } from '../../bench/rig/twilio-carrier.ts'
import { postForm } from '../../bench/rig/twilio-webhook.ts'
import { freshDatabase } from '../support/postgres.ts'

const telnyxSays = (status: number, code: string): RestAnswer => ({
  status,
  body: { errors: [{ code, title: 'no', detail: 'no' }] },
})
const twilioSays = (status: number, code: number): RestAnswer => ({
  status,
  body: { code, message: 'no', status },
})
const GONE = telnyxSays(422, '90018')
const SILENCE = null

describe('a line that breaks', () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>
  let telnyx: TelnyxCarrier
  let twilio: TwilioCarrier
  let server: ServerProcess
  let api: ServerApi
  const pacer = new Pacer()

  beforeAll(async () => {
    ;[database, telnyx, twilio] = await Promise.all([
      freshDatabase(),
      TelnyxCarrier.open(),
      TwilioCarrier.open(),
    ])
    server = await ServerProcess.start({
      env: {
        ...{ ...telnyx.env, ...twilio.env, DATABASE_URL: database.url, LOG_LEVEL: 'error' },
        ...{ TELNYX_FROM: '+525587654321', TWILIO_FROM: '+525587654321' },
        OUTBOUND_CALLS_PER_SEC: '50',
      },
    })
    api = new ServerApi(server.url, server.adminKey)
    await api.configureAgent({ firstMessage: 'Hola.', machineDetection: false })
  }, 240_000)
  afterAll(async () => {
    await server?.stop()
    await Promise.all([telnyx?.close(), twilio?.close()])
    await database?.drop()
  })

  const caller = () => ({
    ...{ server: server.url, pacer, record: false, from: '+523312345678', to: '+525587654321' },
  })
  const telnyxOptions = (): TelnyxCallerOptions => ({
    ...{ ...caller(), carrier: telnyx, signed: true },
  })
  const twilioOptions = (): CallerOptions => ({
    ...{ ...caller(), publicUrl: server.url, authToken: twilio.authToken },
  })

  it('because its stream never opens ends after 10 s as noStream, at both carriers by REST', async () => {
    const onTelnyx = new TelnyxCall({ ...telnyxOptions(), opensStream: false }, null)
    telnyx.join(onTelnyx)
    await onTelnyx.tell('call.initiated', { direction: 'incoming' })
    const { callSid, accountSid } = newIdentity()
    const form = { CallSid: callSid, AccountSid: accountSid, From: '+523312345678', To: '+52' }
    const answer = await postForm(twilioOptions(), '/api/v1/twilio/incoming-call', form)
    expect(answer.body).toContain('<Stream')
    expect((await onTelnyx.ended).by).toBe('server')
    await expect
      .poll(() => telnyx.commandsOf(onTelnyx.carrierCallId))
      .toEqual(['answer', 'streaming_start', 'hangup'])
    for (const carrierCallId of [onTelnyx.carrierCallId, callSid]) {
      expect((await api.finished(carrierCallId)).call.endReason).toBe('noStream')
    }
    await expect.poll(() => askedOfTwilio(callSid)).toEqual([{ Status: 'completed' }])
  }, 120_000)

  it.each([
    ['a 401', [telnyxSays(401, '10009')], 1, 'carrierFailed'],
    ['429 three times', Array<RestAnswer>(3).fill(telnyxSays(429, '10011')), 3, 'carrierFailed'],
    ['500 three times', Array<RestAnswer>(3).fill(telnyxSays(500, '10007')), 3, 'carrierFailed'],
    ['silence of 3 s three times', Array<null>(3).fill(SILENCE), 3, 'carrierFailed'],
    ['that the call is gone', [GONE], 1, 'userHangup'],
  ])(
    'because Telnyx answers our answer with %s is not answered: one command, one row',
    async (_, answers, attempts, endReason) => {
      const call = new TelnyxCall(telnyxOptions(), null)
      telnyx.join(call)
      telnyx.rest.instead.push(...answers)
      await call.tell('call.initiated', { direction: 'incoming' })
      expect((await api.finished(call.carrierCallId)).call.endReason).toBe(endReason)
      const isOurs = (path: string) => decodeURIComponent(path).includes(call.carrierCallId)
      const sent = telnyx.rest.seen.filter(({ path }) => isOurs(path) && path.endsWith('/answer'))
      expect(sent).toHaveLength(attempts)
      // However often it is sent, Telnyx takes it once.
      expect(new Set(sent.map(({ body }) => body['command_id'])).size).toBe(1)
      // It is hung up too, which the next case's answers are not for.
      if (endReason === 'carrierFailed') {
        await until(() => telnyx.rest.seen.some(({ path }) => isHangup(path) && isOurs(path)))
      }
    },
    120_000,
  )

  it('because Telnyx refuses the stream ends as noStream, and is hung up', async () => {
    const call = new TelnyxCall(telnyxOptions(), null)
    telnyx.join(call)
    telnyx.rest.instead.push({ status: 200, body: { data: { result: 'ok' } } })
    telnyx.rest.instead.push(telnyxSays(422, '90034'))
    await call.tell('call.initiated', { direction: 'incoming' })
    await until(() => telnyx.commandsOf(call.carrierCallId).includes('answer'))
    await call.pickUp()
    expect((await call.ended).by).toBe('server')
    expect((await api.finished(call.carrierCallId)).call.endReason).toBe('noStream')
  }, 120_000)

  it('in mid-call at Twilio ends as streamLost, and by REST too', async () => {
    const call = await TwilioCall.place(twilioOptions())
    await until(() => call.receivedFrames > 10)
    call.drop()
    expect((await api.finished(call.carrierCallId)).call.endReason).toBe('streamLost')
    await expect.poll(() => askedOfTwilio(call.carrierCallId)).toEqual([{ Status: 'completed' }])
  }, 120_000)

  it('in mid-call at Telnyx, and whose call is gone when the stream is asked for again, is the user’s hang-up', async () => {
    const call = await TelnyxCall.place(telnyxOptions())
    await until(() => call.receivedFrames > 10)
    telnyx.rest.instead.push(GONE)
    call.drop()
    expect((await api.finished(call.carrierCallId)).call.endReason).toBe('userHangup')
    await call.hangup()
  }, 120_000)

  it.each([
    ['refused with 400', twilioSays(400, 21_211), [422, 'CARRIER_REFUSED', 'E.164']],
    ['answered with 500', twilioSays(500, 20_500), [502, 'CARRIER_FAILED', 'console']],
    ['answered with a page', { status: 503, body: '<html>' }, [502, 'CARRIER_FAILED', 'console']],
  ])(
    'because our order to dial is %s is placed once, ends as carrierFailed, and the API says why',
    async (_, answer, [status, code, cure]) => {
      const before = twilio.rest.seen.length
      const known = new Set((await outbound()).map(({ id }) => id))
      twilio.rest.instead.push(answer)
      const headers = { 'x-api-key': server.adminKey, 'content-type': 'application/json' }
      const body = JSON.stringify({ carrier: 'twilio', to: '+523399999999' })
      const order = await fetch(`${server.url}/api/v1/calls`, { method: 'POST', headers, body })
      expect(order.status).toBe(status)
      const { error } = (await order.json()) as { error: { code: string; hint: string } }
      expect(error.code).toBe(code)
      expect(error.hint).toContain(cure)
      expect(twilio.rest.seen.length - before).toBe(1)
      const reasons = async () =>
        (await outbound()).filter(({ id }) => !known.has(id)).map(({ endReason }) => endReason)
      await expect.poll(reasons, { timeout: 60_000, interval: 400 }).toEqual(['carrierFailed'])
    },
    120_000,
  )

  const isHangup = (path: string) => path.endsWith('/actions/hangup')
  const askedOfTwilio = (callSid: string) =>
    twilio.rest.seen.filter(({ path }) => path.includes(callSid)).map(({ body }) => body)

  async function outbound(): Promise<{ id: string; endReason: string | null }[]> {
    const { items } = (await api.get('/api/v1/calls?search=523399999999')) as {
      items: { id: string; endReason: string | null }[]
    }
    return items
  }
})

/** Waits as long as the test may take. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 20))
}
