/**
 * The browser's end of the media protocol (docs/browser-protocol.md): text messages are JSON, binary ones are 20 ms
 * of 16 kHz s16le PCM. A message that cannot be read is counted and ignored; the call goes on.
 */
import type { ConversationEvent, EndReason } from '../api/types.ts'

export type ServerMessage =
  | { type: 'started'; callId: string; agentName: string; language: string }
  | { type: 'mark'; name: string }
  | { type: 'clear' }
  | { type: 'event'; event: ConversationEvent }
  | { type: 'vad'; speech: boolean; probability: number; levelDbfs: number; atMs: number }
  | { type: 'ended'; reason: EndReason }
  | { type: 'error'; code: string; message: string }

type ClientMessage =
  | { type: 'start'; sampleRateHz: 16000 }
  | { type: 'text'; text: string }
  | { type: 'dtmf'; digit: string }
  | { type: 'played'; mark: string }
  | { type: 'stop' }

export interface SocketEvents {
  onAudio(pcm: ArrayBuffer): void
  onMessage(message: ServerMessage): void
  /** Once, whoever closed. `opened` is false when the connection never stood. */
  onClose(opened: boolean): void
}

/** Half a second of audio. More than this unsent means the network is behind: newer frames are dropped. */
const MAX_UNSENT_BYTES = 25 * 640

export class MediaSocket {
  readonly #socket: WebSocket
  readonly #events: SocketEvents
  #opened = false
  #closed = false
  droppedFrames = 0
  badMessages = 0

  /** `path` is what the server gave with the media token, relative to its own origin. */
  constructor(path: string, events: SocketEvents) {
    const url = new URL(path, location.href)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    this.#events = events
    this.#socket = new WebSocket(url)
    this.#socket.binaryType = 'arraybuffer'
    this.#socket.onopen = () => {
      this.#opened = true
      this.#send({ type: 'start', sampleRateHz: 16_000 })
    }
    this.#socket.onmessage = (event: MessageEvent<unknown>) => this.#receive(event.data)
    this.#socket.onclose = () => this.#finish()
  }

  sendFrame(pcm: ArrayBuffer): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return
    if (this.#socket.bufferedAmount > MAX_UNSENT_BYTES) this.droppedFrames++
    else this.#socket.send(pcm)
  }

  sendText(text: string): void {
    this.#send({ type: 'text', text })
  }

  sendDigit(digit: string): void {
    this.#send({ type: 'dtmf', digit })
  }

  sendPlayed(mark: string): void {
    this.#send({ type: 'played', mark })
  }

  /** Says goodbye and closes; idempotent. */
  stop(): void {
    this.#send({ type: 'stop' })
    this.#socket.close()
  }

  #send(message: ClientMessage): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message))
  }

  #receive(data: unknown): void {
    if (data instanceof ArrayBuffer) {
      this.#events.onAudio(data)
      return
    }
    const message = parseServerMessage(data)
    if (message) this.#events.onMessage(message)
    else this.badMessages++
  }

  #finish(): void {
    if (this.#closed) return
    this.#closed = true
    this.#events.onClose(this.#opened)
  }
}

/** The message, or null when it is not JSON with a `type`. Its other fields are the server's own contract. */
export function parseServerMessage(data: unknown): ServerMessage | null {
  if (typeof data !== 'string') return null
  try {
    const value: unknown = JSON.parse(data)
    const isMessage = typeof value === 'object' && value !== null && 'type' in value
    return isMessage ? (value as ServerMessage) : null
  } catch (cause) {
    if (cause instanceof SyntaxError) return null
    throw cause
  }
}
