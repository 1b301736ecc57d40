import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import type { TelnyxStreamOptions } from '../../server/carriers/telnyx.ts'
import {
  connected,
  CONTROL,
  media,
  openTelnyx,
  PAYLOAD,
  start,
  STREAM,
  type TelnyxRig,
} from '../support/telnyx-stream.ts'

let rig: TelnyxRig
const open = async (options: Partial<TelnyxStreamOptions> = {}) => (rig = await openTelnyx(options))
const hear = (...messages: unknown[]) => rig.hear(...messages)
const L16 = { encoding: 'L16', sample_rate: 16_000, channels: 1 }
const ALAW = { encoding: 'PCMA', sample_rate: 8_000, channels: 1 }
const hex = (...bytes: number[]) => Buffer.from(bytes).toString('hex')

afterEach(() => rig.close())

describe('telnyx: what Telnyx sends', () => {
  it('parses connected, start, media, dtmf, mark and stop of one call', async () => {
    await open()
    const heard = await hear(
      connected,
      start(),
      media(1),
      {
        event: 'dtmf',
        stream_id: STREAM,
        occurred_at: 'now',
        sequence_number: '3',
        dtmf: { digit: '#' },
      },
      { event: 'mark', sequence_number: '4', stream_id: STREAM, mark: { name: '1.7' } },
      {
        event: 'stop',
        sequence_number: '5',
        stream_id: STREAM,
        stop: { call_control_id: CONTROL },
      },
    )
    const format = { codec: 'PCMU', sampleRateHz: 8_000 }
    const [from, to] = ['+525512345678', '+525587654321']
    const ids = { streamId: STREAM, carrierCallId: CONTROL, token: 't0ken' }
    expect(heard).toEqual([
      ['start', { ...ids, from, to, parameters: {}, format }],
      ['payload', PAYLOAD.toString('hex'), 0],
      ['digit', '#'],
      ['mark', '1.7'],
      ['stop', 'stop'],
    ])
  })

  it.each([
    ['a list', [{ name: 'plan', value: 'gold' }]],
    ['an object', { plan: 'gold' }],
  ])('takes custom parameters as %s', async (_, custom_parameters) => {
    await open()
    const [first] = await hear(start(undefined, { custom_parameters }))
    expect(first![1]).toMatchObject({ parameters: { plan: 'gold' } })
  })

  it('takes each of the 16 digits 0-9 * # A-D', async () => {
    await open()
    await hear(start())
    const digits = [...'0123456789*#ABCD']
    const heard = await hear(
      ...digits.map((digit) => ({ event: 'dtmf', stream_id: STREAM, dtmf: { digit } })),
    )
    expect(heard).toEqual(digits.map((digit) => ['digit', digit]))
  })

  it('puts payloads in order, on the fast way and on the way of spaced JSON, and counts the one that comes twice', async () => {
    await open()
    await hear(start())
    const spaced = JSON.stringify(media(3), null, 2)
    const at = (chunk: number) => ['payload', PAYLOAD.toString('hex'), (chunk - 1) * 20]
    expect(await hear(media(1), spaced, media(2), media(2), media(4))).toEqual([
      ...[at(1), at(2), at(3), ['bad', 'latePayload'], at(4)],
    ])
  })

  it('gives A-law on as it came, in both directions', async () => {
    const { stream } = await open({ codec: 'PCMA' })
    const heard = await hear(start(ALAW), media(1))
    expect(heard[0]![1]).toMatchObject({ format: { codec: 'PCMA', sampleRateHz: 8_000 } })
    expect(heard[1]).toEqual(['payload', PAYLOAD.toString('hex'), 0])
    expect(stream.sendPayload(PAYLOAD)).toBe(true)
    expect(await rig.heard()).toEqual([
      { event: 'media', media: { payload: PAYLOAD.toString('base64') } },
    ])
  })

  it.each([
    ['big', hex(2, 1, 4, 3)],
    ['little', hex(1, 2, 3, 4)],
  ] as const)(
    'turns 16 kHz L16 in %s-endian order into little-endian samples, and ours back into its own',
    async (l16ByteOrder, inside) => {
      const { stream } = await open({ codec: 'L16', l16ByteOrder })
      const heard = await hear(start(L16), media(1, Uint8Array.of(1, 2, 3, 4)))
      expect(heard[0]![1]).toMatchObject({ format: { codec: 'L16', sampleRateHz: 16_000 } })
      expect(heard[1]).toEqual(['payload', inside, 0])
      const ours = Buffer.from(inside, 'hex')
      expect(stream.sendPayload(ours)).toBe(true)
      expect(ours.toString('hex')).toBe(inside)
      const payload = Buffer.from([1, 2, 3, 4]).toString('base64')
      expect(await rig.heard()).toEqual([{ event: 'media', media: { payload } }])
    },
  )
})

describe('telnyx: what we send', () => {
  it('writes media, mark and clear without a stream id, in the order they were asked for', async () => {
    const { stream } = await open()
    await hear(start())
    stream.sendPayload(PAYLOAD)
    stream.sendMark('3.1')
    stream.clear()
    stream.sendEvent()
    expect(await rig.heard()).toEqual([
      { event: 'media', media: { payload: PAYLOAD.toString('base64') } },
      { event: 'mark', mark: { name: '3.1' } },
      { event: 'clear' },
    ])
  })

  it('is nothing before the start and after the close', async () => {
    const { stream } = await open()
    expect(stream.sendPayload(PAYLOAD)).toBe(false)
    stream.sendMark('a')
    stream.clear()
    await hear(start())
    const closed = once(rig.ours, 'close')
    stream.close()
    await closed
    expect(stream.sendPayload(PAYLOAD)).toBe(false)
    stream.clear()
    expect(rig.received).toEqual([])
    expect(rig.told.at(-1)).toEqual(['stop', 'close'])
  })
})

describe('telnyx: bad input', () => {
  it.each([
    ['in another codec than was asked for', ALAW],
    ['in 48 kHz', { encoding: 'L16', sample_rate: 48_000, channels: 1 }],
    ['in a codec nobody knows', { encoding: 'opus', sample_rate: 8_000 }],
  ])('ends a stream %s at once, and says so once', async (_, format) => {
    await open()
    const closed = once(rig.theirs, 'close')
    for (const message of [start(format), start()]) rig.theirs.send(JSON.stringify(message))
    expect((await closed)[0]).toBe(1_000)
    expect(rig.told).toEqual([
      ['bad', 'badFormat'],
      ['unusable', 'badFormat'],
    ])
  })

  it.each([
    [
      'an error with a code that Telnyx documents',
      { payload: { code: 100_003 } },
      'carrierError100003',
    ],
    ['an error in the older shape', { error: { code: '100004' } }, 'carrierError100004'],
    ['an error with a code of its own', { payload: { code: 'x'.repeat(300) } }, 'carrierError'],
    ['an error without a word', {}, 'carrierError'],
  ])('counts %s and goes on', async (_, body, code) => {
    await open()
    await hear(start())
    expect(await hear({ event: 'error', stream_id: STREAM, ...body }, media(1))).toEqual([
      ['bad', code],
      ['payload', PAYLOAD.toString('hex'), 0],
    ])
  })

  it.each([
    ['text that is not JSON', 'hello', 'malformedJson'],
    ['JSON null', 'null', 'notAMessage'],
    ['an event nobody knows', '{"event":"dance"}', 'unknownEvent'],
    ['an event named like a property of every object', '{"event":"__proto__"}', 'unknownEvent'],
    ['16 385 bytes', JSON.stringify({ event: 'x'.repeat(16_373) }), 'oversizedMessage'],
    ['a binary message', Buffer.from('{"event":"connected"}'), 'binaryMessage'],
    [
      'media without a chunk',
      { event: 'media', stream_id: STREAM, media: { timestamp: '0', payload: 'AAAA' } },
      'badMedia',
    ],
    [
      'our own track',
      { ...media(1), media: { ...(media(1)['media'] as object), track: 'outbound' } },
      'badMedia',
    ],
    [
      'a payload that is no base64',
      { ...media(1), media: { chunk: '1', timestamp: '0', payload: 'A-A=' } },
      'badPayload',
    ],
    ['a payload of 3 201 bytes', media(1, new Uint8Array(3_201)), 'badPayload'],
    ['two digits at once', { event: 'dtmf', stream_id: STREAM, dtmf: { digit: '12' } }, 'badDtmf'],
    ['a mark without a name', { event: 'mark', stream_id: STREAM, mark: {} }, 'badMark'],
    ['a message of another stream', { ...media(1), stream_id: 'other' }, 'wrongStreamId'],
    ['a second start', start(), 'secondStart'],
  ])('counts %s and goes on', async (_, message, code) => {
    await open()
    await hear(start())
    expect(await hear(message, media(1))).toEqual([
      ['bad', code],
      ['payload', PAYLOAD.toString('hex'), 0],
    ])
  })

  it.each([
    ['media', media(1)],
    ['mark', { event: 'mark', stream_id: STREAM, mark: { name: 'a' } }],
    ['dtmf', { event: 'dtmf', stream_id: STREAM, dtmf: { digit: '1' } }],
    ['stop', { event: 'stop', stream_id: STREAM }],
  ])('counts %s before start and goes on', async (event, message) => {
    await open()
    expect(await hear(message)).toEqual([['bad', `${event}BeforeStart`]])
    expect((await hear(start()))[0]![0]).toBe('start')
  })
})
