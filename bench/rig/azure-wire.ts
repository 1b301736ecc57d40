/**
 * Azure Speech on the wire: how its messages are framed, both ways.
 *
 *   text    Name: value CRLF … blank line, body
 *   binary  2 bytes big-endian header length, Name: value CRLF …, body
 */
import type { RawData, WebSocket } from 'ws'

export interface WireMessage {
  /** Lower case, e.g. `speech.config`, `audio`, `ssml`. */
  path: string
  requestId: string
  body: Buffer
}

const PATH = /^path:\s*(.*)$/im
const REQUEST_ID = /^x-requestid:\s*(.*)$/im

export function parseMessage(data: RawData, isBinary: boolean): WireMessage {
  const bytes = data as Buffer
  const headerEnd = isBinary ? 2 + bytes.readUInt16BE(0) : bytes.indexOf('\r\n\r\n')
  const headers = bytes.toString('latin1', isBinary ? 2 : 0, headerEnd)
  return {
    path: (PATH.exec(headers)?.[1] ?? '').trim().toLowerCase(),
    requestId: (REQUEST_ID.exec(headers)?.[1] ?? '').trim(),
    body: bytes.subarray(isBinary ? headerEnd : headerEnd + 4),
  }
}

export function sendJson(
  ws: WebSocket,
  message: { path: string; requestId: string; body: unknown },
): void {
  if (ws.readyState !== ws.OPEN) return
  ws.send(
    `X-RequestId:${message.requestId}\r\nPath:${message.path}\r\n` +
      `Content-Type:application/json\r\n\r\n${JSON.stringify(message.body)}`,
  )
}

/** `streamId` null leaves the header out. */
export function sendAudio(
  ws: WebSocket,
  message: { requestId: string; streamId: string | null; pcm: Uint8Array },
): void {
  if (ws.readyState !== ws.OPEN) return
  const stream = message.streamId === null ? '' : `X-StreamId:${message.streamId}\r\n`
  const headers = Buffer.from(`X-RequestId:${message.requestId}\r\n${stream}Path:audio\r\n`)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(headers.length)
  ws.send(Buffer.concat([length, headers, message.pcm]))
}

/** What no client should have to read: a text without headers, a header longer than its message, an unknown path. */
export function sendGarbage(ws: WebSocket): void {
  if (ws.readyState !== ws.OPEN) return
  ws.send('Path:speech.nonsense\r\nX-RequestId:0\r\n\r\n{"broken":')
  ws.send(Buffer.from([0, 12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]))
  ws.send('\r\n\r\n')
}

export const TURN_START = { context: { serviceTag: 'emulator' } }
