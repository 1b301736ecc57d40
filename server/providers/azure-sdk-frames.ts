/**
 * Audio on its way to Azure, without a new buffer for each piece. The SDK copies a piece into a message and lets that pass a queue;
 * ws copies the message into a frame and masks it: 35 KB a second and call, which brought each marking of the heap nearer.
 *
 *   the SDK   piece ─► message ─► queue ─► ws: masked frame ─► socket
 *   here      piece ─► masked frame in a spare block ─► socket ─ written ─► the block waits for another call's piece
 *
 * The first piece of each request goes the SDK's way, behind whatever the SDK sends in front of it; once it has left, its
 * headers serve for all that follow. This reaches into the SDK (version 1.52, pinned) and ws (8): where their inside is not as
 * expected, every piece goes the SDK's way.
 *
 * Invariants: a block comes back only when the socket has said that it was written; frames keep their order with the SDK's
 * messages, for both are written to one socket.
 */
import { randomFillSync } from 'node:crypto'
import { Writable } from 'node:stream'
import { SpareMemory } from '../spare-memory.ts'

/** A connection of the SDK, as far as audio needs it. */
export interface AudioConnection {
  send(message: unknown): Promise<void>
  privConnectionMessageAdapter?: { privWebsocketClient?: WebSocketInside | null }
}

/** A client's WebSocket of the package `ws`. */
interface WebSocketInside {
  readyState?: number
  _isServer?: boolean
  _socket?: unknown
  _sender?: { _state?: unknown; _queue?: unknown }
}

const OPEN = 1
/** ws sends at once: it deflates nothing, and reads no Blob. */
const SENDER_AT_REST = 0
/** FIN and opcode 2, RFC 6455 section 5.2: a binary message in one piece. */
const WHOLE_BINARY = 0x82
/** A mask follows, and the length has two bytes. */
const MASKED_LENGTH_16 = 0x80 | 126
const LENGTH_16_MIN = 126
/** Two bytes of what it is, two of length, four of mask: the message begins on a word. */
const FRAME_HEADER_BYTES = 8
/** 100 ms at 16 kHz with its headers take 3 340. */
const BLOCK_BYTES = 4_096
const TIMESTAMP = 'X-Timestamp'

/** A write ends before the next begins unless the network is behind: 1 MB is what 250 slow connections have under way. */
export const spareFrames = new SpareMemory({ bytes: BLOCK_BYTES, most: 256 })

/** RFC 6455 section 5.3: nobody can foresee them. */
const masks = new Uint32Array(1_024)
let masksUsed = masks.length

/** The frames of one recognition's audio. */
export class AudioFrames {
  /** Where the SDK's last message of this audio has left, and for which request. */
  #connection: AudioConnection | null = null
  #requestId = ''
  /** Pieces that went the SDK's way and may not have left. */
  #underWay = 0
  /** The headers, around the time of sending; empty when they are not known. */
  #beforeTime = ''
  #behindTime = ''

  /** Sends the SDK's own message; its headers serve for what follows. @throws whatever the SDK's send() does */
  async sendBySdk(connection: AudioConnection, requestId: string, message: unknown): Promise<void> {
    this.#underWay++
    try {
      await connection.send(message)
    } finally {
      this.#underWay--
    }
    this.#learn(message)
    this.#connection = connection
    this.#requestId = requestId
  }

  /** @returns false when nothing was sent: this piece has to go the SDK's way. */
  send(connection: AudioConnection, requestId: string, piece: ArrayBuffer): boolean {
    // What the SDK has under way waits in its queue, and must not be overtaken.
    if (this.#underWay > 0 || this.#beforeTime === '') return false
    if (connection !== this.#connection || requestId !== this.#requestId) return false
    const socket = socketOf(connection)
    if (socket === null) return false
    const headers = `${this.#beforeTime}${new Date().toISOString()}${this.#behindTime}`
    const messageBytes = 2 + headers.length + piece.byteLength
    const frameBytes = FRAME_HEADER_BYTES + messageBytes
    if (messageBytes < LENGTH_16_MIN || frameBytes > BLOCK_BYTES) return false
    const block = spareFrames.take()
    const frame = Buffer.from(block, 0, frameBytes)
    frame[0] = WHOLE_BINARY
    frame[1] = MASKED_LENGTH_16
    frame.writeUInt16BE(messageBytes, 2)
    frame.writeUInt16BE(headers.length, FRAME_HEADER_BYTES)
    frame.write(headers, FRAME_HEADER_BYTES + 2, 'latin1')
    frame.set(new Uint8Array(piece), FRAME_HEADER_BYTES + 2 + headers.length)
    mask(new Uint32Array(block), frameBytes)
    socket.write(frame, (error) => {
      // After an error somebody may still read it: it is left to the garbage collector.
      if (!error) spareFrames.give(block)
    })
    return true
  }

  #learn(message: unknown): void {
    this.#beforeTime = ''
    const { headers } = message as { headers?: Record<string, string> }
    if (typeof headers !== 'object' || headers === null) return
    const names = Object.keys(headers)
    const timeAt = names.indexOf(TIMESTAMP)
    if (timeAt < 0) return
    const text = (some: string[]): string => some.map((n) => `${n}: ${headers[n]}\r\n`).join('')
    this.#beforeTime = `${text(names.slice(0, timeAt))}${TIMESTAMP}: `
    this.#behindTime = `\r\n${text(names.slice(timeAt + 1))}`
  }
}

/** Up to three bytes behind the frame are masked too, which nobody sends. */
function mask(words: Uint32Array, frameBytes: number): void {
  if (masksUsed === masks.length) {
    randomFillSync(masks)
    masksUsed = 0
  }
  const by = masks[masksUsed++]!
  words[FRAME_HEADER_BYTES / 4 - 1] = by
  const end = Math.ceil(frameBytes / 4)
  for (let i = FRAME_HEADER_BYTES / 4; i < end; i++) words[i]! ^= by
}

/** Null when it is not open, ws still holds a message, or its inside is another. */
function socketOf(connection: AudioConnection): Writable | null {
  const ws = connection.privConnectionMessageAdapter?.privWebsocketClient
  if (ws?.readyState !== OPEN || ws._isServer !== false) return null
  const sender = ws._sender
  if (sender?._state !== SENDER_AT_REST) return null
  if (!Array.isArray(sender._queue) || sender._queue.length > 0) return null
  return ws._socket instanceof Writable ? ws._socket : null
}
