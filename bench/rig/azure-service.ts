/**
 * Azure Speech on this machine, as far as the real SDK can tell: recognition, synthesis and the list of voices on one
 * port, with latencies and failures of our choice. AZURE_SPEECH_HOST points the server at it.
 *
 *   upgrade …/stt/… ─► AzureListener     upgrade …/websocket/v1 ─► AzureSpeaker     GET …/voices/list
 *                                        upgrade …/websocket/v2 ─► AzureTextSpeaker
 *
 * Failures can be switched while calls are running; what is being said or heard at that moment is hit as well.
 */
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { AzureListener, type HeardUtterance, type SttFailure } from './azure-listener.ts'
import { AzureSpeaker, type TtsFailure } from './azure-speaker.ts'
import { AzureTextSpeaker } from './azure-text-speaker.ts'
import { SeededWords } from './seeded-words.ts'
import { voiceLike } from './voice-like.ts'

export interface AzureServiceOptions {
  seed?: number
  port?: number
  /** STT partial while speech lasts; default 250. */
  partialEveryMs?: number
  /** STT final behind the last loud sample; default 1 000. */
  finalMs?: number
  /** TTS; default 150. */
  firstAudioMs?: number
  /** Only this key is let in; default: every key. */
  key?: string
  /** What was said; default: seeded words, as many as fit the duration. */
  textOf?(utterance: HeardUtterance): string
  /** Audio of a recognition connection has arrived. */
  onAudio?(connection: number, bytes: number): void
  /** Mono; default: something like a voice, 65 ms per character. */
  audioOf?(text: string, rateHz: number): Int16Array
}

export class AzureService {
  /** ws://127.0.0.1:port */
  host = ''
  sttFailure: SttFailure | null = null
  ttsFailure: TtsFailure | null = null
  /** Of text streams only; null: what ttsFailure says. */
  streamFailure: TtsFailure | null = null
  /** How often the list of voices was asked for. */
  voiceLists = 0
  /** What a recognition that tells languages apart takes for the spoken one; null: its first. */
  spokenLanguage: string | null = null
  /** Instead of the list: this status. */
  voicesStatus = 200
  /** Every SSML received, the last 1 000. */
  readonly ssml: string[] = []
  /** The output format of each sentence and text stream, the last 1 000. */
  readonly formats: string[] = []
  /** What each text stream asked for, and every piece of text received, the last 1 000. */
  readonly streamInputs: unknown[] = []
  readonly textPieces: string[] = []
  /** Paths of the upgrades, without their query, the last 1 000. */
  readonly paths: string[] = []
  /** Their query parameters. */
  readonly queries: URLSearchParams[] = []
  /** Every speech.context received: the settings of a recognition turn, the last 1 000. */
  readonly contexts: unknown[] = []
  /** The rate of each stream of recognition audio, by its header, the last 1 000. */
  readonly ratesHz: number[] = []
  /** Recognition audio received, bytes, headers left out. */
  audioBytes = 0
  readonly #options: AzureServiceOptions
  readonly #http = createServer((request, response) => {
    const isList = (request.url ?? '').includes('/voices/list')
    if (isList) this.voiceLists++
    const status = !isList ? 404 : this.#lets(request) ? this.voicesStatus : 401
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(status === 200 ? JSON.stringify(VOICES) : '{}')
  })
  readonly #sockets = new WebSocketServer({ noServer: true })
  #connections = 0

  constructor(options: AzureServiceOptions) {
    this.#options = options
  }

  static async start(options: AzureServiceOptions = {}): Promise<AzureService> {
    const service = new AzureService(options)
    const http = service.#http
    http.on('upgrade', (request, socket, head) => service.#upgrade(request, socket, head))
    await new Promise<void>((resolve) => http.listen(options.port ?? 0, '127.0.0.1', resolve))
    service.host = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`
    return service
  }

  /** Open connections. */
  get open(): number {
    return this.#sockets.clients.size
  }

  /** Closes every open connection, as a service does that is being replaced. */
  dropConnections(code = 1_006): void {
    for (const socket of this.#sockets.clients) {
      if (code === 1_006) socket.terminate()
      else socket.close(code, 'emulated')
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate()
    this.#http.closeAllConnections()
    await new Promise((resolve) => this.#http.close(resolve))
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = new URL(request.url ?? '/', 'http://localhost')
    keepLast(this.paths, url.pathname)
    keepLast(this.queries, url.searchParams)
    const isStt = /\/stt\/|\/speech\/recognition\//.test(url.pathname)
    const isStream = !isStt && url.pathname.endsWith('/v2')
    const failure = isStt ? this.sttFailure : this.#voiceFailure(isStream)
    if (failure?.kind === 'refuse') return refuse(socket, failure.status, failure.retryAfterSec)
    if (!this.#lets(request)) return refuse(socket, 401)
    this.#sockets.handleUpgrade(request, socket, head, (ws) => {
      ws.on('error', () => undefined)
      if (isStt) {
        const words = new SeededWords(this.#options.seed ?? 1)
        const connection = this.#connections++
        new AzureListener(ws, {
          connection,
          language: url.searchParams.get('language') ?? 'es-MX',
          spoken: () =>
            url.searchParams.get('lidEnabled') === 'true' ? (this.spokenLanguage ?? '') : null,
          partialEveryMs: this.#options.partialEveryMs ?? 250,
          finalMs: this.#options.finalMs ?? 1_000,
          failure: () => this.sttFailure,
          textOf: this.#options.textOf ?? ((utterance) => words.textOf(utterance)),
          onAudio: (bytes) => {
            this.audioBytes += bytes
            this.#options.onAudio?.(connection, bytes)
          },
          onRate: (rateHz) => keepLast(this.ratesHz, rateHz),
          onContext: (context) => keepLast(this.contexts, context),
        })
      } else this.#speak(ws, isStream)
    })
  }

  #speak(ws: WebSocket, isStream: boolean): void {
    const voice = {
      firstAudioMs: this.#options.firstAudioMs ?? 150,
      failure: () => this.#voiceFailure(isStream),
      audioOf: this.#options.audioOf ?? voiceLike,
      onFormat: (name: string) => keepLast(this.formats, name),
    }
    if (!isStream) {
      new AzureSpeaker(ws, { ...voice, onSsml: (ssml) => keepLast(this.ssml, ssml) })
      return
    }
    new AzureTextSpeaker(ws, {
      ...voice,
      onInput: (input) => keepLast(this.streamInputs, input),
      onPiece: (text) => keepLast(this.textPieces, text),
    })
  }

  #voiceFailure(isStream: boolean): TtsFailure | null {
    return (isStream ? this.streamFailure : null) ?? this.ttsFailure
  }

  #lets(request: IncomingMessage): boolean {
    const { key } = this.#options
    if (key === undefined) return true
    const url = new URL(request.url ?? '/', 'http://localhost')
    return [
      request.headers['ocp-apim-subscription-key'],
      url.searchParams.get('Ocp-Apim-Subscription-Key'),
    ].includes(key)
  }
}

function keepLast<T>(list: T[], item: T): void {
  list.push(item)
  if (list.length > 1_000) list.shift()
}

function refuse(socket: Duplex, status: number, retryAfterSec?: number): void {
  const retry = retryAfterSec === undefined ? '' : `Retry-After: ${retryAfterSec}\r\n`
  socket.on('error', () => undefined)
  socket.end(`HTTP/1.1 ${status} Refused\r\n${retry}Content-Length: 0\r\nConnection: close\r\n\r\n`)
}

const VOICES = [
  {
    ShortName: 'es-MX-DaliaNeural',
    DisplayName: 'Dalia',
    LocalName: 'Dalia',
    Gender: 'Female',
    Locale: 'es-MX',
    StyleList: ['cheerful'],
    Status: 'GA',
  },
  {
    ShortName: 'en-US-AvaMultilingualNeural',
    DisplayName: 'Ava Multilingual',
    LocalName: 'Ava Multilingual',
    Gender: 'Female',
    Locale: 'en-US',
    Status: 'GA',
  },
]
