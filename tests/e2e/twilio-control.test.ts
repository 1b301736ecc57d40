/**
 * Twilio's call control, whole: a real server with its real SDK, a simulated Twilio with a REST endpoint, a language model
 * whose every word the test decides. The agent presses keys and goes on, transfers, leaves a message after the beep.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Pacer } from '../../bench/rig/pacer.ts'
import { ServerApi, type ApiCallPage } from '../../bench/rig/server-api.ts'
import { ServerProcess } from '../../bench/rig/server-process.ts'
import { TwilioCall, type CallerOptions } from '../../bench/rig/twilio-caller.ts'
import { TwilioCarrier } from '../../bench/rig/twilio-carrier.ts'
import { postForm } from '../../bench/rig/twilio-webhook.ts'
import {
  finishChunk,
  startChatServer,
  streams,
  textChunk,
  type ChatServer,
} from '../../bench/rig/chat-server.ts'
import { freshDatabase } from '../support/postgres.ts'

describe('call control at Twilio', () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>
  let carrier: TwilioCarrier
  let model: ChatServer
  let server: ServerProcess
  let api: ServerApi
  const pacer = new Pacer()

  beforeAll(async () => {
    ;[database, carrier, model] = await Promise.all([
      freshDatabase(),
      TwilioCarrier.open(),
      startChatServer(),
    ])
    // Asked once at the start, before any test.
    model.answers = says('Hola.')
    server = await ServerProcess.start({
      env: {
        ...carrier.env,
        ...{ TWILIO_FROM: '+525587654321', OUTBOUND_CALLS_PER_SEC: '5', LOG_LEVEL: 'warn' },
        ...{ LLM_BASE_URL: model.url, LLM_MODEL: 'test', DATABASE_URL: database.url },
      },
    })
    api = new ServerApi(server.url, server.adminKey)
    await api.configureAgent({
      ...{ firstMessage: 'Hola.', enableDialKeypad: true, firstMessageMode: 'speak-first-dynamic' },
      ...{ transferPhoneNumber: '+525500000009', transferAnnouncement: 'Le paso a {{from}}.' },
      voicemailMessage: 'Le llamó Andrea. Adiós.',
    })
  }, 240_000)
  afterAll(async () => {
    await server?.stop()
    await Promise.all([carrier?.close(), model?.close()])
    await database?.drop()
  })

  const options = (): CallerOptions => ({
    ...{ server: server.url, publicUrl: server.url, authToken: carrier.authToken, pacer },
    ...{ record: false, from: '+523312345678', to: '+525587654321' },
  })

  it('presses keys: the stream closes, another opens with a new token, the agent goes on and hears 123# from the user', async () => {
    model.answers = says('Marco la extensión. [DTMF:12#] Ya está, seguimos hablando con calma.')
    const next = Promise.withResolvers<TwilioCall>()
    carrier.onStream = (call) => next.resolve(call)
    const first = await TwilioCall.place(options())
    carrier.join(first, options())
    const second = await next.promise
    await until(() => second.receivedFrames > 20)
    expect(carrier.digitsHeard).toEqual(['12#'])
    model.answers = says('Gracias, ya lo tengo.')
    for (const digit of '123#') second.pressDigit(digit)
    await until(() => heardOfUser(model).includes('DTMF: 123#'))
    const before = second.receivedFrames
    await until(() => second.receivedFrames > before + 20)
    expect(second.identity.callSid).toBe(first.identity.callSid)
    expect(second.identity.streamSid).not.toBe(first.identity.streamSid)
    await second.hangup()
    const page = await api.finished(second.identity.callSid)
    expect(page.call.endReason).toBe('userHangup')
    const pressed = page.turns.filter(({ role }) => role === 'user')
    expect(pressed.map(({ kind, textSpoken }) => [kind, textSpoken])).toEqual([['digits', '123#']])
    expect(second.warnings.size).toBe(0)
  }, 120_000)

  it('transfers: the person is told who is coming, and the call is stored as transferred', async () => {
    model.answers = says('Le comunico. [TRANSFER]')
    const call = await TwilioCall.place(options())
    carrier.join(call, options())
    await until(() => carrier.transfers.length === 1)
    const url = /<Number url="([^"]+)">\+525500000009</.exec(carrier.transfers[0] ?? '')?.[1] ?? ''
    const page = await api.finished(call.identity.callSid)
    expect(page.call.endReason).toBe('transferred')
    const fields = { AccountSid: call.identity.accountSid, CallSid: `CA${'1'.repeat(32)}` }
    const told = await postForm(options(), new URL(url).pathname, fields)
    expect(told.body).toContain('Le paso a +523312345678.')
  }, 120_000)

  it('tells the user when nobody takes the transfer, and the call stays stored as transferred', async () => {
    model.answers = says('Le comunico. [TRANSFER]')
    const call = await TwilioCall.place(options())
    carrier.join(call, options())
    await until(() => carrier.transfers.length === 2)
    const action = / action="([^"]+)"/.exec(carrier.transfers[1] ?? '')?.[1] ?? ''
    const { accountSid, callSid } = call.identity
    const fields = { AccountSid: accountSid, CallSid: callSid, DialCallStatus: 'no-answer' }
    const told = await postForm(options(), new URL(action).pathname, fields)
    expect(told.body).toContain('nadie puede atenderle')
    expect(told.body).toContain('<Hangup/>')
    const { id, endReason } = (await api.finished(callSid)).call
    expect(endReason).toBe('transferred')
    const noted = async () =>
      (await api.page(id)).events.filter(
        (each) => (each as { name: string }).name === 'transferEnded',
      )
    while ((await noted()).length === 0) await new Promise((resolve) => setTimeout(resolve, 200))
    expect(await noted()).toMatchObject([{ data: { connected: false, detail: 'no-answer' } }])
  }, 120_000)

  it.each([
    ['human', 'userHangup', 'Hola, ¿cómo está?'],
    ['unknown', 'userHangup', 'Hola, ¿cómo está?'],
    ['machine_end_beep', 'voicemail', 'Le llamó Andrea. Adiós.'],
    ['fax', 'fax', null],
  ])(
    'asks who answered: %s ends as %s',
    async (answeredBy, endReason, said) => {
      model.answers = says('Hola, ¿cómo está?')
      const { id, callSid, call } = await callOut()
      await report('machine', { CallSid: callSid, AnsweredBy: answeredBy })
      if (endReason === 'userHangup') {
        await until(() => call.receivedFrames > 20)
        await call.hangup()
      }
      await call.ended
      const page: ApiCallPage = await api.finished(callSid)
      expect(page.call).toMatchObject({ id, endReason })
      expect(page.turns[0]?.textSpoken ?? null).toBe(said)
    },
    120_000,
  )

  it('stores what Twilio recorded, also after the end of the call', async () => {
    model.answers = says('Hola.')
    const call = await TwilioCall.place(options())
    await call.hangup()
    const { id } = (await api.finished(call.identity.callSid)).call
    const RecordingSid = `RE${'2'.repeat(32)}`
    const fields = { CallSid: call.identity.callSid, RecordingSid, RecordingChannels: '2' }
    for (const RecordingStatus of ['completed', 'completed']) {
      const url = { RecordingUrl: 'https://api.twilio.com/x', RecordingDuration: '11' }
      await report('recording', { ...fields, ...url, RecordingStatus })
    }
    const kept = async () =>
      (await api.page(id)).events.filter(
        (each) => (each as { name: string }).name === 'carrierRecording',
      )
    while ((await kept()).length === 0) await new Promise((resolve) => setTimeout(resolve, 200))
    expect(await kept()).toMatchObject([
      { data: { recordingId: RecordingSid, channels: 2, durationSec: 11, status: 'completed' } },
    ])
  }, 120_000)

  async function callOut() {
    const response = await fetch(`${server.url}/api/v1/calls`, {
      method: 'POST',
      headers: { 'x-api-key': server.adminKey, 'content-type': 'application/json' },
      body: JSON.stringify({ carrier: 'twilio', to: '+523399999999' }),
    })
    expect(response.status).toBe(202)
    const { id } = (await response.json()) as { id: string }
    const placed = carrier.placed.at(-1)!
    expect(placed.fields).toMatchObject({ MachineDetection: 'DetectMessageEnd', AsyncAmd: 'true' })
    const call = await carrier.pickUp(placed, options())
    return { id, callSid: placed.callSid, call }
  }

  async function report(name: string, fields: Record<string, string>): Promise<void> {
    const form = { AccountSid: `AC${'0'.repeat(32)}`, ...fields }
    expect((await postForm(options(), `/api/v1/twilio/${name}`, form)).status).toBe(204)
  }
})

/** The model's only answer from now on. */
function says(text: string): ChatServer['answers'] {
  return [streams(textChunk(text), finishChunk('stop'), 'data: [DONE]\n\n')]
}

/** What the model was told of the user, in any request. */
function heardOfUser(model: ChatServer): string[] {
  const messages = model.requests.flatMap(
    (request) => request['messages'] as { role: string; content: string }[],
  )
  return messages.filter(({ role }) => role === 'user').map(({ content }) => content)
}

/** Waits as long as the test may take. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 20))
}
