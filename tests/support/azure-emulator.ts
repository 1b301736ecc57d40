/** A small Azure Speech on the wire: enough for one partial and final per connection, and one synthesis per SSML. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import type { RawData, WebSocket } from 'ws'

export type AzureBehaviour =
  | 'works'
  /** Answers the upgrade with 401. */
  | 'refuses'
  /** Accepts everything and answers nothing. */
  | 'silent'
  /** Synthesis: sends one chunk, then nothing. */
  | 'stalls'

export interface AzureEmulator {
  /** ws://127.0.0.1:port */
  host: string
  behaviour: AzureBehaviour
  /** Every SSML received. */
  ssml: string[]
  /** Paths of the upgrades, without their query. */
  paths: string[]
  /** Audio bytes received on recognition connections, RIFF header left out. */
  audioBytes: number
  close(): Promise<void>
}

/** 16 kHz PCM of the one word that the emulator says: 300 ms of a sawtooth. */
export const EMULATED_PCM = Int16Array.from({ length: 4_800 }, (_, at) => (at % 100) * 100 - 5_000)

export async function startAzureEmulator(): Promise<AzureEmulator> {
  const http = createServer()
  const sockets = new WebSocketServer({ noServer: true })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const emulator: AzureEmulator = {
    host: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    behaviour: 'works',
    ssml: [],
    paths: [],
    audioBytes: 0,
    close: async () => {
      for (const socket of sockets.clients) socket.terminate()
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
  http.on('upgrade', (request, socket, head) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    emulator.paths.push(pathname)
    if (emulator.behaviour === 'refuses') {
      socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
      return
    }
    sockets.handleUpgrade(request, socket, head, (ws) => {
      if (pathname.includes('/stt/')) recognise(emulator, ws)
      else synthesise(emulator, ws)
    })
  })
  return emulator
}

interface Message {
  path: string
  requestId: string
  body: Buffer
}

/** Text: headers, blank line, body. Binary: 2 bytes of header length, headers, body. */
function parse(data: RawData, isBinary: boolean): Message {
  const bytes = data as Buffer
  const headerAt = isBinary ? 2 : 0
  const headerEnd = isBinary ? 2 + bytes.readUInt16BE(0) : bytes.indexOf('\r\n\r\n')
  const headers = bytes.subarray(headerAt, headerEnd).toString()
  const header = (name: string): string =>
    new RegExp(`^${name}:\\s*(.*)$`, 'im').exec(headers)?.[1]?.trim() ?? ''
  return {
    path: header('Path').toLowerCase(),
    requestId: header('X-RequestId'),
    body: bytes.subarray(isBinary ? headerEnd : headerEnd + 4),
  }
}

function sendText(
  ws: WebSocket,
  message: { path: string; requestId: string; body: unknown },
): void {
  const { path, requestId, body } = message
  ws.send(
    `X-RequestId:${requestId}\r\nPath:${path}\r\nContent-Type:application/json\r\n\r\n${JSON.stringify(body)}`,
  )
}

const TURN_START = { context: { serviceTag: 'emulator' } }

function recognise(emulator: AzureEmulator, ws: WebSocket): void {
  let received = 0
  let said = 0
  ws.on('message', (data, isBinary) => {
    const { path, requestId, body } = parse(data, isBinary)
    if (path !== 'audio' || emulator.behaviour !== 'works') return
    const isHeader = body.subarray(0, 4).toString() === 'RIFF'
    if (!isHeader) {
      received += body.length
      emulator.audioBytes += body.length
    }
    const send = (name: string, json: unknown): void =>
      sendText(ws, { path: name, requestId, body: json })
    if (said === 0 && received >= 3_200) {
      said = 1
      send('turn.start', TURN_START)
      send('speech.startDetected', { Offset: 1_000_000 })
      send('speech.hypothesis', {
        Id: 'a',
        Text: 'quiero',
        Offset: 1_000_000,
        Duration: 4_000_000,
        Channel: 0,
      })
    }
    if (said === 1 && received >= 9_600) {
      said = 2
      send('speech.endDetected', { Offset: 6_000_000 })
      send('speech.phrase', {
        Id: 'a',
        RecognitionStatus: 'Success',
        DisplayText: 'Quiero información.',
        Offset: 1_000_000,
        Duration: 9_000_000,
        Channel: 0,
        NBest: [
          {
            Confidence: 0.9,
            Lexical: 'quiero información',
            ITN: 'quiero información',
            MaskedITN: 'quiero información',
            Display: 'Quiero información.',
            Words: [
              { Word: 'quiero', Offset: 1_000_000, Duration: 4_000_000 },
              { Word: 'información', Offset: 5_000_000, Duration: 5_000_000 },
            ],
          },
        ],
      })
    }
  })
}

function synthesise(emulator: AzureEmulator, ws: WebSocket): void {
  ws.on('message', (data, isBinary) => {
    const { path, requestId, body } = parse(data, isBinary)
    if (path !== 'ssml') return
    emulator.ssml.push(body.toString())
    if (emulator.behaviour === 'silent') return
    const send = (name: string, json: unknown): void =>
      sendText(ws, { path: name, requestId, body: json })
    send('turn.start', TURN_START)
    send('response', {
      context: { serviceTag: 'emulator' },
      audio: { type: 'inline', streamId: 'S1' },
    })
    const audio = Buffer.from(EMULATED_PCM.buffer)
    // An odd cut: the service promises no alignment.
    sendAudio(ws, requestId, audio.subarray(0, 3_201))
    if (emulator.behaviour === 'stalls') return
    send('audio.metadata', {
      Metadata: [
        {
          Type: 'WordBoundary',
          Data: {
            Offset: 500_000,
            Duration: 2_000_000,
            text: { Text: 'Hola', Length: 4, BoundaryType: 'WordBoundary' },
          },
        },
      ],
    })
    sendAudio(ws, requestId, audio.subarray(3_201))
    send('turn.end', {})
  })
}

function sendAudio(ws: WebSocket, requestId: string, pcm: Buffer): void {
  const headers = Buffer.from(`X-RequestId:${requestId}\r\nX-StreamId:S1\r\nPath:audio\r\n`)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(headers.length)
  ws.send(Buffer.concat([length, headers, pcm]))
}
