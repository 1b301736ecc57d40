/**
 * The voice of the emulated Azure Speech: each SSML gets audio as long as its text, 20 times as fast as it is spoken.
 *
 *   synthesis.context ─► its output format; unknown: 1007
 *   ssml ─► 150 ms ─► turn.start, response, word boundaries ─► 200 ms of audio every 10 ms ─► turn.end
 */
import type { WebSocket } from 'ws'
import { formatOf, type SpeechFormat } from './azure-format.ts'
import { TURN_START, parseMessage, sendAudio, sendGarbage, sendJson } from './azure-wire.ts'
import { Timers } from './timers.ts'

export type TtsFailure =
  | { kind: 'refuse'; status: number; retryAfterSec?: number }
  | { kind: 'silent' }
  /** Sends so much audio, then nothing. */
  | { kind: 'stall'; afterAudioMs: number }
  | { kind: 'close'; code: number; afterAudioMs: number }
  /** Leaves one message, or the stream id, out. */
  | { kind: 'missing'; what: 'turn.start' | 'response' | 'turn.end' | 'streamId' }
  | { kind: 'slow'; firstAudioMs: number }
  /** Tells where the words were when all audio has gone. */
  | { kind: 'lateMetadata' }
  | { kind: 'garbage' }

export interface SpeakerOptions {
  firstAudioMs: number
  failure(): TtsFailure | null
  /** Mono for a text. */
  audioOf(text: string, rateHz: number): Int16Array
  /** The output format that a request asked for. */
  onFormat(name: string): void
  onSsml(ssml: string): void
}

export const CHUNK_MS = 200
const CHUNK_EVERY_MS = 10
const STREAM_ID = 'S1'

export class AzureSpeaker {
  readonly #ws: WebSocket
  readonly #options: SpeakerOptions
  readonly #timers = new Timers()
  #format: SpeechFormat | null = null

  constructor(ws: WebSocket, options: SpeakerOptions) {
    this.#ws = ws
    this.#options = options
    ws.on('message', (data, isBinary) => {
      const { path, requestId, body } = parseMessage(data, isBinary)
      if (path === 'synthesis.context') this.#configure(body.toString())
      if (path === 'ssml') this.#speak(requestId, body.toString())
    })
    ws.on('close', () => this.#timers.clear())
  }

  #configure(context: string): void {
    this.#format = formatOf(context)
    if (this.#format === null) return this.#ws.close(1_007, 'Unsupported output format')
    this.#options.onFormat(this.#format.name)
  }

  #speak(requestId: string, ssml: string): void {
    const format = this.#format
    if (format === null) return
    this.#options.onSsml(ssml)
    const failure = this.#options.failure()
    if (failure?.kind === 'silent') return
    const waitMs = failure?.kind === 'slow' ? failure.firstAudioMs : this.#options.firstAudioMs
    this.#timers.later(waitMs, () => this.#begin(requestId, { ssml, format }))
  }

  #begin(requestId: string, { ssml, format }: { ssml: string; format: SpeechFormat }): void {
    const failure = this.#options.failure()
    if (failure?.kind === 'garbage') return sendGarbage(this.#ws)
    const missing = failure?.kind === 'missing' ? failure.what : null
    const send = (path: string, body: unknown): void =>
      sendJson(this.#ws, { path, requestId, body })
    if (missing !== 'turn.start') send('turn.start', TURN_START)
    if (missing !== 'response') {
      send('response', { ...TURN_START, audio: { type: 'inline', streamId: STREAM_ID } })
    }
    const text = textOf(ssml)
    const pcm = this.#options.audioOf(text, format.rateHz)
    const audio = Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength)
    const tell = (): void =>
      send('audio.metadata', { Metadata: boundaries(text, audio.length / format.bytesPerMs) })
    const isLate = failure?.kind === 'lateMetadata'
    if (!isLate) tell()
    this.#stream({ requestId, format, audio, at: 0, atEnd: isLate ? tell : null })
  }

  #stream(state: {
    requestId: string
    format: SpeechFormat
    audio: Buffer
    at: number
    atEnd: (() => void) | null
  }): void {
    const { requestId, audio, at } = state
    const { bytesPerMs } = state.format
    const failure = this.#options.failure()
    const sentMs = at / bytesPerMs
    if (failure?.kind === 'stall' && sentMs >= failure.afterAudioMs) return
    if (failure?.kind === 'close' && sentMs >= failure.afterAudioMs) {
      if (failure.code === 1_006) this.#ws.terminate()
      else this.#ws.close(failure.code, 'emulated')
      return
    }
    const missing = failure?.kind === 'missing' ? failure.what : null
    if (at >= audio.length) {
      state.atEnd?.()
      if (missing !== 'turn.end') sendJson(this.#ws, { path: 'turn.end', requestId, body: {} })
      return
    }
    // An odd cut at the beginning: the service promises no alignment.
    const end = Math.min(audio.length, at + CHUNK_MS * bytesPerMs + (at === 0 ? 1 : 0))
    sendAudio(this.#ws, {
      requestId,
      streamId: missing === 'streamId' ? null : STREAM_ID,
      pcm: audio.subarray(at, end),
    })
    this.#timers.later(CHUNK_EVERY_MS, () => this.#stream({ ...state, at: end }))
  }
}

/** The text inside the markup. */
export function textOf(ssml: string): string {
  return ssml
    .replace(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&')
}

/** Word boundaries of a text whose audio begins `fromMs` into the answer. */
export function boundaries(text: string, audioMs: number, fromMs = 0): unknown[] {
  const share = audioMs / Math.max(1, text.length)
  return [...text.matchAll(/[\p{L}\p{N}]+/gu)].map((word) => ({
    Type: 'WordBoundary',
    Data: {
      Offset: Math.round((fromMs + word.index * share) * 10_000),
      Duration: Math.round(word[0].length * share * 10_000),
      text: { Text: word[0], Length: word[0].length, BoundaryType: 'WordBoundary' },
    },
  }))
}
