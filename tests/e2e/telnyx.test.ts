/**
 * Calls through Telnyx, whole: a real server, its real SDK, a simulated Telnyx with keys of its own. Signed webhooks in,
 * commands out, media both ways; the line breaks, people are transferred, machines answer.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Pacer } from '../../bench/rig/pacer.ts'
import { playScenario } from '../../bench/rig/scenario-run.ts'
import type { Scenario } from '../../bench/rig/scenario.ts'
import { ServerApi } from '../../bench/rig/server-api.ts'
import { ServerProcess } from '../../bench/rig/server-process.ts'
import { openVoice, type SpeechVoice } from '../../bench/rig/speech.ts'
import { TelnyxCall, type TelnyxCallerOptions } from '../../bench/rig/telnyx-caller.ts'
import { TelnyxCarrier } from '../../bench/rig/telnyx-carrier.ts'
import { freshDatabase } from '../support/postgres.ts'

const SCENARIO: Scenario = {
  name: 'telnyx',
  language: 'es-MX',
  from: '+523312345678',
  to: '+525587654321',
  agent: {},
  steps: [
    { waitForAgent: 20_000 },
    { waitForSilence: 800 },
    { say: 'Sí, le escucho muy bien. Buenos días.' },
    { waitForAgent: 20_000 },
    { hangup: true },
  ],
  expect: {},
}

describe('a call through Telnyx', () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>
  let carrier: TelnyxCarrier
  let server: ServerProcess
  let voice: SpeechVoice
  let api: ServerApi
  const pacer = new Pacer()

  beforeAll(async () => {
    ;[database, carrier] = await Promise.all([freshDatabase(), TelnyxCarrier.open()])
    const env = { ...carrier.env, DATABASE_URL: database.url, LOG_LEVEL: 'warn' }
    ;[server, voice] = await Promise.all([
      ServerProcess.start({
        env: { ...env, TELNYX_FROM: '+525587654321', OUTBOUND_CALLS_PER_SEC: '5' },
      }),
      openVoice(),
    ])
    api = new ServerApi(server.url, server.adminKey)
  }, 240_000)
  afterAll(async () => {
    await voice?.close()
    await server?.stop()
    await carrier?.close()
    await database?.drop()
  })

  const options = (): TelnyxCallerOptions => ({
    ...{ carrier, pacer, server: server.url, signed: true, record: true },
    ...{ from: SCENARIO.from, to: SCENARIO.to },
  })

  it('is answered, greeted, understood in spite of 5 % swapped and 2 % lost and repeated messages, and stored', async () => {
    const trouble = { seed: 7, reorder: 0.05, lose: 0.02, repeat: 0.02, delay: 0 }
    const result = await playScenario({ scenario: SCENARIO, voice }, () =>
      TelnyxCall.place({ ...options(), trouble }),
    )
    expect(result.failures).toEqual([])
    expect(result.responsesMs).toHaveLength(1)
    expect(result.warnings).toEqual({})
    expect(carrier.commandsOf(result.callSid)).toEqual(['answer', 'streaming_start'])
    const page = await api.finished(result.callSid)
    expect(page.call).toMatchObject({ carrier: 'telnyx', endReason: 'userHangup' })
    // Once, or in its two sentences where the machine stutters between them: repeated messages are not heard twice.
    const heard = page.turns.filter((turn) => turn.role === 'user').map((turn) => turn.textSpoken)
    expect(heard.join(' ').match(/escucho/gi) ?? []).toHaveLength(1)
  }, 240_000)

  it('asks for its stream again when the socket breaks, and the conversation goes on', async () => {
    const call = await TelnyxCall.place(options())
    await until(() => call.receivedFrames > 10)
    call.drop()
    await until(() => call.streams.length === 2)
    const before = call.receivedFrames
    await until(() => call.receivedFrames > before + 10)
    expect(new Set(call.streams.map((stream) => stream['stream_url'])).size).toBe(2)
    expect(call.isOver).toBe(false)
    await call.hangup()
    expect((await api.finished(call.callControlId)).call.endReason).toBe('userHangup')
  }, 120_000)

  it('is really ended by the server: hang-up goes through REST, not only through the socket', async () => {
    const call = await TelnyxCall.place(options())
    const { id } = (await api.find(call.callControlId)) ?? (await stored(api, call.callControlId))
    await fetch(`${server.url}/api/v1/calls/${id}/hangup`, {
      method: 'POST',
      headers: { 'x-api-key': server.adminKey },
    })
    expect((await call.ended).by).toBe('server')
    expect(carrier.commandsOf(call.callControlId)).toContain('hangup')
    expect((await api.finished(call.callControlId)).call.endReason).toBe('adminHangup')
  }, 120_000)

  it('that the API places is dialled, opens its stream when answered, and fills {{nombre}} in the greeting', async () => {
    await api.configureAgent({
      firstMessage: 'Hola, {{nombre}}, soy Andrea.',
      machineDetection: false,
    })
    let dialled: TelnyxCall | null = null
    carrier.onDial = (body) => (dialled = new TelnyxCall(options(), String(body['client_state'])))
    const answer = await dial(server, { to: '+523399999999', variables: { nombre: 'Lucía' } })
    expect(answer.status).toBe(202)
    const call = dialled as unknown as TelnyxCall
    await call.tell('call.initiated', { direction: 'outgoing' })
    await call.pickUp()
    await call.opened()
    await until(() => call.receivedFrames > 100)
    await call.hangup()
    const page = await api.finished(call.callControlId)
    expect(page.call).toMatchObject({ id: answer.body.id, endReason: 'userHangup' })
    expect(page.turns[0]?.textSpoken).toContain('Lucía')
  }, 120_000)

  it('that nobody answers ends as noAnswer, one that Telnyx refuses as carrierFailed with its words and the cure', async () => {
    let dialled: TelnyxCall | null = null
    carrier.onDial = (body) => (dialled = new TelnyxCall(options(), String(body['client_state'])))
    await dial(server, { to: '+523399999998' })
    const call = dialled as unknown as TelnyxCall
    await call.tell('call.hangup', { hangup_cause: 'timeout', hangup_source: 'unknown' })
    expect((await api.finished(call.callControlId)).call.endReason).toBe('noAnswer')
    carrier.onDial = null
    const refused = await dial(server, { to: '+523399999997' })
    expect(refused.status).toBe(422)
    expect(refused.body.error).toMatchObject({
      code: 'CARRIER_REFUSED',
      message: 'Telnyx did not place the call (10016): Phone number must be in +E164 format',
    })
    expect(refused.body.error.hint).toContain('E.164')
  }, 120_000)
})

async function dial(server: ServerProcess, order: Record<string, unknown>) {
  const response = await fetch(`${server.url}/api/v1/calls`, {
    method: 'POST',
    headers: { 'x-api-key': server.adminKey, 'content-type': 'application/json' },
    body: JSON.stringify({ carrier: 'telnyx', ...order }),
  })
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what the tests look into
  return { status: response.status, body: (await response.json()) as any }
}

async function stored(api: ServerApi, carrierCallId: string): Promise<{ id: string }> {
  for (;;) {
    const call = await api.find(carrierCallId)
    if (call) return call
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** Waits as long as the test may take. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 20))
}
