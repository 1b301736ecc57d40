/**
 * Restarts with people on the line, through both carriers: after kill -9 the next start ends their calls at the carriers and
 * in the database, late webhooks change nothing, and a stop ends what only rings.
 */
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Pacer } from '../../bench/rig/pacer.ts'
import { ServerApi } from '../../bench/rig/server-api.ts'
import { ServerProcess } from '../../bench/rig/server-process.ts'
import { TelnyxCall, type TelnyxCallerOptions } from '../../bench/rig/telnyx-caller.ts'
import { TelnyxCarrier } from '../../bench/rig/telnyx-carrier.ts'
import { TwilioCall, type CallerOptions } from '../../bench/rig/twilio-caller.ts'
import { TwilioCarrier } from '../../bench/rig/twilio-carrier.ts'
import { freshDatabase } from '../support/postgres.ts'

describe('a restart in mid-call', () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>
  let telnyx: TelnyxCarrier
  let twilio: TwilioCarrier
  let server: ServerProcess
  let onTelnyx: TelnyxCall
  let onTwilio: TwilioCall
  const pacer = new Pacer()

  beforeAll(async () => {
    ;[database, telnyx, twilio] = await Promise.all([
      freshDatabase(),
      TelnyxCarrier.open(),
      TwilioCarrier.open(),
    ])
    server = await ServerProcess.start({ env: env() })
  }, 240_000)
  afterAll(async () => {
    await server?.stop()
    await Promise.all([telnyx?.close(), twilio?.close()])
    await database?.drop()
  })

  const env = () => ({
    ...{ ...telnyx.env, ...twilio.env, DATABASE_URL: database.url, LOG_LEVEL: 'warn' },
    TELNYX_FROM: '+525587654321',
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

  it('by kill -9 leaves no call open: both end at the carrier and in their rows as serverStopped', async () => {
    onTelnyx = await TelnyxCall.place(telnyxOptions())
    onTwilio = await TwilioCall.place(twilioOptions())
    twilio.join(onTwilio, twilioOptions())
    const api = new ServerApi(server.url, server.adminKey)
    for (const { carrierCallId } of [onTelnyx, onTwilio]) {
      while ((await api.find(carrierCallId)) === null) await pause()
    }
    server.signal('SIGKILL')
    await server.exited
    // The call is up at Telnyx, without a stream.
    expect(onTelnyx.isOver).toBe(false)
    const { port } = server
    server = await ServerProcess.start({ env: env(), port })
    expect((await onTelnyx.ended).by).toBe('server')
    expect(telnyx.commandsOf(onTelnyx.carrierCallId)).toContain('hangup')
    const path = new RegExp(`/Calls/${onTwilio.carrierCallId}\\.json$`)
    await expect
      .poll(() => twilio.rest.seen.filter((request) => path.test(request.path)).length, {
        timeout: 20_000,
      })
      .toBe(1)
    for (const { carrierCallId } of [onTelnyx, onTwilio]) {
      expect(await rowOf(carrierCallId)).toEqual({ status: 'ended', end_reason: 'serverStopped' })
    }
  }, 240_000)

  it('is not undone by webhooks that come late', async () => {
    expect(await onTelnyx.tell('call.initiated', { direction: 'incoming' })).toBe(200)
    expect(await onTelnyx.tell('call.answered')).toBe(200)
    // What comes after these on the same server has been seen after them.
    const next = await TelnyxCall.place(telnyxOptions())
    await next.hangup()
    const api = new ServerApi(server.url, server.adminKey)
    expect((await api.finished(next.carrierCallId)).call.endReason).toBe('userHangup')
    const commands = telnyx.commandsOf(onTelnyx.carrierCallId)
    expect(commands.filter((command) => command === 'answer')).toHaveLength(1)
    expect(await rowOf(onTelnyx.carrierCallId)).toEqual({
      ...{ status: 'ended', end_reason: 'serverStopped' },
    })
  }, 120_000)

  it('by a stop ends a call that only rings, at Telnyx and in its row', async () => {
    const dialled = Promise.withResolvers<TelnyxCall>()
    telnyx.onDial = (body) => {
      const call = new TelnyxCall(telnyxOptions(), String(body['client_state']))
      dialled.resolve(call)
      return call
    }
    const headers = { 'x-api-key': server.adminKey, 'content-type': 'application/json' }
    const body = JSON.stringify({ carrier: 'telnyx', to: '+523399999999' })
    const order = await fetch(`${server.url}/api/v1/calls`, { method: 'POST', headers, body })
    expect(order.status).toBe(202)
    const call = await dialled.promise
    await call.tell('call.initiated', { direction: 'outgoing' })
    expect(await server.stop()).toEqual({ code: 0, signal: null })
    expect(telnyx.commandsOf(call.carrierCallId)).toEqual(['hangup'])
    expect(await rowOf(call.carrierCallId)).toEqual({
      ...{ status: 'ended', end_reason: 'serverStopped' },
    })
  }, 120_000)

  async function rowOf(carrierCallId: string): Promise<unknown> {
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    try {
      const text = 'SELECT status, end_reason FROM calls WHERE carrier_call_id = $1'
      const { rows } = await client.query({ text, values: [carrierCallId] })
      expect(rows).toHaveLength(1)
      return rows[0]
    } finally {
      await client.end()
    }
  }
})

const pause = () => new Promise((resolve) => setTimeout(resolve, 200))
