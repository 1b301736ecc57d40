import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  media,
  openTwilio,
  PAYLOAD,
  start,
  STREAM,
  type TwilioRig,
} from '../support/twilio-stream.ts'

let rig: TwilioRig
const hear = (...messages: unknown[]) => rig.hear(...messages)

beforeEach(async () => {
  rig = await openTwilio()
})
afterEach(() => rig.close())

describe('twilio: bad input', () => {
  it.each([
    ['text that is not JSON', 'hello', 'malformedJson'],
    ['an empty message', '', 'malformedJson'],
    ['JSON without an event', '{"a":1}', 'notAMessage'],
    ['a JSON array', '[]', 'notAMessage'],
    ['JSON null', 'null', 'notAMessage'],
    ['an event that is a number', '{"event":7}', 'notAMessage'],
    ['an event nobody knows', '{"event":"dance"}', 'unknownEvent'],
    ['an event named like a property of every object', '{"event":"__proto__"}', 'unknownEvent'],
    ['16 385 bytes', JSON.stringify({ event: 'x'.repeat(16_373) }), 'oversizedMessage'],
    ['a binary message', Buffer.from('{"event":"connected"}'), 'binaryMessage'],
  ])('counts %s', async (_, message, code) => {
    expect(await hear(message)).toEqual([['bad', code]])
  })

  it('takes a message of 16 384 bytes as it is', async () => {
    expect(await hear(JSON.stringify({ event: 'x'.repeat(16_372) }))).toEqual([
      ['bad', 'unknownEvent'],
    ])
  })

  it.each([
    ['media', media()],
    ['mark', { event: 'mark', streamSid: STREAM, mark: { name: 'a' } }],
    ['dtmf', { event: 'dtmf', streamSid: STREAM, dtmf: { digit: '1' } }],
    ['stop', { event: 'stop', streamSid: STREAM }],
  ])('counts %s before start and goes on', async (event, message) => {
    expect(await hear(message)).toEqual([['bad', `${event}BeforeStart`]])
    expect((await hear(start()))[0]![0]).toBe('start')
  })

  it.each([
    ['media', media()],
    ['mark', { event: 'mark', mark: { name: 'a' } }],
    ['dtmf', { event: 'dtmf', dtmf: { digit: '1' } }],
    ['stop', { event: 'stop' }],
  ])('counts %s of another stream as wrongStreamSid', async (_, message) => {
    await hear(start())
    expect(await hear({ ...message, streamSid: 'MZother' })).toEqual([['bad', 'wrongStreamSid']])
  })

  it.each([
    [
      'media without payload',
      { event: 'media', streamSid: STREAM, media: { timestamp: '5' } },
      'badMedia',
    ],
    [
      'media with a numeric timestamp',
      { ...media(), media: { timestamp: 5, payload: 'AAAA' } },
      'badMedia',
    ],
    [
      'a digit that no telephone has',
      { event: 'dtmf', streamSid: STREAM, dtmf: { digit: 'E' } },
      'badDtmf',
    ],
    ['two digits at once', { event: 'dtmf', streamSid: STREAM, dtmf: { digit: '12' } }, 'badDtmf'],
    ['a mark without a name', { event: 'mark', streamSid: STREAM, mark: {} }, 'badMark'],
    [
      'a mark with a name of 129',
      { event: 'mark', streamSid: STREAM, mark: { name: 'm'.repeat(129) } },
      'badMark',
    ],
    ['stop without a stream', { event: 'stop' }, 'badStop'],
  ])('counts %s', async (_, message, code) => {
    await hear(start())
    expect(await hear(message)).toEqual([['bad', code]])
  })

  it.each([
    ['without a call', { callSid: undefined }],
    ['in 16 kHz', { mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 16_000, channels: 1 } }],
    ['in A-law', { mediaFormat: { encoding: 'audio/x-alaw', sampleRate: 8_000, channels: 1 } }],
    ['in stereo', { mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8_000, channels: 2 } }],
    ['with a parameter of 1 001 characters', { customParameters: { a: 'x'.repeat(1_001) } }],
    ['with a parameter that is no text', { customParameters: { a: 1 } }],
  ])('counts a start %s as badStart, and takes a good one afterwards', async (_, change) => {
    const broken = start() as { start: object }
    expect(await hear({ ...broken, start: { ...broken.start, ...change } })).toEqual([
      ['bad', 'badStart'],
    ])
    expect((await hear(start()))[0]![0]).toBe('start')
  })

  it('counts a second start and keeps the first', async () => {
    await hear(start({ token: 'first' }))
    expect(await hear(start({ token: 'second' }), media())).toEqual([
      ['bad', 'secondStart'],
      ['payload', PAYLOAD.toString('hex'), 20],
    ])
  })

  it('ends with cause error when a message exceeds what the socket takes, 262 144 bytes', async () => {
    await hear(start())
    rig.theirs.on('error', () => undefined)
    rig.theirs.send('x'.repeat(262_145))
    // events.once() would reject on the socket's own error, which is the point here.
    await new Promise((resolve) => rig.ours.once('close', resolve))
    expect(rig.told.filter(([kind]) => kind === 'stop')).toEqual([['stop', 'error']])
  })
})
