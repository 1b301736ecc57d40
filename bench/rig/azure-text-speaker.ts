/**
 * The voice of the emulated Azure Speech that takes a text while it is being written (websocket version 2): it begins with the
 * first words and waits for more whenever it has said all it knows.
 *
 *   synthesis.context ─► turn.start; an unknown output format: 1007
 *   text.piece … ─► 3 words, or text.end ─► 150 ms ─► response ─► boundaries and audio of each whole word ─► turn.end
 */
import type { WebSocket } from 'ws'
import { formatOf, type SpeechFormat } from './azure-format.ts'
import { CHUNK_MS, boundaries } from './azure-speaker.ts'
import type { SpeakerOptions, TtsFailure } from './azure-speaker.ts'
import { TURN_START, parseMessage, sendAudio, sendGarbage, sendJson } from './azure-wire.ts'
import { Timers } from './timers.ts'

export interface TextSpeakerOptions extends Omit<SpeakerOptions, 'onSsml'> {
  /** `synthesis.input` of a request. */
  onInput(input: unknown): void
  onPiece(text: string): void
}

const WORDS_TO_BEGIN = 3
const EVERY_MS = 10
const STREAM_ID = 'S2'

/** One request: text that came, audio that went. */
interface Turn {
  requestId: string
  format: SpeechFormat
  text: string
  ended: boolean
  begun: boolean
  /** Characters of the text that have become audio. */
  spoken: number
  madeMs: number
  sentBytes: number
  pending: Buffer
}

export class AzureTextSpeaker {
  readonly #ws: WebSocket
  readonly #options: TextSpeakerOptions
  readonly #timers = new Timers()
  #turn: Turn | null = null

  constructor(ws: WebSocket, options: TextSpeakerOptions) {
    this.#ws = ws
    this.#options = options
    ws.on('message', (data, isBinary) => {
      const { path, requestId, body } = parseMessage(data, isBinary)
      if (path === 'synthesis.context') this.#open(requestId, body.toString())
      if (path === 'text.piece') this.#take(body.toString())
      if (path === 'text.end') this.#take(null)
    })
    ws.on('close', () => this.#timers.clear())
  }

  #open(requestId: string, context: string): void {
    const { synthesis } = JSON.parse(context) as {
      synthesis: { input?: { bidirectionalStreamingMode?: boolean } }
    }
    this.#options.onInput(synthesis.input)
    // Like a service that does not know this kind of request.
    if (synthesis.input?.bidirectionalStreamingMode !== true) return this.#ws.close(1_007, 'input')
    const format = formatOf(context)
    if (format === null) return this.#ws.close(1_007, 'Unsupported output format')
    this.#options.onFormat(format.name)
    const progress = { spoken: 0, madeMs: 0, sentBytes: 0, pending: Buffer.alloc(0) }
    this.#turn = { requestId, format, text: '', ended: false, begun: false, ...progress }
    if (this.#missing !== 'turn.start') this.#send('turn.start', TURN_START)
  }

  /** `null`: no more follows. */
  #take(text: string | null): void {
    const turn = this.#turn
    if (!turn) return
    if (text === null) turn.ended = true
    else {
      turn.text += text
      this.#options.onPiece(text)
    }
    const words = turn.text.trim().split(/\s+/).length
    if (turn.begun || (!turn.ended && words < WORDS_TO_BEGIN)) return
    turn.begun = true
    const failure = this.#options.failure()
    if (failure?.kind === 'silent') return
    const waitMs = failure?.kind === 'slow' ? failure.firstAudioMs : this.#options.firstAudioMs
    this.#timers.later(waitMs, () => this.#begin(turn))
  }

  #begin(turn: Turn): void {
    if (this.#options.failure()?.kind === 'garbage') return sendGarbage(this.#ws)
    if (this.#missing !== 'response') {
      this.#send('response', { ...TURN_START, audio: { type: 'inline', streamId: STREAM_ID } })
    }
    this.#step(turn)
  }

  #step(turn: Turn): void {
    const failure = this.#options.failure()
    const { bytesPerMs } = turn.format
    const sentMs = turn.sentBytes / bytesPerMs
    if (failure?.kind === 'stall' && sentMs >= failure.afterAudioMs) return
    if (failure?.kind === 'close' && sentMs >= failure.afterAudioMs) return this.#close(failure)
    if (turn.pending.length === 0) this.#make(turn)
    if (turn.pending.length > 0) {
      const pcm = turn.pending.subarray(0, CHUNK_MS * bytesPerMs)
      const streamId = this.#missing === 'streamId' ? null : STREAM_ID
      sendAudio(this.#ws, { requestId: turn.requestId, streamId, pcm })
      turn.sentBytes += pcm.length
      turn.pending = turn.pending.subarray(pcm.length)
    } else if (turn.ended) {
      if (this.#missing !== 'turn.end') this.#send('turn.end', {})
      this.#turn = null
      return
    }
    this.#timers.later(EVERY_MS, () => this.#step(turn))
  }

  /** Audio and word boundaries of the words that are whole; metadata counts from the beginning, text offsets are unknown. */
  #make(turn: Turn): void {
    const end = turn.ended ? turn.text.length : turn.text.lastIndexOf(' ') + 1
    const words = turn.text.slice(turn.spoken, end)
    turn.spoken = Math.max(turn.spoken, end)
    if (words.trim() === '') return
    const pcm = this.#options.audioOf(words, turn.format.rateHz)
    turn.pending = Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength)
    const lengthMs = pcm.byteLength / turn.format.bytesPerMs
    this.#send('audio.metadata', { Metadata: boundaries(words, lengthMs, turn.madeMs) })
    turn.madeMs += lengthMs
  }

  #close({ code }: Extract<TtsFailure, { kind: 'close' }>): void {
    if (code === 1_006) this.#ws.terminate()
    else this.#ws.close(code, 'emulated')
  }

  get #missing(): Extract<TtsFailure, { kind: 'missing' }>['what'] | null {
    const failure = this.#options.failure()
    return failure?.kind === 'missing' ? failure.what : null
  }

  #send(path: string, body: unknown): void {
    sendJson(this.#ws, { path, requestId: this.#turn?.requestId ?? '', body })
  }
}
