/**
 * One call's ear at the embedded recogniser: turns VAD hints and audio into wishes for partials and jobs for finals.
 *
 * Moonshine does not stream. A partial is a run over the utterance so far, wished for at every 0.6 s of growth and
 * granted when a worker is idle; the audio is taken when it is granted, so a late partial is a better one. One that was given up for
 * somebody's final is wished for again with the next frame.
 *
 * Invariants: at most one partial is wished for; a partial that arrives after its utterance ended is not reported;
 * every ended utterance gives exactly one final, in order; after close() nothing is reported.
 */
import type { ProviderError } from '../errors.ts'
import type { SpeechLanguage } from './moonshine-package.ts'
import { STT_RATE_HZ } from './stt.ts'
import type { SttEvents, SttOptions, SttRateHz, SttSession, Transcript } from './stt.ts'
import { UtteranceAudio } from './utterance-audio.ts'
import type { UtteranceCut } from './utterance-audio.ts'

/** The first partial comes soon (300 ms of it are pre-roll): it decides about a barge-in. */
const FIRST_PARTIAL_MS = 500
const PARTIAL_GROWTH_MS = 600

export interface RecognitionJob {
  session: EmbeddedSttSession
  utterance: number
  final: boolean
  audio: UtteranceCut
  /** What the last partial heard: better than nothing when this final is lost. */
  partialText: string
}

/** What the session asks of the provider. */
export interface RecognitionDesk {
  wishPartial(session: EmbeddedSttSession): void
  recogniseFinal(job: RecognitionJob): void
  forget(session: EmbeddedSttSession): void
}

export class EmbeddedSttSession implements SttSession {
  readonly language: SpeechLanguage
  readonly rateHz: SttRateHz
  readonly #options: SttOptions
  readonly #events: SttEvents
  readonly #desk: RecognitionDesk
  readonly #audio: UtteranceAudio
  #utterance = 0
  #startMs = 0
  #partialMs = 0
  #partialText = ''
  #closed = false

  constructor(
    options: SttOptions & { speechLanguage: SpeechLanguage },
    events: SttEvents,
    desk: RecognitionDesk,
  ) {
    this.language = options.speechLanguage
    this.rateHz = options.rateHz ?? STT_RATE_HZ
    this.#audio = new UtteranceAudio(this.rateHz)
    this.#options = options
    this.#events = events
    this.#desk = desk
  }

  get closed(): boolean {
    return this.#closed
  }

  push(pcm: Int16Array, atMs: number): void {
    if (this.#closed) return
    this.#audio.push(pcm, atMs)
    if (!this.#audio.speaking) return
    if (this.#audio.full) {
      const audio = this.#audio.split()
      this.#finalise(audio)
      this.#beginUtterance(audio.endMs)
    } else if (this.#wantsPartial()) this.#desk.wishPartial(this)
  }

  speechStarted(atMs: number): void {
    if (this.#closed || this.#audio.speaking) return
    this.#audio.begin(atMs)
    this.#beginUtterance(atMs)
  }

  speechEnded(atMs: number): void {
    if (this.#closed || !this.#audio.speaking) return
    const audio = this.#audio.end()
    this.#finalise({ ...audio, endMs: Math.max(this.#startMs, Math.min(atMs, audio.endMs)) })
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#desk.forget(this)
  }

  /** The utterance as it is now, or null when the wish is out of date. */
  takePartial(): RecognitionJob | null {
    if (this.#closed || !this.#audio.speaking || !this.#wantsPartial()) return null
    const audio = this.#audio.copy()
    this.#partialMs = this.#audio.utteranceMs
    return this.#job(audio, { final: false })
  }

  recognised(job: RecognitionJob, text: string, confidence: number): void {
    if (this.#closed) return
    const transcript: Transcript = {
      text,
      language: this.#options.language,
      startMs: Math.round(job.audio.startMs),
      endMs: Math.round(job.audio.endMs),
      confidence,
      words: [],
    }
    if (job.final) this.#events.onFinal(transcript)
    else if (job.utterance === this.#utterance && this.#audio.speaking && text !== '') {
      this.#partialText = text
      this.#events.onPartial(transcript)
    }
  }

  /** The job was given up. */
  gaveUp(job: RecognitionJob): void {
    if (job.utterance === this.#utterance) this.#partialMs = 0
  }

  failed(error: ProviderError): void {
    if (this.#closed) return
    this.close()
    this.#events.onError(error)
  }

  #wantsPartial(): boolean {
    const spokenMs = this.#audio.utteranceMs
    if (this.#partialMs === 0) return spokenMs >= FIRST_PARTIAL_MS
    return spokenMs - this.#partialMs >= PARTIAL_GROWTH_MS
  }

  #beginUtterance(atMs: number): void {
    this.#utterance += 1
    this.#startMs = atMs
    this.#partialMs = 0
    this.#partialText = ''
  }

  #finalise(audio: UtteranceCut): void {
    this.#desk.recogniseFinal(this.#job({ ...audio, startMs: this.#startMs }, { final: true }))
  }

  #job(audio: UtteranceCut, { final }: { final: boolean }): RecognitionJob {
    const utterance = this.#utterance
    return { session: this, utterance, final, audio, partialText: this.#partialText }
  }
}
