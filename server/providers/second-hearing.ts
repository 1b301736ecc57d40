/**
 * Second hearing: the first recogniser stays in charge, and another one reads each utterance once more.
 *
 *   push ─► first recogniser ──────────────► partial, final ─► words replaced? ─► the call
 *      └──► utterance-audio ─ VAD end ─► Whisper ─► reading ───────┘
 *
 * Azure's final comes about 1 s behind the speech and Whisper's reading 0.3 s, so it is mostly there in time: it
 * replaces the words of partials and of the final that lie over the same speech. A final waits for it WAIT_MS at most
 * and then goes on with the first recogniser's words; a reading that comes later is thrown away. It never makes an
 * utterance, never moves one in time and never ends one, so nothing is said or answered twice.
 */
import { ProviderError } from '../errors.ts'
import type { CallAccounts } from './call-accounts.ts'
import { asProviderError } from './failover-llm.ts'
import type { SecondEars } from './groq-whisper.ts'
import { ProviderHealth, type HealthOptions } from './provider-health.ts'
import { STT_RATE_HZ, sttRateOf } from './stt.ts'
import type {
  FrameSound,
  SttEvents,
  SttOptions,
  SttProvider,
  SttRateHz,
  SttSession,
  Transcript,
} from './stt.ts'
import { UtteranceAudio, type UtteranceCut } from './utterance-audio.ts'

/** What a final may wait, ms. */
const WAIT_MS = 250
/** A shorter sound is a click or one syllable, of which Whisper invents words. */
const LEAST_MS = 300
/** Utterances under way at one time; a service that is slower than speech gets no more. */
const UNDER_WAY_MAX = 3
/** Utterances remembered for a final that has not come. */
const REMEMBERED = 20
/** So much of an utterance must lie within the transcript, and so much of the transcript within utterances. */
const INSIDE_SHARE = 0.7
const COVERED_SHARE = 0.5
/** Groq bills 10 s for everything shorter. */
const BILLED_LEAST_SEC = 10

/**
 * What became of an utterance: its words replaced the first recogniser's (`used`), were the same, came too late, were
 * not trusted, the service failed or is out, or too many were under way.
 */
export type SecondHearingOutcome = 'used' | 'same' | 'late' | 'untrusted' | 'failed' | 'dropped'

export interface SecondHearingOptions {
  accounts: CallAccounts
  health?: HealthOptions
  waitMs?: number
  onOutcome?(outcome: SecondHearingOutcome): void
}

export class SecondHearing implements SttProvider {
  readonly #first: SttProvider
  readonly #second: SecondEars
  readonly #options: SecondHearingOptions
  readonly #health: ProviderHealth

  constructor(first: SttProvider, second: SecondEars, options: SecondHearingOptions) {
    this.#first = first
    this.#second = second
    this.#options = options
    this.#health = new ProviderHealth(second, options.health)
  }

  get name(): string {
    return this.#first.name
  }

  /** The first one's: Whisper takes any. */
  rateFor(lineRateHz: number): SttRateHz {
    return sttRateOf(this.#first, lineRateHz)
  }

  /** The second one needs none: a call that has no second hearing loses nothing. */
  async warm(): Promise<void> {
    await this.#first.warm()
  }

  prepare(options: Omit<SttOptions, 'callId'>): void {
    this.#first.prepare?.(options)
  }

  open(options: SttOptions, events: SttEvents): SttSession {
    const { secondHearing = 'off' } = options
    if (secondHearing === 'off') return this.#first.open(options, events)
    const { accounts, waitMs = WAIT_MS, onOutcome = () => undefined } = this.#options
    const { callId, languages = [], rateHz = STT_RATE_HZ } = options
    // Told one, Whisper would translate the others into it.
    const language = languages.some((one) => one !== options.language) ? null : options.language
    const session = new SecondHearingSession(events, {
      rateHz,
      waitMs,
      onOutcome,
      read: async (pcm, signal) => {
        if (!this.#health.isUsable) throw new ProviderError('STT_UNAVAILABLE', 'known to be out')
        const seconds = Math.max(BILLED_LEAST_SEC, pcm.length / rateHz)
        accounts.spent(callId, { part: 'stt', provider: this.#second.name, seconds })
        try {
          const request = { pcm, rateHz, language, model: secondHearing }
          const text = await this.#second.transcribe(request, signal)
          this.#health.worked()
          return text
        } catch (error) {
          if (!signal.aborted) this.#health.failed(asProviderError(error))
          throw error
        }
      },
    })
    session.listen((inner) => this.#first.open(options, inner))
    return session
  }

  async close(): Promise<void> {
    this.#health.stop()
    await this.#first.close()
  }
}

/** One utterance at the second recogniser. `text`: undefined while it is read, null when there is nothing to use. */
interface Reading {
  startMs: number
  endMs: number
  text: string | null | undefined
  isUsed: boolean
}

interface SessionDeps {
  rateHz: SttRateHz
  waitMs: number
  onOutcome(outcome: SecondHearingOutcome): void
  read(pcm: Int16Array, signal: AbortSignal): Promise<string | null>
}

class SecondHearingSession implements SttSession {
  readonly #events: SttEvents
  readonly #deps: SessionDeps
  readonly #audio: UtteranceAudio
  readonly #abort = new AbortController()
  #first: SttSession | null = null
  #readings: Reading[] = []
  #underWay = 0
  #speechStartMs: number | null = null
  #lastPartial: Transcript | null = null
  /** Finals in their order, each with the moment until which it may wait. */
  #held: { transcript: Transcript; untilMs: number }[] = []
  #timer: NodeJS.Timeout | null = null
  #closed = false

  constructor(events: SttEvents, deps: SessionDeps) {
    this.#events = events
    this.#deps = deps
    this.#audio = new UtteranceAudio(deps.rateHz)
  }

  listen(open: (events: SttEvents) => SttSession): void {
    this.#first = open({
      onPartial: (transcript) => this.#partial(transcript),
      onFinal: (transcript) => {
        this.#lastPartial = null
        this.#held.push({ transcript, untilMs: performance.now() + this.#deps.waitMs })
        this.#release()
      },
      onError: (error) => {
        this.#release({ all: true })
        this.#events.onError(error)
      },
    })
  }

  push(pcm: Int16Array, atMs: number, sound?: FrameSound): void {
    if (this.#closed) return
    this.#audio.push(pcm, atMs)
    if (this.#audio.full) this.#read(this.#audio.split(), Infinity)
    this.#first?.push(pcm, atMs, sound)
  }

  speechStarted(atMs: number): void {
    this.#speechStartMs ??= atMs
    this.#audio.begin(atMs)
    this.#first?.speechStarted(atMs)
  }

  speechEnded(atMs: number): void {
    if (!this.#closed && this.#audio.speaking) this.#read(this.#audio.end(), atMs)
    this.#speechStartMs = null
    this.#first?.speechEnded(atMs)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#abort.abort()
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#held = []
    this.#readings = []
    this.#first?.close()
  }

  /** `speechEndMs`: the last voiced moment; the audio goes on into the silence behind it. */
  #read(cut: UtteranceCut, speechEndMs: number): void {
    const startMs = Math.max(cut.startMs, this.#speechStartMs ?? cut.startMs)
    const endMs = Math.min(cut.endMs, speechEndMs)
    const reading: Reading = { startMs, endMs, text: undefined, isUsed: false }
    this.#readings.push(reading)
    if (this.#readings.length > REMEMBERED) this.#readings.shift()
    this.#speechStartMs = speechEndMs === Infinity ? endMs : null
    if (endMs - startMs < LEAST_MS) reading.text = null
    else if (this.#underWay >= UNDER_WAY_MAX) this.#settle(reading, null, 'dropped')
    else void this.#ask(reading, cut.pcm)
  }

  async #ask(reading: Reading, pcm: Int16Array): Promise<void> {
    this.#underWay++
    try {
      const text = await this.#deps.read(pcm, this.#abort.signal)
      this.#settle(reading, text, text === null ? 'untrusted' : null)
    } catch {
      // Known to the breaker and counted: the first recogniser's words stand.
      this.#settle(reading, null, 'failed')
    }
    this.#underWay--
  }

  #settle(reading: Reading, text: string | null, outcome: SecondHearingOutcome | null): void {
    if (this.#closed) return
    // Its final went on without it, and was counted as late.
    if (reading.text === null) return
    reading.text = text
    if (outcome !== null) this.#deps.onOutcome(outcome)
    this.#release()
    const partial = this.#lastPartial
    const replaced = partial === null ? null : this.#replaced(partial)
    if (replaced !== null) this.#events.onPartial(replaced)
  }

  #partial(transcript: Transcript): void {
    if (this.#closed) return
    this.#lastPartial = transcript
    this.#events.onPartial(this.#replaced(transcript) ?? transcript)
  }

  /** Gives out the finals whose readings are there, or whose time is over, in their order. */
  #release({ all = false } = {}): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    for (let next = this.#held[0]; next !== undefined && !this.#closed; next = this.#held[0]) {
      const leftMs = next.untilMs - performance.now()
      const readings = this.#over(next.transcript)
      const isWaiting = readings.some(({ text }) => text === undefined)
      if (!all && isWaiting && leftMs > 0 && next.transcript.text.trim() !== '') {
        this.#timer = setTimeout(() => this.#release(), Math.ceil(leftMs))
        return
      }
      this.#held.shift()
      this.#giveOut(next.transcript, readings)
    }
  }

  #giveOut(transcript: Transcript, readings: Reading[]): void {
    const replaced = this.#replaced(transcript)
    for (const reading of readings) {
      if (reading.text === undefined) {
        reading.text = null
        this.#deps.onOutcome('late')
      } else if (reading.text !== null && !reading.isUsed) {
        reading.isUsed = true
        this.#deps.onOutcome(replaced === null ? 'same' : 'used')
      }
    }
    this.#events.onFinal(replaced ?? transcript)
  }

  #over({ startMs, endMs }: Transcript): Reading[] {
    return this.#readings.filter((one) => one.endMs > startMs && one.startMs < endMs)
  }

  /** The transcript in the second recogniser's words; null when it has none for all of it, or the same ones. */
  #replaced(transcript: Transcript): Transcript | null {
    const { startMs, endMs, text } = transcript
    const readings = this.#over(transcript)
    // A first recogniser that heard no words makes no utterance of what Whisper wrote about noise.
    if (readings.length === 0 || text.trim() === '') return null
    if (this.#speechStartMs !== null && this.#speechStartMs < endMs) return null
    let coveredMs = 0
    for (const one of readings) {
      const sharedMs = Math.min(one.endMs, endMs) - Math.max(one.startMs, startMs)
      if (!one.text || sharedMs < INSIDE_SHARE * (one.endMs - one.startMs)) return null
      coveredMs += sharedMs
    }
    if (coveredMs < COVERED_SHARE * (endMs - startMs)) return null
    const words = readings.map((one) => one.text).join(' ')
    if (plain(words) === plain(text)) return null
    // Times of words are the first recogniser's own, and its confidence is about other words.
    return { ...transcript, text: words, words: [], confidence: null }
  }
}

function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}
