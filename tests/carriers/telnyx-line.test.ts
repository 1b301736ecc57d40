/** Telnyx's REST side on the wire: the real SDK against the simulated Telnyx, which is as strict as the real one. */
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TelnyxCarrier, type TelnyxLeg } from '../../bench/rig/telnyx-carrier.ts'
import { clientState, TelnyxLine } from '../../server/carriers/telnyx-line.ts'

const CALL_ID = '3f8b1c52-6f0e-4a52-9d5c-0a4f2b8f7c11'
const PERSON = '+525512345678'
const OURS = '+525587654321'
const DIAL = { callId: CALL_ID, to: PERSON, from: OURS, detectMachine: false, ringSec: 45 }
const ANNOUNCEMENT = { text: 'Le paso a un cliente.', language: 'es-MX' }

interface Leg extends TelnyxLeg {
  heard: [string, Record<string, unknown>][]
}

let carrier: TelnyxCarrier
let line: TelnyxLine
let user: Leg

function leg(): Leg {
  const heard: Leg['heard'] = []
  return {
    ...{ callControlId: `v3:${randomUUID()}`, isAnswered: true, isOver: false, heard },
    command: (action, body) => heard.push([action, body]),
  }
}

beforeEach(async () => {
  carrier = await TelnyxCarrier.open()
  user = leg()
  carrier.join(user)
  line = new TelnyxLine({
    account: {
      ...{ name: 'default', apiKey: 'KEY-of-the-rig', publicKey: carrier.publicKey },
      ...{ connectionId: '1494404757140276705', from: OURS, codec: 'PCMU', l16ByteOrder: 'big' },
      apiBaseUrl: `${carrier.rest.url}/v2`,
    },
    baseUrl: () => 'https://andrea.example',
  })
})
afterEach(() => carrier.close())

const id = () => user.callControlId
/** The bodies that reached Telnyx for an action, without their command ids. */
const bodies = (action: string) =>
  carrier.rest.seen
    .filter(({ path }) => path.endsWith(`/actions/${action}`))
    .map(({ body: { command_id, ...rest } }) => {
      expect(command_id).toMatch(/^[0-9a-f-]{36}$/)
      return rest
    })
const ids = () => carrier.rest.seen.map(({ body }) => body['command_id'])

describe('telnyx line', () => {
  it('answers with our webhook address, and opens the stream in mode rtp with one codec both ways', async () => {
    await line.answer(id())
    const url = 'wss://andrea.example/api/v1/ws/media-stream/telnyx/T'
    await line.openStream(id(), { url, token: 'T', from: OURS, to: PERSON })
    expect(carrier.rest.seen[0]).toMatchObject({ authorization: 'Bearer KEY-of-the-rig' })
    expect(bodies('answer')).toEqual([
      {
        webhook_url: 'https://andrea.example/api/v1/telnyx/call-control',
        send_silence_when_idle: true,
      },
    ])
    expect(bodies('streaming_start')).toEqual([
      {
        ...{ stream_url: url, stream_track: 'inbound_track', stream_codec: 'PCMU' },
        ...{ stream_bidirectional_mode: 'rtp', stream_bidirectional_codec: 'PCMU' },
        ...{ stream_bidirectional_sampling_rate: 8_000, stream_bidirectional_target_legs: 'self' },
      },
    ])
  })

  it('presses keys on the open stream, which is not replaced', async () => {
    expect(line.digitsReplaceStream).toBe(false)
    await line.sendDigits(id(), '12#')
    expect(bodies('send_dtmf')).toEqual([{ digits: '12#' }])
  })

  it('records both sides on two channels, pauses, resumes and stops', async () => {
    for (const action of ['start', 'pause', 'resume', 'stop'] as const) {
      await line.record(id(), action)
    }
    expect(carrier.commandsOf(id())).toEqual([
      ...['record_start', 'record_pause', 'record_resume', 'record_stop'],
    ])
    expect(bodies('record_start')).toEqual([
      { channels: 'dual', format: 'wav', recording_track: 'both' },
    ])
  })

  it('suppresses the noise of the user, not ours', async () => {
    await line.suppressNoise(id())
    expect(bodies('suppression_start')).toEqual([{ direction: 'inbound' }])
  })

  it('hangs up, and takes a call that is over (90018) or unknown (10005) as hung up', async () => {
    await line.hangup(id())
    user.isOver = true
    await line.hangup(id())
    await line.hangup('v3:nobody')
    expect(carrier.rest.seen).toHaveLength(3)
    await expect(line.sendDigits(id(), '1')).rejects.toMatchObject({ code: 'CARRIER_CALL_GONE' })
  })

  it('sends a command whose answer was a 500 again with the same id, so that it is done once', async () => {
    carrier.rest.instead.push({ status: 500, body: { errors: [{ code: '10007' }] } })
    await line.sendDigits(id(), '7')
    expect(carrier.rest.seen).toHaveLength(2)
    expect(new Set(ids()).size).toBe(1)
    await line.sendDigits(id(), '7')
    expect(new Set(ids()).size).toBe(2)
  })

  it('never sends a refused command again', async () => {
    const error = { code: '90034', title: 'Call not answered yet', detail: 'no' }
    carrier.rest.instead.push({ status: 422, body: { errors: [error] } })
    await expect(line.record(id(), 'start')).rejects.toMatchObject({
      ...{ code: 'CARRIER_REFUSED', carrierCode: '90034', retryable: false },
      message: 'Telnyx did not start recording (90034)',
    })
    expect(carrier.rest.seen).toHaveLength(1)
  })

  it('places a call once when the answer is a 500, again after a 429', async () => {
    carrier.onDial = () => leg()
    carrier.rest.instead.push({ status: 500, body: {} })
    await expect(line.dial(DIAL)).rejects.toMatchObject({ code: 'CARRIER_FAILED' })
    expect(carrier.rest.seen).toHaveLength(1)
    carrier.rest.instead.push({ status: 429, body: { errors: [{ code: '10011' }] } })
    expect(await line.dial({ ...DIAL, detectMachine: true })).toMatch(/^v3:/)
    expect(carrier.rest.seen).toHaveLength(3)
    expect(carrier.rest.seen[2]?.body).toMatchObject({
      ...{ to: PERSON, from: OURS, timeout_secs: 45, connection_id: '1494404757140276705' },
      ...{ answering_machine_detection: 'premium', client_state: clientState({ call: CALL_ID }) },
    })
  })
})

describe('telnyx transfer', () => {
  /** Begins one and resolves when the person's telephone rings. */
  async function begin(announcement: typeof ANNOUNCEMENT | null) {
    const person = leg()
    const ringing = Promise.withResolvers<Record<string, unknown>>()
    carrier.onDial = (body) => {
      ringing.resolve(body)
      return person
    }
    const done = line.transfer(id(), { to: PERSON, from: OURS, announcement, callId: CALL_ID })
    // Looked at later; until then a rejection is nobody's.
    done.catch(() => undefined)
    const dialled = await ringing.promise
    const tell = (event: 'answered' | 'spoken' | 'bridged' | 'ended') =>
      line.legReported({ callId: CALL_ID, legId: person.callControlId, event })
    return { person, done, dialled, tell }
  }
  const got = (of: Leg, ...actions: string[]) =>
    expect.poll(() => of.heard.map(([action]) => action)).toEqual(actions)

  it('cold: dials the person, joins the two when they answer, stops our stream', async () => {
    const { person, done, dialled, tell } = await begin(null)
    expect(dialled).toMatchObject({
      ...{ to: PERSON, from: OURS, timeout_secs: 30, link_to: id() },
      client_state: clientState({ transferOf: CALL_ID }),
    })
    tell('answered')
    await got(user, 'bridge')
    expect(user.heard[0]?.[1]).toMatchObject({
      call_control_id: person.callControlId,
    })
    tell('bridged')
    await done
    await got(user, 'bridge', 'streaming_stop')
    expect(person.heard).toEqual([])
  })

  it('warm: the person hears the announcement to its end before the user does', async () => {
    const { person, done, tell } = await begin(ANNOUNCEMENT)
    tell('answered')
    await got(person, 'speak')
    expect(person.heard[0]?.[1]).toMatchObject({ payload: ANNOUNCEMENT.text, language: 'es-MX' })
    expect(user.heard).toEqual([])
    tell('spoken')
    await got(user, 'bridge')
    tell('bridged')
    await done
  })

  it('of a person who does not answer is rejected, the user stays, and nothing rings on', async () => {
    const { person, done, tell } = await begin(null)
    tell('ended')
    await expect(done).rejects.toMatchObject({ code: 'TRANSFER_FAILED' })
    await got(person, 'hangup')
    expect(user.heard).toEqual([])
  })

  it('that Telnyx refuses to dial is rejected with Telnyx’s own words', async () => {
    carrier.onDial = null
    const transfer = { to: '+1', from: OURS, announcement: null, callId: CALL_ID }
    await expect(line.transfer(id(), transfer)).rejects.toMatchObject({
      ...{ code: 'CARRIER_REFUSED', carrierCode: '10016' },
    })
  })

  it('whose user hangs up meanwhile is rejected, and the person is hung up', async () => {
    const { person, done, tell } = await begin(null)
    user.isOver = true
    tell('answered')
    await expect(done).rejects.toMatchObject({ code: 'CARRIER_CALL_GONE' })
    await got(person, 'hangup')
  })

  it('is one at a time: a second one of the same call is rejected and the first goes on', async () => {
    const { done, tell } = await begin(null)
    const second = { to: PERSON, from: OURS, announcement: null, callId: CALL_ID }
    await expect(line.transfer(id(), second)).rejects.toMatchObject({ code: 'TRANSFER_FAILED' })
    tell('answered')
    await got(user, 'bridge')
    tell('bridged')
    await done
  })
})
