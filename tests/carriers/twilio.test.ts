import { once } from 'node:events'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { settle } from '../support/socket-pair.ts'
import {
  CALL,
  connected,
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

describe('twilio: what Twilio sends', () => {
  it('parses connected, start, media, dtmf, mark and stop of one call', async () => {
    const parameters = { token: 't0ken', from: '+525512345678', to: '+525587654321', plan: 'gold' }
    const heard = await hear(
      connected,
      start(parameters),
      media(),
      {
        event: 'dtmf',
        streamSid: STREAM,
        sequenceNumber: '5',
        dtmf: { track: 'inbound_track', digit: '#' },
      },
      { event: 'mark', sequenceNumber: '6', streamSid: STREAM, mark: { name: '1.7' } },
      {
        event: 'stop',
        sequenceNumber: '7',
        streamSid: STREAM,
        stop: { accountSid: 'AC', callSid: CALL },
      },
    )
    expect(heard).toEqual([
      [
        'start',
        {
          streamId: STREAM,
          carrierCallId: CALL,
          token: 't0ken',
          from: '+525512345678',
          to: '+525587654321',
          parameters: { plan: 'gold' },
          format: { codec: 'PCMU', sampleRateHz: 8_000 },
        },
      ],
      ['payload', PAYLOAD.toString('hex'), 20],
      ['digit', '#'],
      ['mark', '1.7'],
      ['stop', 'stop'],
    ])
  })

  it('starts without any custom parameter: token, from and to are null', async () => {
    const [first] = await hear(start())
    expect(first![1]).toMatchObject({ token: null, from: null, to: null, parameters: {} })
  })

  it('takes each of the 16 digits 0-9 * # A-D', async () => {
    await hear(start())
    const digits = [...'0123456789*#ABCD']
    const heard = await hear(
      ...digits.map((digit) => ({ event: 'dtmf', streamSid: STREAM, dtmf: { digit } })),
    )
    expect(heard).toEqual(digits.map((digit) => ['digit', digit]))
  })

  it('reports the end once when stop is followed by the close of the socket', async () => {
    await hear(start(), { event: 'stop', streamSid: STREAM })
    rig.theirs.close()
    await once(rig.ours, 'close')
    expect(rig.told.filter(([kind]) => kind === 'stop')).toEqual([['stop', 'stop']])
  })

  it.each([
    ['closes without stop', 'close'],
    ['breaks without a word', 'error'],
  ])('reports a socket that %s as %s', async (_, cause) => {
    await hear(start())
    if (cause === 'close') rig.theirs.close()
    else rig.theirs.terminate()
    await once(rig.ours, 'close')
    expect(rig.told.at(-1)).toEqual(['stop', cause])
  })

  it('says nothing more after stop', async () => {
    await hear(start())
    expect(await hear({ event: 'stop', streamSid: STREAM }, media(), '{')).toEqual([
      ['stop', 'stop'],
    ])
  })
})

describe('twilio: fast and slow path', () => {
  /** The same message in a shape that only JSON.parse understands. */
  const slow = (message: unknown) => JSON.stringify(message, null, 1)

  it('hears the same from a media message in the fixed shape and from one with white space', async () => {
    await hear(start())
    const [fast] = await hear(media())
    expect(await hear(slow(media()))).toEqual([fast])
  })

  it('hears the same when the streamSid stands before the media', async () => {
    await hear(start())
    const { event, sequenceNumber, streamSid, media: body } = media()
    expect(await hear({ event, sequenceNumber, streamSid, media: body })).toEqual(
      await hear(media()),
    )
  })

  it('hears the same from both for 300 payloads and timestamps, good and bad', async () => {
    await hear(start())
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 820 }).map((bytes) => Buffer.from(bytes).toString('base64')),
      fc.string({ maxLength: 40 }),
      fc.constantFrom('', '=', '====', 'AAA', 'AA==', 'AAA=', 'A===', 'AA==AA==', 'AA AA', 'AA_-'),
    )
    const timestamp = fc.oneof(
      fc.nat().map(String),
      fc.constantFrom('', '-1', '1e3', '0x10', '999999999999', '1000000000000', '5"'),
    )
    const same = async (text: string, at: string) => {
      expect(await hear(media(text, at))).toEqual(await hear(slow(media(text, at))))
    }
    await fc.assert(fc.asyncProperty(payload, timestamp, same), { seed: 2, numRuns: 300 })
  })

  it('counts a media message cut at any of its bytes as malformed, and delivers nothing', async () => {
    await hear(start())
    const whole = JSON.stringify(media())
    const cuts = Array.from({ length: whole.length - 1 }, (_, i) => whole.slice(0, i + 1))
    const heard = await hear(...cuts)
    expect(heard).toEqual(cuts.map(() => ['bad', 'malformedJson']))
  })

  it('does not take a payload from another place in the message', async () => {
    await hear(start())
    const { media: body, ...rest } = media()
    expect(await hear({ ...rest, other: body })).toEqual([['bad', 'badMedia']])
    expect(
      await hear({ event: 'mark', streamSid: STREAM, mark: { name: 'x', ...media() } }),
    ).toEqual([['mark', 'x']])
  })

  it('takes the last of two streamSids, as JSON does', async () => {
    await hear(start())
    const twice = JSON.stringify(media())
      .replace('"media":{', `"streamSid":"${STREAM}","media":{`)
      .replace(/"streamSid":"\w+"\}$/, '"streamSid":"MZother"}')
    expect(await hear(twice)).toEqual([['bad', 'wrongStreamSid']])
  })
})

describe('twilio: payloads', () => {
  it.each([1, 80, 159, 160, 161, 320, 800])('takes a payload of %i bytes', async (bytes) => {
    await hear(start())
    const payload = Buffer.alloc(bytes, 0x7e)
    expect(await hear(media(payload.toString('base64')))).toEqual([
      ['payload', payload.toString('hex'), 20],
    ])
  })

  it.each([
    ['nothing', ''],
    ['801 bytes', Buffer.alloc(801).toString('base64')],
    ['a length that is no multiple of 4', 'AAAAA'],
    ['a character outside the alphabet', 'AA*A'],
    ['the URL alphabet', 'AA_-'],
    ['white space', 'AA A'],
    ['padding in the middle', 'AA==AAAA'],
    ['padding only', '===='],
    ['3 characters of padding', 'A==='],
    ['text beyond ASCII', 'ñañañaña'],
  ])('counts a payload of %s as badPayload', async (_, payload) => {
    await hear(start())
    expect(await hear(media(payload))).toEqual([['bad', 'badPayload']])
  })

  it('takes base64 whose slashes are escaped, as some JSON writers do', async () => {
    await hear(start())
    const message = JSON.stringify(media('////')).replace('////', '\\/\\/\\/\\/')
    expect(await hear(message)).toEqual([['payload', 'ffffff', 20]])
  })

  it('does not take audio of the outbound track for the user', async () => {
    await hear(start())
    const body = media()
    Object.assign(body.media as object, { track: 'outbound' })
    expect(await hear(body)).toEqual([['bad', 'badMedia']])
  })
})

describe('twilio: what we send', () => {
  it('sends exactly the 3 shapes media, mark and clear, and closes with 1000', async () => {
    await hear(start())
    expect(rig.stream.sendPayload(PAYLOAD)).toBe(true)
    rig.stream.sendMark('1.7')
    rig.stream.clear()
    rig.stream.sendEvent()
    rig.stream.close()
    const [code] = await once(rig.theirs, 'close')
    expect(rig.received).toEqual([
      `{"event":"media","streamSid":"${STREAM}","media":{"payload":"${PAYLOAD.toString('base64')}"}}`,
      `{"event":"mark","streamSid":"${STREAM}","mark":{"name":"1.7"}}`,
      `{"event":"clear","streamSid":"${STREAM}"}`,
    ])
    expect(code).toBe(1000)
  })

  it('sends a view of a larger buffer without its neighbours, and keeps no reference to it', async () => {
    await hear(start())
    const memory = new Uint8Array(480).fill(1)
    memory.fill(2, 160, 320)
    rig.stream.sendPayload(memory.subarray(160, 320))
    memory.fill(9)
    await settle(rig.ours)
    const sent = JSON.parse(rig.received[0] as string)
    expect(Buffer.from(sent.media.payload, 'base64')).toEqual(Buffer.alloc(160, 2))
  })

  it('sends nothing before start', async () => {
    expect(rig.stream.sendPayload(PAYLOAD)).toBe(false)
    rig.stream.sendMark('a')
    rig.stream.clear()
    await settle(rig.ours)
    expect(rig.received).toEqual([])
  })

  it('sends nothing on a closed socket, and close() twice is the same as once', async () => {
    await hear(start())
    rig.stream.close()
    rig.stream.close()
    await once(rig.ours, 'close')
    expect(rig.stream.sendPayload(PAYLOAD)).toBe(false)
    rig.stream.sendMark('a')
    rig.stream.clear()
    rig.stream.close()
  })

  it('refuses payloads once 32 768 bytes wait in the socket, and takes them again when they are gone', async () => {
    await hear(start())
    rig.theirs.pause()
    let taken = 0
    while (rig.stream.sendPayload(PAYLOAD)) taken++
    expect(rig.stream.bufferedBytes).toBeGreaterThan(32_768)
    expect(rig.stream.bufferedBytes).toBeLessThan(32_768 + 320)
    expect(rig.stream.sendPayload(PAYLOAD)).toBe(false)
    rig.theirs.resume()
    await settle(rig.ours)
    expect(rig.stream.bufferedBytes).toBe(0)
    expect(rig.received.length).toBe(taken)
    expect(rig.stream.sendPayload(PAYLOAD)).toBe(true)
  })
})
