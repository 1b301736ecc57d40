/**
 * The ears of the emulated Azure Speech: speech is where the audio is loud, the words are decided by the rig.
 *
 *   audio messages ─► 20 ms frames ─► loud? ─► speechStart ─► partial each 250 ms ─► final 1 000 ms behind the speech
 *
 * Time is the audio received, as it is for Azure: silence that is not sent ends no phrase, and places count in what was sent.
 * So the same audio gives the same messages whatever the machine is doing, and hundreds of connections cost no timers. Words
 * may depend on the pitch of what was said (zero crossings): audio that is heard again after a reconnect then gives the same
 * words again.
 */
import type { WebSocket } from 'ws'
import { TURN_START, parseMessage, sendGarbage, sendJson } from './azure-wire.ts'

export type SttFailure =
  | { kind: 'refuse'; status: number; retryAfterSec?: number }
  /** Takes everything, answers nothing. */
  | { kind: 'silent' }
  /** Closes the connection when it has heard so much audio since it was opened. */
  | { kind: 'close'; code: number; afterAudioMs: number }
  /** The next final is this status instead of words: Error, TooManyRequests, BadRequest, Forbidden, NoMatch… */
  | { kind: 'status'; status: string }
  /** turn.end in mid-stream, whenever so much audio was heard. */
  | { kind: 'turnEnd'; everyAudioMs: number }
  /** Every final comes twice. */
  | { kind: 'twice' }
  /** Every so much audio without speech ends with a phrase that says so, as the service does in long silences. */
  | { kind: 'initialSilence'; everyAudioMs: number }
  /** Partials that take words back and write them anew. */
  | { kind: 'rewriting' }
  | { kind: 'garbage' }

export interface HeardUtterance {
  /** Number of the connection, from 0; of the utterance on it, from 0. */
  connection: number
  index: number
  language: string
  durationMs: number
  /** From zero crossings: the pitch of a plain tone. */
  hz: number
}

export interface ListenerOptions {
  connection: number
  language: string
  /** The language that was detected ('': the first one); null when nobody asked. */
  spoken(): string | null
  partialEveryMs: number
  finalMs: number
  failure(): SttFailure | null
  textOf(utterance: HeardUtterance): string
  onAudio(bytes: number): void
  /** The rate that the header of a stream names. */
  onRate(rateHz: number): void
  /** The settings of a turn, parsed. */
  onContext(context: unknown): void
}

const FRAME_MS = 20
/** Of PCM without a header, as for the service. */
const DEFAULT_RATE_HZ = 16_000
/** Where a WAV header has its rate. */
const RATE_AT = 24
/** -38 dBFS: far above line noise, far below the faintest voice of the rig. */
const LOUD = 400
const ONSET_MS = 60
/** So long behind the last loud frame partials still come. */
const NEWS_MS = 300
/** One word is revealed in so much speech. */
const WORD_MS = 280
const TICKS = 10_000
const NO_SAMPLES = new Int16Array(0)

interface Speech {
  startMs: number
  lastLoudMs: number
  partials: number
  crossings: number
  loudFrames: number
}

export class AzureListener {
  readonly #ws: WebSocket
  readonly #options: ListenerOptions
  #requestId = ''
  #samplesPerMs = DEFAULT_RATE_HZ / 1_000
  #turnStarted = false
  #turnEnded = false
  /** Audio of this turn, ms. */
  #atMs = 0
  #totalMs = 0
  #rest: Int16Array = new Int16Array(0)
  #loudMs = 0
  /** The newest sample: a crossing may lie between two frames. */
  #last = 0
  #speech: Speech | null = null
  #utterances = 0
  /** Where the silence began that nothing was said about yet. */
  #silentFromMs = 0

  constructor(ws: WebSocket, options: ListenerOptions) {
    this.#ws = ws
    this.#options = options
    ws.on('message', (data, isBinary) => {
      const { path, requestId, body } = parseMessage(data, isBinary)
      if (path === 'audio') this.#audio(requestId, body)
      if (path === 'speech.context') options.onContext(JSON.parse(body.toString()))
    })
  }

  #audio(requestId: string, body: Buffer): void {
    if (requestId !== this.#requestId) this.#newTurn(requestId)
    const failure = this.#options.failure()
    if (body.toString('latin1', 0, 4) === 'RIFF') return this.#header(body)
    if (body.length === 0) return this.#endOfStream()
    // What was still on its way when the turn ended; the client sends it again in the next one.
    if (this.#turnEnded) return
    this.#options.onAudio(body.length)
    this.#totalMs += this.#msOf(body.length)
    if (failure?.kind === 'silent') return this.#passOver(body.length)
    if (failure?.kind === 'garbage') return sendGarbage(this.#ws)
    if (failure?.kind === 'close' && this.#totalMs >= failure.afterAudioMs) {
      if (failure.code === 1_006) this.#ws.terminate()
      else this.#ws.close(failure.code, 'emulated')
      return
    }
    this.#listen(body)
    if (failure?.kind === 'turnEnd' && this.#atMs >= failure.everyAudioMs) this.#endTurn()
    if (failure?.kind === 'initialSilence') this.#fallAsleep(failure.everyAudioMs)
  }

  #header(wav: Buffer): void {
    const rateHz = wav.readUInt32LE(RATE_AT)
    this.#samplesPerMs = rateHz / 1_000
    this.#options.onRate(rateHz)
  }

  #msOf(bytes: number): number {
    return bytes / 2 / this.#samplesPerMs
  }

  #fallAsleep(everyAudioMs: number): void {
    const silentMs = this.#atMs - this.#silentFromMs
    if (this.#speech !== null || silentMs < everyAudioMs) return
    this.#send('speech.phrase', {
      Id: `s${this.#atMs}`,
      RecognitionStatus: 'InitialSilenceTimeout',
      Offset: this.#silentFromMs * TICKS,
      Duration: silentMs * TICKS,
      Channel: 0,
    })
    this.#silentFromMs = this.#atMs
  }

  #endTurn(): void {
    this.#turnEnded = true
    this.#send('turn.end', {})
  }

  #newTurn(requestId: string): void {
    this.#turnEnded = false
    this.#requestId = requestId
    this.#atMs = 0
    this.#silentFromMs = 0
    this.#turnStarted = false
    this.#rest = new Int16Array(0)
    this.#speech = null
    this.#loudMs = 0
  }

  /** Heard by nobody, but its time passes. */
  #passOver(bytes: number): void {
    this.#atMs += this.#msOf(bytes)
    this.#speech = null
    this.#loudMs = 0
  }

  #listen(body: Buffer): void {
    const bytes = body.buffer.slice(body.byteOffset, body.byteOffset + (body.length & ~1))
    const fresh = new Int16Array(bytes)
    let pcm = fresh
    // A client that sends whole frames, as ours does, is not copied a second time.
    if (this.#rest.length > 0) {
      pcm = new Int16Array(this.#rest.length + fresh.length)
      pcm.set(this.#rest)
      pcm.set(fresh, this.#rest.length)
    }
    const samples = FRAME_MS * this.#samplesPerMs
    let at = 0
    for (; at + samples <= pcm.length; at += samples) this.#frame(pcm.subarray(at, at + samples))
    this.#rest = at < pcm.length ? pcm.slice(at) : NO_SAMPLES
  }

  #frame(pcm: Int16Array): void {
    let sum = 0
    let crossings = 0
    for (let i = 0; i < pcm.length; i++) {
      const sample = pcm[i]!
      sum += sample * sample
      if (sample < 0 !== this.#last < 0) crossings++
      this.#last = sample
    }
    const isLoud = sum > LOUD * LOUD * pcm.length
    this.#atMs += FRAME_MS
    this.#loudMs = isLoud ? this.#loudMs + FRAME_MS : 0
    if (this.#speech === null) {
      if (this.#loudMs >= ONSET_MS) this.#onset()
      return
    }
    const speech = this.#speech
    if (isLoud) {
      speech.lastLoudMs = this.#atMs
      speech.crossings += crossings
      speech.loudFrames++
    }
    const sinceMs = this.#atMs - speech.startMs
    const quietMs = this.#atMs - speech.lastLoudMs
    if (quietMs >= this.#options.finalMs) this.#final(speech)
    else if (quietMs <= NEWS_MS && sinceMs >= (speech.partials + 1) * this.#options.partialEveryMs)
      this.#partial(speech)
  }

  #onset(): void {
    const startMs = this.#atMs - this.#loudMs
    this.#speech = {
      startMs,
      lastLoudMs: this.#atMs,
      partials: 0,
      crossings: 0,
      loudFrames: 0,
    }
    if (!this.#turnStarted) this.#send('turn.start', TURN_START)
    this.#turnStarted = true
    this.#send('speech.startDetected', { Offset: startMs * TICKS })
  }

  #partial(speech: Speech): void {
    speech.partials++
    const spokenMs = this.#atMs - speech.startMs
    const words = this.#words(speech).slice(0, Math.floor(spokenMs / WORD_MS))
    if (this.#options.failure()?.kind === 'rewriting') rewrite(words, speech.partials)
    if (words.length === 0) return
    this.#send('speech.hypothesis', {
      Id: `u${this.#utterances}`,
      Text: words.join(' ').toLowerCase(),
      Offset: speech.startMs * TICKS,
      Duration: spokenMs * TICKS,
      Channel: 0,
    })
  }

  #final(speech: Speech): void {
    this.#speech = null
    this.#silentFromMs = this.#atMs
    const durationMs = speech.lastLoudMs - speech.startMs
    const words = this.#words(speech)
    const failure = this.#options.failure()
    const status = failure?.kind === 'status' ? failure.status : 'Success'
    const text = status === 'Success' ? words.join(' ') : ''
    const each = Math.floor(durationMs / Math.max(1, words.length))
    this.#send('speech.endDetected', { Offset: speech.lastLoudMs * TICKS })
    const phrase = {
      Id: `u${this.#utterances}`,
      RecognitionStatus: status,
      DisplayText: text,
      Offset: speech.startMs * TICKS,
      Duration: durationMs * TICKS,
      Channel: 0,
      ...this.#languageFound(),
      NBest: [
        {
          Confidence: 0.9,
          Lexical: text.toLowerCase(),
          ITN: text.toLowerCase(),
          MaskedITN: text.toLowerCase(),
          Display: text,
          Words: words.map((word, index) => ({
            Word: word.toLowerCase(),
            Offset: (speech.startMs + index * each) * TICKS,
            Duration: each * TICKS,
          })),
        },
      ],
    }
    this.#send('speech.phrase', phrase)
    if (failure?.kind === 'twice') this.#send('speech.phrase', phrase)
    this.#utterances++
  }

  #languageFound(): object {
    const spoken = this.#options.spoken()
    if (spoken === null) return {}
    const Language = spoken === '' ? this.#options.language : spoken
    return { PrimaryLanguage: { Language, Confidence: 'High' } }
  }

  #words(speech: Speech): string[] {
    const seconds = (speech.loudFrames * FRAME_MS) / 1_000
    const text = this.#options.textOf({
      connection: this.#options.connection,
      index: this.#utterances,
      language: this.#options.language,
      durationMs: speech.lastLoudMs - speech.startMs,
      hz: seconds === 0 ? 0 : Math.round(speech.crossings / 2 / seconds),
    })
    return text.split(/\s+/).filter((word) => word !== '')
  }

  /** The client ends its audio: what is open becomes final at once. */
  #endOfStream(): void {
    if (this.#speech !== null) this.#final(this.#speech)
    this.#endTurn()
  }

  #send(path: string, body: unknown): void {
    sendJson(this.#ws, { path, requestId: this.#requestId, body })
  }
}

/** Every second partial has lost its last word, and the one before is another. */
function rewrite(words: string[], partials: number): void {
  if (partials % 2 === 0) words.pop()
  if (partials % 3 === 0 && words.length > 0) words[words.length - 1] = 'quizás'
}
