/**
 * The embedded recogniser: Moonshine in worker threads, Spanish and English, no key and no network.
 *
 *   sessions ─ finals ─► queue ≤ 64, oldest first ─┐
 *            └ wishes for partials, one per call ──┴─► idle worker ─► transcript ─► its session
 *
 * Finals go before partials: a user who has finished waits for an answer, one who speaks does not. A partial under way
 * is given up when a final waits and no worker is free, and wished for again at once: it may be what an interruption waits for.
 *
 * Invariants: a session has at most one job running, so its finals stay in order; partials are never queued; a dead
 * worker costs the transcript it was at, and is started again.
 */
import { ProviderError } from '../errors.ts'
import { BoundedQueue } from '../bounded-queue.ts'
import type { QueueStats } from '../bounded-queue.ts'
import { EmbeddedSttSession } from './embedded-stt-session.ts'
import type { RecognitionDesk, RecognitionJob } from './embedded-stt-session.ts'
import type { SttWorkerData, SttWorkerInput, SttWorkerOutput } from './embedded-stt-worker.ts'
import type { SpeechLanguage } from './moonshine-package.ts'
import { SpeechThread } from './speech-thread.ts'
import type { SttEvents, SttOptions, SttProvider, SttSession } from './stt.ts'

/** Utterances that may wait; at 0.3 s each a caller behind 64 others has waited 20 s. */
const QUEUE_LIMIT = 64
/** The longest utterance takes 2 s on an idle core. */
const WORKER_SILENCE_MS = 20_000

interface Lane {
  thread: SpeechThread<SttWorkerInput, SttWorkerOutput>
  giveUp: Int32Array
  job: RecognitionJob | null
  jobId: number
  watchdog: NodeJS.Timeout | null
}

export interface EmbeddedSttOptions {
  /** Worker threads, each with its own models (about 350 MB). */
  workers: number
}

export class EmbeddedStt implements SttProvider, RecognitionDesk {
  readonly name = 'embedded'
  readonly #lanes: Lane[]
  readonly #finals = new BoundedQueue<RecognitionJob>('embeddedSttFinals', QUEUE_LIMIT)
  /** In the order of the wishes; a Set, so that no session has two. */
  readonly #wishes = new Set<EmbeddedSttSession>()
  readonly #sessions = new Set<EmbeddedSttSession>()
  #lastId = 0
  #closed = false

  constructor(options: EmbeddedSttOptions = { workers: 1 }) {
    this.#lanes = Array.from({ length: Math.max(1, options.workers) }, () => this.#lane())
  }

  async warm(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.thread.start()))
  }

  /** For a language other than Spanish and English the session reports STT_LANGUAGE through onError. */
  open(options: SttOptions, events: SttEvents): SttSession {
    const speechLanguage = speechLanguageOf(options.language)
    const session = new EmbeddedSttSession(
      { ...options, speechLanguage: speechLanguage ?? 'es' },
      events,
      this,
    )
    this.#sessions.add(session)
    if (speechLanguage === null) {
      const error = new ProviderError(
        'STT_LANGUAGE',
        `The embedded recogniser knows Spanish and English, not ${options.language}: choose one of them in the agent's settings or use Azure.`,
      )
      queueMicrotask(() => session.failed(error))
    } else this.#revive()
    return session
  }

  stats(): QueueStats {
    return this.#finals.stats()
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const session of [...this.#sessions]) session.close()
    await Promise.all(this.#lanes.map((lane) => lane.thread.close()))
    for (const lane of this.#lanes) if (lane.watchdog !== null) clearTimeout(lane.watchdog)
  }

  wishPartial(session: EmbeddedSttSession): void {
    this.#wishes.add(session)
    this.#dispatch()
  }

  recogniseFinal(job: RecognitionJob): void {
    this.#wishes.delete(job.session)
    if (!this.#finals.push(job)) {
      queueMicrotask(() => job.session.recognised(job, job.partialText, 0))
      return
    }
    this.#dispatch()
    if (this.#finals.length > 0) this.#giveUpPartial(job.session)
  }

  forget(session: EmbeddedSttSession): void {
    this.#sessions.delete(session)
    this.#wishes.delete(session)
    while (this.#finals.take((job) => job.session === session) !== undefined);
    for (const lane of this.#lanes) {
      if (lane.job?.session === session) Atomics.store(lane.giveUp, 0, lane.jobId)
    }
  }

  #lane(): Lane {
    const giveUp = new SharedArrayBuffer(4)
    const lane: Lane = {
      thread: new SpeechThread({
        file: new URL('./embedded-stt-worker.ts', import.meta.url),
        data: { giveUp } satisfies SttWorkerData,
        errorCode: 'STT_UNAVAILABLE',
        onMessage: (message) => this.#received(lane, message),
        onDown: () => this.#laneDown(lane),
      }),
      giveUp: new Int32Array(giveUp),
      job: null,
      jobId: 0,
      watchdog: null,
    }
    return lane
  }

  /** Starts dead lanes; when none can be started every session hears of it. */
  #revive(): void {
    if (this.#closed) return
    for (const lane of this.#lanes) {
      lane.thread.start().then(
        () => this.#dispatch(),
        (error: unknown) => this.#startFailed(error),
      )
    }
  }

  #startFailed(cause: unknown): void {
    if (this.#closed || this.#lanes.some((lane) => lane.thread.live)) return
    const error =
      cause instanceof ProviderError
        ? cause
        : new ProviderError('STT_UNAVAILABLE', 'The embedded recogniser cannot start', { cause })
    for (const session of [...this.#sessions]) session.failed(error)
  }

  #dispatch(): void {
    for (const lane of this.#lanes) {
      if (lane.job !== null || !lane.thread.live) continue
      const job = this.#nextJob()
      if (job === null) return
      this.#run(lane, job)
    }
  }

  #nextJob(): RecognitionJob | null {
    const isFree = (session: EmbeddedSttSession): boolean =>
      !this.#lanes.some((lane) => lane.job?.session === session)
    const final = this.#finals.take((job) => isFree(job.session))
    if (final !== undefined) return final
    for (const session of this.#wishes) {
      if (!isFree(session)) continue
      this.#wishes.delete(session)
      const partial = session.takePartial()
      if (partial !== null) return partial
    }
    return null
  }

  #run(lane: Lane, job: RecognitionJob): void {
    lane.job = job
    lane.jobId = ++this.#lastId
    const pcm = job.audio.pcm
    const { language, rateHz } = job.session
    const input = { kind: 'transcribe', id: lane.jobId, language, pcm, rateHz } as const
    lane.thread.post(input, [pcm.buffer])
    lane.watchdog = setTimeout(
      () => void lane.thread.abandon(`no answer for ${WORKER_SILENCE_MS} ms`),
      WORKER_SILENCE_MS,
    )
    lane.watchdog.unref()
  }

  /** Makes room for a final: its own session's partial first, else the one that is running longest. */
  #giveUpPartial(session: EmbeddedSttSession): void {
    const partials = this.#lanes.filter((lane) => lane.job !== null && !lane.job.final)
    const own = partials.find((lane) => lane.job?.session === session)
    const lane = own ?? partials.sort((a, b) => a.jobId - b.jobId)[0]
    if (lane !== undefined) Atomics.store(lane.giveUp, 0, lane.jobId)
  }

  #received(lane: Lane, message: SttWorkerOutput): void {
    const job = lane.job
    if (job === null || message.id !== lane.jobId) return
    this.#free(lane)
    if (message.kind === 'failed') this.#lost(job)
    else if (message.text === null) job.session.gaveUp(job)
    else job.session.recognised(job, message.text, message.confidence)
    this.#dispatch()
  }

  #laneDown(lane: Lane): void {
    const job = lane.job
    this.#free(lane)
    if (job !== null) this.#lost(job)
    if (this.#sessions.size > 0) this.#revive()
  }

  #free(lane: Lane): void {
    lane.job = null
    if (lane.watchdog !== null) clearTimeout(lane.watchdog)
  }

  /** A partial is simply missed; a final is answered with what is known, so that the turn can go on. */
  #lost(job: RecognitionJob): void {
    if (job.final) job.session.recognised(job, job.partialText, 0)
  }
}

function speechLanguageOf(language: string): SpeechLanguage | null {
  const primary = language.toLowerCase().split('-')[0]
  return primary === 'es' || primary === 'en' ? primary : null
}
