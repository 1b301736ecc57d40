import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BrowserStream } from '../../server/carriers/browser.ts'
import {
  connectPair,
  eventList,
  settle,
  type SocketPair,
  type Told,
} from '../support/socket-pair.ts'

const START = { type: 'start', sampleRateHz: 16_000 }
const FRAME = Buffer.from(Array.from({ length: 640 }, (_, i) => i % 251))

let pair: SocketPair
let stream: BrowserStream
let told: Told[]

beforeEach(async () => {
  pair = await connectPair()
  const list = eventList()
  told = list.told
  stream = new BrowserStream(pair.ours, list.events, { streamId: 'stream-1', token: 't0ken' })
})
afterEach(() => pair.close())

async function hear(...messages: unknown[]): Promise<Told[]> {
  told.length = 0
  for (const message of messages) {
    const raw = typeof message === 'string' || Buffer.isBuffer(message)
    pair.theirs.send(raw ? message : JSON.stringify(message))
  }
  await settle(pair.theirs)
  return [...told]
}

describe('browser: what the browser sends', () => {
  it('starts a stream of 16 kHz L16 with the token of its URL', async () => {
    expect(await hear(START)).toEqual([
      [
        'start',
        {
          streamId: 'stream-1',
          carrierCallId: 'stream-1',
          token: 't0ken',
          from: null,
          to: null,
          parameters: {},
          format: { codec: 'L16', sampleRateHz: 16_000 },
        },
      ],
    ])
  })

  it('counts stream time in frames: 0, 20 and 40 ms', async () => {
    await hear(START)
    const hex = FRAME.toString('hex')
    expect(await hear(FRAME, FRAME, FRAME)).toEqual([
      ['payload', hex, 0],
      ['payload', hex, 20],
      ['payload', hex, 40],
    ])
  })

  it('takes text, digits, played marks and stop', async () => {
    await hear(START)
    expect(
      await hear(
        { type: 'text', text: '  ¿Qué tal?  ' },
        { type: 'dtmf', digit: '*' },
        { type: 'played', mark: '1.7' },
        { type: 'stop' },
      ),
    ).toEqual([
      ['text', '¿Qué tal?'],
      ['digit', '*'],
      ['mark', '1.7'],
      ['stop', 'stop'],
    ])
  })

  it('reports a closed tab once, as close', async () => {
    await hear(START)
    pair.theirs.close()
    await once(pair.ours, 'close')
    expect(told.filter(([kind]) => kind === 'stop')).toEqual([['stop', 'close']])
  })

  it('says nothing more after stop', async () => {
    await hear(START)
    expect(await hear({ type: 'stop' }, FRAME, '{')).toEqual([['stop', 'stop']])
  })
})

describe('browser: bad input', () => {
  it.each([
    ['text that is not JSON', 'hello', 'malformedJson'],
    ['an empty message', '', 'malformedJson'],
    ['JSON null', 'null', 'badMessage'],
    ['a type nobody knows', '{"type":"dance"}', 'badMessage'],
    ['a start in 48 kHz', '{"type":"start","sampleRateHz":48000}', 'badMessage'],
    ['16 385 bytes', JSON.stringify({ type: 'x'.repeat(16_374) }), 'oversizedMessage'],
    ['a frame before start', FRAME, 'mediaBeforeStart'],
    ['text before start', '{"type":"text","text":"a"}', 'textBeforeStart'],
    ['a digit before start', '{"type":"dtmf","digit":"1"}', 'dtmfBeforeStart'],
    ['a played mark before start', '{"type":"played","mark":"1.1"}', 'playedBeforeStart'],
    ['stop before start', '{"type":"stop"}', 'stopBeforeStart'],
  ])('counts %s and still takes a start', async (_, message, code) => {
    expect(await hear(message)).toEqual([['bad', code]])
    expect((await hear(START))[0]![0]).toBe('start')
  })

  it.each([
    ['a frame of 639 bytes', FRAME.subarray(1), 'badPayload'],
    ['a frame of 1 280 bytes', Buffer.concat([FRAME, FRAME]), 'badPayload'],
    ['an empty frame', Buffer.alloc(0), 'badPayload'],
    ['a second start', JSON.stringify(START), 'secondStart'],
    ['text of white space', '{"type":"text","text":"   "}', 'badMessage'],
    [
      'text of 1 001 characters',
      JSON.stringify({ type: 'text', text: 'x'.repeat(1_001) }),
      'badMessage',
    ],
    ['the digit A', '{"type":"dtmf","digit":"A"}', 'badMessage'],
    ['two digits at once', '{"type":"dtmf","digit":"12"}', 'badMessage'],
    [
      'a mark of 129 characters',
      JSON.stringify({ type: 'played', mark: 'm'.repeat(129) }),
      'badMessage',
    ],
  ])('counts %s and goes on', async (_, message, code) => {
    await hear(START)
    expect(await hear(message, FRAME)).toEqual([
      ['bad', code],
      ['payload', FRAME.toString('hex'), 0],
    ])
  })

  it('ends with cause error when a message exceeds what the socket takes, 262 144 bytes', async () => {
    await hear(START)
    pair.theirs.on('error', () => undefined)
    pair.theirs.send(Buffer.alloc(262_145))
    // events.once() would reject on the socket's own error, which is the point here.
    await new Promise((resolve) => pair.ours.once('close', resolve))
    expect(told.filter(([kind]) => kind === 'stop')).toEqual([['stop', 'error']])
  })
})

describe('browser: what we send', () => {
  it('sends frames as binary and everything else as JSON, in order, and closes with 1000', async () => {
    await hear(START)
    expect(stream.sendPayload(FRAME)).toBe(true)
    stream.sendMark('1.7')
    stream.clear()
    stream.sendEvent({ type: 'ended', reason: 'idle' })
    stream.close()
    const [code] = await once(pair.theirs, 'close')
    expect(pair.received).toEqual([
      FRAME,
      '{"type":"mark","name":"1.7"}',
      '{"type":"clear"}',
      '{"type":"ended","reason":"idle"}',
    ])
    expect(code).toBe(1000)
  })

  it('sends a copy: the payload is a view of memory that changes at once', async () => {
    await hear(START)
    pair.theirs.pause()
    const memory = new Uint8Array(1_920).fill(1)
    const frame = memory.subarray(640, 1_280).fill(2)
    while (stream.bufferedBytes === 0) stream.sendPayload(frame)
    memory.fill(9)
    pair.theirs.resume()
    await settle(pair.ours)
    expect(pair.received.every((frame) => Buffer.alloc(640, 2).equals(frame as Buffer))).toBe(true)
  })

  it('sends no frames before start, but says why it refuses a stream', async () => {
    expect(stream.sendPayload(FRAME)).toBe(false)
    stream.sendEvent({ type: 'error', code: 'badToken', message: 'x' })
    await settle(pair.ours)
    expect(pair.received).toEqual(['{"type":"error","code":"badToken","message":"x"}'])
  })

  it('refuses frames once 32 768 bytes wait in the socket, and takes them again when they are gone', async () => {
    await hear(START)
    pair.theirs.pause()
    let taken = 0
    while (stream.sendPayload(FRAME)) taken++
    expect(stream.bufferedBytes).toBeGreaterThan(32_768)
    expect(stream.bufferedBytes).toBeLessThan(32_768 + 650)
    pair.theirs.resume()
    await settle(pair.ours)
    expect(pair.received.length).toBe(taken)
    expect(stream.sendPayload(FRAME)).toBe(true)
  })

  it('sends nothing on a closed socket, and close() twice is the same as once', async () => {
    await hear(START)
    stream.close()
    stream.close()
    await once(pair.ours, 'close')
    expect(stream.sendPayload(FRAME)).toBe(false)
    stream.sendEvent({ type: 'event' })
    stream.close()
  })
})
