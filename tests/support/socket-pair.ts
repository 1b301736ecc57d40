/** A real WebSocket over loopback: our end and the carrier's end of it, and everything a stream tells its owner. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'
import type { StreamEvents, StreamStart } from '../../server/carriers/carrier.ts'

export interface SocketPair {
  /** Our end. */
  ours: WebSocket
  /** The carrier's end. */
  theirs: WebSocket
  /** What reached the carrier: text as string, binary as Buffer. */
  received: (string | Buffer)[]
  close(): Promise<void>
}

export async function connectPair(): Promise<SocketPair> {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    perMessageDeflate: false,
    maxPayload: 262_144,
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const accepted = once(server, 'connection') as Promise<[WebSocket]>
  const theirs = new WebSocket(`ws://127.0.0.1:${port}`)
  const received: (string | Buffer)[] = []
  theirs.on('message', (data: Buffer, isBinary) => {
    received.push(isBinary ? data : data.toString('utf8'))
  })
  const [[ours]] = await Promise.all([accepted, once(theirs, 'open')])
  const close = async () => {
    theirs.terminate()
    ours.terminate()
    await new Promise((resolve) => server.close(resolve))
  }
  return { ours, theirs, received, close }
}

/** Settles when the other end has handled everything sent from this one: a pong follows what came before its ping. */
export async function settle(socket: WebSocket): Promise<void> {
  const pong = once(socket, 'pong')
  socket.ping()
  await pong
}

export type Told =
  | ['start', StreamStart]
  | ['payload', string, number]
  | ['mark' | 'digit' | 'text' | 'stop' | 'bad' | 'unusable', string]

/** Events as a list; a payload is written in hexadecimal, because its bytes are only valid during the call. */
export function eventList(): { told: Told[]; events: StreamEvents } {
  const told: Told[] = []
  const events: StreamEvents = {
    onStart: (start) => told.push(['start', start]),
    onPayload: (payload, atMs) =>
      told.push(['payload', Buffer.from(payload).toString('hex'), atMs]),
    onMarkPlayed: (name) => told.push(['mark', name]),
    onDigit: (digit) => told.push(['digit', digit]),
    onText: (text) => told.push(['text', text]),
    onStop: (cause) => told.push(['stop', cause]),
    onUnusable: (code) => told.push(['unusable', code]),
    onBadInput: (code) => told.push(['bad', code]),
  }
  return { told, events }
}
