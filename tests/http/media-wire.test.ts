/** The fast lane under a WebSocket: real connections, frames written byte by byte as a carrier might. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import fc from 'fast-check'
import { WebSocketServer, type WebSocket } from 'ws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { takeWire, type FastWire } from '../../server/http/media-wire.ts'

const SEED = 20_261_124

/** A masked frame of a client, RFC 6455 section 5.2. */
function frame(
  payload: Buffer | string,
  options: { opcode?: number; fin?: boolean; mask?: number } = {},
): Buffer {
  const { opcode = 1, fin = true, mask = 0x37fa213d } = options
  const body = Buffer.from(payload)
  const key = Buffer.alloc(4)
  key.writeUInt32BE(mask)
  const short = body.length < 126
  const header = Buffer.alloc(short ? 2 : 4)
  header[0] = (fin ? 0x80 : 0) | opcode
  header[1] = 0x80 | (short ? body.length : 126)
  if (!short) header.writeUInt16BE(body.length, 2)
  return Buffer.concat([header, key, body.map((byte, i) => byte ^ key[i % 4]!)])
}

function text(n: number): string {
  return `{"n":${n},"pad":"${'x'.repeat(120 + (n % 7))}"}`
}

describe('media wire', () => {
  let server: Server
  let client: Socket
  let wire: FastWire
  let ours: WebSocket
  let heard: string[]
  /** Which of the two ways each message took. */
  let ways: ('lane' | 'ws')[]

  beforeEach(async () => {
    heard = []
    ways = []
    server = createServer()
    const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
    const ready = new Promise<WebSocket>((resolve, reject) => {
      server.on('upgrade', (request, socket, head) => {
        const taken = takeWire(socket)
        if (!taken) return reject(new Error('this Node does not let a connection be taken over'))
        wire = taken
        sockets.handleUpgrade(request, taken.socket, Buffer.alloc(0), (accepted) => {
          accepted.on('message', (data: Buffer) => {
            heard.push(data.toString())
            ways.push('ws')
          })
          taken.reader = {
            readText(bytes, length) {
              const message = bytes.toString('latin1', 0, length)
              if (message.includes('"slow"')) return false
              heard.push(message)
              ways.push('lane')
              return true
            },
          }
          taken.feed(head)
          resolve(accepted)
        })
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    client.setNoDelay(true)
    client.write(
      'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n',
    )
    ours = await ready
    await once(client, 'data')
  })

  afterEach(async () => {
    client.destroy()
    ours.terminate()
    await new Promise((resolve) => server.close(resolve))
  })

  /** Sends the bytes in these pieces; settles when all of them have been handled: a ping comes last. */
  async function send(...pieces: Buffer[]): Promise<void> {
    const handled = once(ours, 'ping')
    for (const piece of pieces) {
      await new Promise<void>((resolve) => client.write(piece, () => resolve()))
    }
    client.write(frame('', { opcode: 9 }))
    await handled
  }

  it('takes 3 whole messages of one read by the lane, unmasked, in order', async () => {
    await send(Buffer.concat([1, 2, 3].map((n) => frame(text(n)))))
    expect(heard).toEqual([text(1), text(2), text(3)])
    expect(ways).toEqual(['lane', 'lane', 'lane'])
  })

  it('hands a message that the lane does not want to ws, and keeps the order of 3', async () => {
    const slow = `{"slow":true,"pad":"${'y'.repeat(150)}"}`
    await send(Buffer.concat([frame(text(1)), frame(slow), frame(text(3))]))
    expect(heard).toEqual([text(1), slow, text(3)])
  })

  it('leaves messages below 126 and above 4 092 bytes to ws', async () => {
    const [short, long] = ['{"event":"x"}', 'z'.repeat(5_000)]
    await send(frame(short), frame(long), frame(text(1)))
    expect(heard).toEqual([short, long, text(1)])
    expect(ways.slice(0, 2)).toEqual(['ws', 'ws'])
  })

  it('joins a message of 3 fragments through ws and goes on with the lane behind it', async () => {
    const parts = [
      frame('a'.repeat(130), { fin: false }),
      frame('b'.repeat(130), { opcode: 0, fin: false }),
      frame('c'.repeat(130), { opcode: 0 }),
    ]
    await send(...parts)
    await send(frame(text(9)))
    expect(heard).toEqual(['a'.repeat(130) + 'b'.repeat(130) + 'c'.repeat(130), text(9)])
    expect(ways).toEqual(['ws', 'lane'])
  })

  it('delivers 6 messages whole and in order however the bytes are split, in 40 random splits', async () => {
    const messages = [text(1), '{"event":"x"}', text(2), `{"slow":"${'s'.repeat(140)}"}`, text(3)]
    const bytes = Buffer.concat([
      ...messages.map((message, i) => frame(message, { mask: 0x01020304 * (i + 1) })),
      frame('p', { opcode: 10 }),
      frame(text(4)),
    ])
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(cuts, async (places) => {
        heard.length = 0
        const edges = [0, ...places.sort((a, b) => a - b), bytes.length]
        await send(...edges.slice(1).map((end, i) => bytes.subarray(edges[i], end)))
        expect(heard).toEqual([...messages, text(4)])
      }),
      { seed: SEED, numRuns: 40 },
    )
  })

  it('sends a frame as it is, with nothing waiting afterwards', async () => {
    const arrived = once(client, 'data')
    wire.write(Buffer.from([0x81, 2, 0x68, 0x69]))
    expect(wire.writableLength).toBe(0)
    const [bytes] = (await arrived) as [Buffer]
    expect([...bytes]).toEqual([0x81, 2, 0x68, 0x69])
  })

  it('keeps the order of 400 frames, and of 4 messages of ws between them, for a client that reads nothing at first', async () => {
    client.pause()
    const expected: Buffer[] = []
    const body = Buffer.alloc(20_000)
    for (let n = 0; n < 400; n++) {
      body.fill(n & 0xff)
      const out = Buffer.concat([
        Buffer.from([0x81, 126, body.length >> 8, body.length & 0xff]),
        body,
      ])
      expected.push(out)
      wire.write(out)
      if (n % 100 !== 50) continue
      const text = Buffer.from(`mark ${n}`)
      ours.send(text, { binary: false })
      expected.push(Buffer.concat([Buffer.from([0x81, text.length]), text]))
    }
    expect(wire.writableLength).toBeGreaterThan(1_000_000)
    const whole = Buffer.concat(expected)
    const got: Buffer[] = []
    let bytes = 0
    const all = new Promise<void>((resolve) => {
      client.on('data', (part: Buffer) => {
        got.push(part)
        bytes += part.length
        if (bytes >= whole.length) resolve()
      })
    })
    client.resume()
    await all
    expect(Buffer.concat(got).equals(whole)).toBe(true)
    // The last request's end may be told a moment after its bytes have arrived.
    while (wire.writableLength > 0) await new Promise((resolve) => setImmediate(resolve))
    expect(wire.writableLength).toBe(0)
  })

  it('takes no harm from a frame that is written when the connection is over', async () => {
    const closed = once(ours, 'close')
    client.destroy()
    await closed
    expect(() => wire.write(Buffer.from([0x81, 2, 0x68, 0x69]))).not.toThrow()
    expect(wire.isSpent).toBe(true)
  })

  it('closes with the code of a client that closes, and the HTTP server can close too', async () => {
    const closed = once(ours, 'close')
    client.write(frame(Buffer.from([0x03, 0xe8]), { opcode: 8 }))
    const [code] = (await closed) as [number]
    expect(code).toBe(1_000)
  })

  it('tells ws of an illegal frame: it closes with 1002 and an error', async () => {
    const error = once(ours, 'error')
    client.write(frame('x'.repeat(200), { opcode: 5 }))
    const [thrown] = (await error) as [Error]
    expect(thrown.message).toContain('Invalid WebSocket frame')
  })
})
