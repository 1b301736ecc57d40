/**
 * Telnyx's call control, whole: a real server with its real SDK, a simulated Telnyx, a language model whose every word the
 * test decides. The user presses keys, the agent presses keys, people are transferred to and decline, machines answer, the
 * carrier records.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  finishChunk,
  startChatServer,
  streams,
  textChunk,
  type ChatServer,
} from '../../bench/rig/chat-server.ts'
import { Pacer } from '../../bench/rig/pacer.ts'
import { ServerApi, type ApiCallPage } from '../../bench/rig/server-api.ts'
import { ServerProcess } from '../../bench/rig/server-process.ts'
import { TelnyxCall, type TelnyxCallerOptions } from '../../bench/rig/telnyx-caller.ts'
import { TelnyxCarrier } from '../../bench/rig/telnyx-carrier.ts'
import { TelnyxPerson } from '../../bench/rig/telnyx-person.ts'
import { freshDatabase } from '../support/postgres.ts'

const OURS = '+525587654321'
const USER = '+523312345678'
const PERSON = '+525500000009'
const SETTINGS: Parameters<ServerApi['configureAgent']>[0] = {
  firstMessage: 'Hola.',
  firstMessageMode: 'speak-first',
  enableDialKeypad: true,
  transferPhoneNumber: PERSON,
  voicemailMessage: 'Le llamó Andrea. Adiós.',
  carrierRecording: true,
  carrierNoiseSuppression: true,
}

describe('call control at Telnyx', () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>
  let carrier: TelnyxCarrier
  let model: ChatServer
  let server: ServerProcess
  let api: ServerApi
  const pacer = new Pacer()

  beforeAll(async () => {
    ;[database, carrier, model] = await Promise.all([
      freshDatabase(),
      TelnyxCarrier.open(),
      startChatServer(),
    ])
    model.answers = says('Hola.')
    server = await ServerProcess.start({
      env: {
        ...{ ...carrier.env, TELNYX_FROM: OURS, OUTBOUND_CALLS_PER_SEC: '5', LOG_LEVEL: 'debug' },
        ...{ LLM_BASE_URL: model.url, LLM_MODEL: 'test', DATABASE_URL: database.url },
      },
    })
    api = new ServerApi(server.url, server.adminKey)
    await api.configureAgent(SETTINGS)
  }, 240_000)
  afterAll(async () => {
    await server?.stop()
    await Promise.all([carrier?.close(), model?.close()])
    await database?.drop()
  })

  const options = (): TelnyxCallerOptions => ({
    ...{ carrier, pacer, server: server.url, signed: true, record: false, from: USER, to: OURS },
  })

  it('hears 123# from the user as one entry, once, and presses 45# for them while the talk goes on', async () => {
    model.answers = says('Marco la extensión. [DTMF:45#] Ya está, seguimos hablando con calma.')
    const call = await TelnyxCall.place(options())
    await until(() => call.receivedFrames > 10)
    for (const digit of '123#') call.pressDigit(digit)
    await until(() => call.digitsHeard.length > 0)
    expect(call.digitsHeard).toEqual(['45#'])
    const before = call.receivedFrames
    await until(() => call.receivedFrames > before + 20)
    expect(call.streams).toHaveLength(1)
    await call.hangup()
    const page = await api.finished(call.callControlId)
    expect(page.call.endReason).toBe('userHangup')
    const pressed = page.turns.filter(({ role }) => role === 'user')
    expect(pressed.map(({ kind, textSpoken }) => [kind, textSpoken])).toEqual([['digits', '123#']])
    expect(heardOfUser(model)).toContain('DTMF: 123#')
    // Neither what the user pressed nor what the agent did.
    expect(server.output).not.toMatch(/123#|45#/)
    expect(call.warnings.size).toBe(0)
  }, 120_000)

  it('suppresses noise and records as the profile says, pauses on request, stores what was recorded after the end', async () => {
    model.answers = says('Hola.')
    const call = await TelnyxCall.place(options())
    await until(() => carrier.commandsOf(call.callControlId).length >= 4)
    expect(new Set(carrier.commandsOf(call.callControlId).slice(0, 4))).toEqual(
      new Set(['answer', 'streaming_start', 'record_start', 'suppression_start']),
    )
    const { id } = await stored(call.callControlId)
    for (const action of ['pause', 'resume', 'stop']) {
      expect((await post(`/api/v1/calls/${id}/carrier-recording`, { action })).status).toBe(204)
    }
    expect(carrier.commandsOf(call.callControlId).slice(4)).toEqual([
      ...['record_pause', 'record_resume', 'record_stop'],
    ])
    await call.hangup()
    await api.finished(call.callControlId)
    const saved = { recording_id: 'r1', channels: 'dual', format: 'wav' }
    for (let twice = 0; twice < 2; twice++) {
      const recording_urls = { wav: 'https://api.telnyx.com/r1.wav' }
      await carrier.tell(
        options(),
        'call.recording.saved',
        { call_control_id: call.callControlId, ...saved, recording_urls },
        'ae5f0a11-0000-4000-8000-000000000001',
      )
    }
    const kept = async () =>
      (await api.page(id)).events.filter(
        (each) => (each as { name: string }).name === 'carrierRecording',
      )
    while ((await kept()).length === 0) await pause()
    expect(await kept()).toMatchObject([
      {
        data: {
          ...{ recordingId: 'r1', status: 'completed', channels: 2 },
          url: 'https://api.telnyx.com/r1.wav',
        },
      },
    ])
  }, 120_000)

  it.each([
    [
      'warm: the person is told who is coming before',
      'Le paso a {{from}}.',
      [`Le paso a ${USER}.`],
    ],
    ['cold: the person is joined at once', '', []],
  ])(
    'transfers %s, hands the user over, and stores the call as transferred',
    async (_, transferAnnouncement, announcements) => {
      await api.configureAgent({ ...SETTINGS, transferAnnouncement })
      model.answers = says('Le comunico. [TRANSFER]')
      const person = nextPerson()
      const call = await TelnyxCall.place(options())
      await until(() => call.receivedFrames > 10)
      // Asks for a person, by the key that the agent's model understands.
      call.pressDigit('#')
      await (await person).pickUp()
      const page = await api.finished(call.callControlId)
      expect(page.call.endReason).toBe('transferred')
      expect((await person).announcements).toEqual(announcements)
      expect((await person).joinedWith).toBe(call.callControlId)
      const commands = carrier.commandsOf(call.callControlId)
      expect(commands.slice(-2)).toEqual(['bridge', 'streaming_stop'])
      // The two talk on without us, and what Telnyx tells of them later changes nothing.
      expect([call.isOver, (await person).isOver]).toEqual([false, false])
      await call.hangup()
      expect((await api.page(page.call.id)).call.endReason).toBe('transferred')
    },
    120_000,
  )

  it('goes on with the user when the person declines, and says so', async () => {
    model.answers = says('Le comunico. [TRANSFER]')
    const person = nextPerson()
    const call = await TelnyxCall.place(options())
    await until(() => call.receivedFrames > 10)
    call.pressDigit('#')
    await (await person).decline()
    const { id } = await stored(call.callControlId)
    const said = async () => (await api.page(id)).turns.map((turn) => turn.textSpoken)
    while (!(await said()).some((text) => text.includes('no pude comunicarle'))) await pause()
    expect(call.isOver).toBe(false)
    await call.hangup()
    expect((await api.finished(call.callControlId)).call.endReason).toBe('userHangup')
  }, 120_000)

  it.each([
    ['human_residence', null, 'userHangup', 'Hola.'],
    ['not_sure', null, 'userHangup', 'Hola.'],
    ['machine', 'beep_detected', 'voicemail', 'Le llamó Andrea. Adiós.'],
    ['fax_detected', null, 'fax', null],
  ])(
    'asks who answered: %s, then %s, ends as %s',
    async (result, greeting, endReason, said) => {
      model.answers = says('Hola.')
      const call = await callOut()
      await call.tell('call.machine.premium.detection.ended', { result })
      if (greeting !== null) {
        await call.tell('call.machine.premium.greeting.ended', { result: greeting })
      }
      if (endReason === 'userHangup') {
        // "Hola." has about 20.
        await until(() => call.receivedFrames > 5)
        await call.hangup()
      }
      await call.ended
      const page: ApiCallPage = await api.finished(call.callControlId)
      expect(page.call.endReason).toBe(endReason)
      expect(page.turns[0]?.textSpoken ?? null).toBe(said)
    },
    120_000,
  )

  /** The person whom the server will have called next. */
  function nextPerson(): Promise<TelnyxPerson> {
    return new Promise((resolve) => {
      carrier.onDial = (body) => {
        expect(body).toMatchObject({ to: PERSON, from: OURS })
        const person = new TelnyxPerson(carrier, options(), body)
        // Telnyx has answered the request before anything happens on the leg.
        setImmediate(() => resolve(person))
        return person
      }
    })
  }

  async function callOut(): Promise<TelnyxCall> {
    const dialled = Promise.withResolvers<TelnyxCall>()
    carrier.onDial = (body) => {
      expect(body['answering_machine_detection']).toBe('premium')
      const call = new TelnyxCall(options(), String(body['client_state']))
      dialled.resolve(call)
      return call
    }
    const answer = await post('/api/v1/calls', { carrier: 'telnyx', to: '+523399999999' })
    expect(answer.status).toBe(202)
    const call = await dialled.promise
    await call.tell('call.initiated', { direction: 'outgoing' })
    await call.pickUp()
    await call.opened()
    return call
  }

  function post(path: string, body: unknown): Promise<Response> {
    const headers = { 'x-api-key': server.adminKey, 'content-type': 'application/json' }
    return fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  }

  async function stored(carrierCallId: string): Promise<{ id: string }> {
    for (;;) {
      const call = await api.find(carrierCallId)
      if (call) return call
      await pause()
    }
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

const pause = () => new Promise((resolve) => setTimeout(resolve, 200))

/** Waits as long as the test may take. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 20))
}
