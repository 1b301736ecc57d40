/**
 * The embedded voice: SVOX Pico in a worker thread, Spanish and English, 16 kHz, no key and no network.
 *
 *   synthesize() ─► queue ≤ 64 ─► worker (one sentence at a time, RTF about 0.015) ─► chunks ─► the caller's loop
 *
 * A sentence is computed some fifty times faster than it is spoken, so first come, first served is fair enough: twenty
 * callers that start a sentence in the same moment wait 1 s of work in all, and most start their first frame in 20 ms.
 *
 * Invariants: after abort nothing more of the sentence is delivered or computed; a dead worker fails the waiting
 * sentences once and is started again by the next.
 */
import { ProviderError } from '../errors.ts'
import { BoundedQueue } from '../bounded-queue.ts'
import type { QueueStats } from '../bounded-queue.ts'
import type { TtsWorkerData, TtsWorkerInput, TtsWorkerOutput } from './embedded-tts-worker.ts'
import { PICO_RATE_HZ } from './pico-engine.ts'
import type { PicoLanguage } from './pico-engine.ts'
import { SpeechThread } from './speech-thread.ts'
import type { TtsEvent, TtsProvider, TtsRequest, VoiceInfo } from './tts.ts'

/** Sentences that may wait; with 64 ahead the user has waited for seconds and the call is lost anyway. */
const QUEUE_LIMIT = 64
/** About a minute of speech; also what bounds the audio kept for one request. */
const MAX_TEXT_CHARACTERS = 1_000
/** A worker that gives no sign for this long hangs: a whole sentence takes 0.1 s. */
const WORKER_SILENCE_MS = 5_000

const VOICES: VoiceInfo[] = [
  {
    name: 'pico-es-ES',
    label: 'Pico español (demostración)',
    language: 'es-ES',
    gender: 'female',
    styles: [],
  },
  {
    name: 'pico-en-US',
    label: 'Pico English (demonstration)',
    language: 'en-US',
    gender: 'female',
    styles: [],
  },
]

interface Job {
  id: number
  text: string
  language: PicoLanguage
  speed: number
  chunks: Int16Array[]
  state: 'running' | 'done'
  error: ProviderError | null
  wake(): void
}

export class EmbeddedTts implements TtsProvider {
  readonly name = 'embedded'
  readonly sampleRateHz = PICO_RATE_HZ
  readonly #thread: SpeechThread<TtsWorkerInput, TtsWorkerOutput>
  readonly #waiting = new BoundedQueue<Job>('embeddedTts', QUEUE_LIMIT)
  #active: Job | null = null
  #watchdog: NodeJS.Timeout | null = null
  #lastId = 0

  constructor(voicesDir: URL = new URL('./pico-voices/', import.meta.url)) {
    this.#thread = new SpeechThread({
      file: new URL('./embedded-tts-worker.ts', import.meta.url),
      data: { voicesDir: voicesDir.href } satisfies TtsWorkerData,
      errorCode: 'TTS_UNAVAILABLE',
      onMessage: (message) => this.#received(message),
      onDown: (error) => this.#failAll(error),
    })
  }

  warm(): Promise<void> {
    return this.#thread.start()
  }

  async voices(): Promise<VoiceInfo[]> {
    return VOICES
  }

  stats(): QueueStats {
    return this.#waiting.stats()
  }

  async *synthesize(request: TtsRequest, signal: AbortSignal): AsyncIterable<TtsEvent> {
    if (signal.aborted || !/[\p{L}\p{N}]/u.test(request.text)) return
    await this.#thread.start()
    if (signal.aborted) return
    const job = this.#enqueue(request)
    const onAbort = (): void => this.#finish(job, null)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      for (;;) {
        if (signal.aborted) return
        const pcm = job.chunks.shift()
        if (pcm !== undefined) yield { kind: 'audio', pcm }
        else if (job.error !== null) throw job.error
        else if (job.state === 'done') return
        else await new Promise<void>((resolve) => (job.wake = resolve))
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.#finish(job, null)
    }
  }

  async close(): Promise<void> {
    this.#failAll(new ProviderError('TTS_UNAVAILABLE', 'The embedded voice was closed'))
    await this.#thread.close()
  }

  #enqueue(request: TtsRequest): Job {
    if (request.text.length > MAX_TEXT_CHARACTERS) {
      throw new ProviderError(
        'TTS_TEXT_TOO_LONG',
        `A sentence of ${request.text.length} characters; the embedded voice takes ${MAX_TEXT_CHARACTERS}`,
      )
    }
    const job: Job = {
      id: ++this.#lastId,
      text: request.text,
      language: picoLanguage(request),
      speed: request.voice.speed,
      chunks: [],
      state: 'running',
      error: null,
      wake: () => undefined,
    }
    if (!this.#waiting.push(job)) {
      throw new ProviderError(
        'TTS_UNAVAILABLE',
        `The embedded voice is overloaded: ${QUEUE_LIMIT} sentences are waiting`,
        { retryable: true },
      )
    }
    this.#next()
    return job
  }

  #next(): void {
    if (this.#active !== null) return
    const job = this.#waiting.shift()
    if (job === undefined) return
    this.#active = job
    const { id, text, language, speed } = job
    this.#thread.post({ kind: 'say', id, text, language, speed })
    this.#watch()
  }

  #received(message: TtsWorkerOutput): void {
    const job = this.#active
    // What a cancelled sentence had under way still arrives, with its old id.
    if (job === null || message.id !== job.id) return
    if (message.kind === 'audio') {
      job.chunks.push(message.pcm)
      job.wake()
      this.#watch()
    } else if (message.kind === 'end') this.#finish(job, null)
    else this.#finish(job, new ProviderError(message.code, message.message))
  }

  /** Ends a job in any state; idempotent. */
  #finish(job: Job, error: ProviderError | null): void {
    if (job.state === 'done') return
    job.state = 'done'
    job.error = error
    job.wake()
    if (this.#active !== job) {
      this.#waiting.remove(job)
      return
    }
    this.#thread.post({ kind: 'cancel', id: job.id })
    this.#active = null
    if (this.#watchdog !== null) clearTimeout(this.#watchdog)
    this.#next()
  }

  #failAll(error: ProviderError): void {
    const jobs = this.#waiting.takeAll()
    if (this.#active !== null) jobs.push(this.#active)
    for (const job of jobs) this.#finish(job, error)
  }

  #watch(): void {
    if (this.#watchdog !== null) clearTimeout(this.#watchdog)
    this.#watchdog = setTimeout(() => {
      const job = this.#active
      if (job === null) return
      this.#finish(job, new ProviderError('TTS_TIMEOUT', 'The embedded voice stopped answering'))
      void this.#thread.abandon(`no sign of life for ${WORKER_SILENCE_MS} ms`)
    }, WORKER_SILENCE_MS)
    this.#watchdog.unref()
  }
}

/** English for an English voice or profile, Spanish for everything else. */
function picoLanguage(request: TtsRequest): PicoLanguage {
  const named = VOICES.find((voice) => voice.name === request.voice.name)
  if (named !== undefined) return named.language as PicoLanguage
  return request.voice.language.toLowerCase().startsWith('en') ? 'en-US' : 'es-ES'
}
