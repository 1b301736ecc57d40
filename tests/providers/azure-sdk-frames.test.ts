/** Audio that goes to Azure in frames of our own: the bytes are those that the SDK and ws would have sent, and the memory comes back. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { parseMessage, type WireMessage } from '../../bench/rig/azure-wire.ts'
import {
  AudioFrames,
  spareFrames,
  type AudioConnection,
} from '../../server/providers/azure-sdk-frames.ts'
import { loadAzureSdk } from '../../server/providers/azure-sdk.ts'

const ROOT = 'microsoft-cognitiveservices-speech-sdk/distrib/lib/src'
const REQUEST_ID = 'A'.repeat(32)
const PIECE_BYTES = 3_200

interface Connection extends AudioConnection {
  open(): Promise<{ statusCode: number }>
  dispose(): Promise<void>
}

/** The SDK's own connection, to a socket that keeps what comes, in order. */
async function connected() {
  const { WebsocketConnection } = (await import(
    `${ROOT}/common.browser/WebsocketConnection.js`
  )) as {
    WebsocketConnection: new (...args: unknown[]) => Connection
  }
  const { WebsocketMessageFormatter } = (await import(
    `${ROOT}/common.speech/WebsocketMessageFormatter.js`
  )) as { WebsocketMessageFormatter: new () => unknown }
  const heard: WireMessage[] = []
  let wake = (): void => undefined
  server.once('connection', (ws: WebSocket) =>
    ws.on('message', (data, isBinary) => {
      const { path, requestId, body } = parseMessage(data, isBinary)
      heard.push({ path, requestId, body: Buffer.from(body) })
      raw.push(Buffer.from(data as Buffer))
      wake()
    }),
  )
  const raw: Buffer[] = []
  const address = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const connection = new WebsocketConnection(address, {}, {}, new WebsocketMessageFormatter())
  expect((await connection.open()).statusCode).toBe(200)
  opened.push(connection)
  const hears = async (count: number): Promise<WireMessage[]> => {
    while (heard.length < count) await new Promise<void>((resolve) => (wake = resolve))
    return heard
  }
  return { connection, hears, raw }
}

async function messages(): Promise<(body: ArrayBuffer | null, streamId?: string) => unknown> {
  const { SpeechConnectionMessage } = (await import(
    `${ROOT}/common.speech/SpeechConnectionMessage.Internal.js`
  )) as { SpeechConnectionMessage: new (...args: unknown[]) => unknown }
  return (body, streamId) =>
    new SpeechConnectionMessage(1, 'audio', REQUEST_ID, null, body, streamId)
}

/** Told apart by their bytes. */
function pieceOf(number: number, bytes = PIECE_BYTES): ArrayBuffer {
  return Uint8Array.from({ length: bytes }, (_, i) => (number * 31 + i * 7) & 0xff).buffer
}

let server: WebSocketServer
const opened: Connection[] = []
beforeAll(async () => {
  await loadAzureSdk()
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
})
afterEach(async () => {
  for (const connection of opened.splice(0)) await connection.dispose()
})
afterAll(() => void server.close())

describe('a piece of audio', () => {
  it('goes the SDK’s way once, then in frames of our own with the same headers and every byte', async () => {
    const { connection, hears, raw } = await connected()
    const message = await messages()
    const frames = new AudioFrames()
    expect(frames.send(connection, REQUEST_ID, pieceOf(0))).toBe(false)
    await frames.sendBySdk(connection, REQUEST_ID, message(pieceOf(0), 'S1'))
    for (let i = 1; i < 20; i++) expect(frames.send(connection, REQUEST_ID, pieceOf(i))).toBe(true)
    const heard = await hears(20)
    expect(heard.every(({ path }) => path === 'audio')).toBe(true)
    expect(heard.map(({ body }) => body)).toEqual(
      Array.from({ length: 20 }, (_, i) => Buffer.from(pieceOf(i))),
    )
    const headersOf = (data: Buffer): string =>
      data.toString('latin1', 0, 2 + data.readUInt16BE(0)).replace(/[-\d]+T[\d:.]+Z/, 'TIME')
    expect(headersOf(raw[19]!)).toBe(headersOf(raw[0]!))
    expect(headersOf(raw[19]!)).toContain('TIME')
  })

  it('of any length arrives whole: 1 to 8 bytes behind 1 600', async () => {
    const { connection, hears } = await connected()
    const message = await messages()
    const frames = new AudioFrames()
    await frames.sendBySdk(connection, REQUEST_ID, message(pieceOf(0)))
    for (let i = 1; i <= 8; i++) {
      expect(frames.send(connection, REQUEST_ID, pieceOf(i, 1_600 + i))).toBe(true)
    }
    const heard = await hears(9)
    for (let i = 1; i <= 8; i++) expect(heard[i]!.body).toEqual(Buffer.from(pieceOf(i, 1_600 + i)))
  })

  it('overtakes nothing that the SDK has under way: 3 pieces of its own arrive first', async () => {
    const { connection, hears } = await connected()
    const message = await messages()
    const frames = new AudioFrames()
    const bySdk = [0, 1, 2].map((i) =>
      frames.sendBySdk(connection, REQUEST_ID, message(pieceOf(i))),
    )
    expect(frames.send(connection, REQUEST_ID, pieceOf(9))).toBe(false)
    await bySdk[0]
    const isFree = frames.send(connection, REQUEST_ID, pieceOf(3))
    await Promise.all(bySdk)
    if (!isFree) expect(frames.send(connection, REQUEST_ID, pieceOf(3))).toBe(true)
    const heard = await hears(4)
    expect(heard.map(({ body }) => body)).toEqual([0, 1, 2, 3].map((i) => Buffer.from(pieceOf(i))))
  })

  it('lies in memory that comes back: 200 pieces, written one after the other, take one block', async () => {
    const { connection, hears } = await connected()
    const message = await messages()
    const frames = new AudioFrames()
    await frames.sendBySdk(connection, REQUEST_ID, message(pieceOf(0)))
    while (spareFrames.count > 0) spareFrames.take()
    for (let i = 1; i <= 200; i++) {
      expect(frames.send(connection, REQUEST_ID, pieceOf(i))).toBe(true)
      await hears(i + 1)
    }
    expect(spareFrames.count).toBe(1)
  })

  it('goes the SDK’s way for another request, another connection, 5 000 bytes, and a closed socket', async () => {
    const { connection } = await connected()
    const other = await connected()
    const message = await messages()
    const frames = new AudioFrames()
    await frames.sendBySdk(connection, REQUEST_ID, message(pieceOf(0)))
    expect(frames.send(connection, 'B'.repeat(32), pieceOf(1))).toBe(false)
    expect(frames.send(other.connection, REQUEST_ID, pieceOf(1))).toBe(false)
    expect(frames.send(connection, REQUEST_ID, pieceOf(1, 5_000))).toBe(false)
    await connection.dispose()
    expect(frames.send(connection, REQUEST_ID, pieceOf(1))).toBe(false)
  })

  it('goes the SDK’s way where the inside is another', async () => {
    const frames = new AudioFrames()
    const sent: unknown[] = []
    const connection: AudioConnection = { send: (some) => Promise.resolve(void sent.push(some)) }
    const message = await messages()
    await frames.sendBySdk(connection, REQUEST_ID, message(pieceOf(0)))
    await frames.sendBySdk(connection, REQUEST_ID, 'a message without headers')
    expect(sent).toHaveLength(2)
    expect(frames.send(connection, REQUEST_ID, pieceOf(1))).toBe(false)
  })
})
