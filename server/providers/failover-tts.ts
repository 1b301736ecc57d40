/**
 * Several voices as one: the first that gives audio in time speaks the sentence.
 *
 *   synthesize() ─► first usable ─► no audio within 1 s ─► the next speaks the sentence
 *                        └─ audio, then silence or an error ─► the next speaks the words that are missing
 *
 * A text that is still being written goes to the first voice that takes it so; where that one fails, the next speaks it from its
 * beginning, or what is missing of it once it is whole. No time runs for a voice that waits for text.
 *
 * All deliver the rate that the request says: one that has only twice that rate is halved here (half-rate.ts).
 *
 * Where a sentence broke off is known from the word times, or estimated from the audio's length, so that no word is
 * heard twice and none is lost. A voice that has the phrase in its cache counts as usable even when its service is out.
 */
import { OVER, ProviderError } from '../errors.ts'
import { wholeText } from '../growing-text.ts'
import type { CallAccounts } from './call-accounts.ts'
import { asProviderError, warmAll } from './failover-llm.ts'
import { halved } from './half-rate.ts'
import { ProviderHealth, inOrder, type HealthOptions } from './provider-health.ts'
import { OwedGuard } from './owed-guard.ts'
import type { StallLimits } from './stall-guard.ts'
import { rateOf } from './tts.ts'
import type { TextStream, TtsEvent, TtsProvider, TtsRequest, TtsStreamRequest } from './tts.ts'
import type { TtsRateHz, Voice, VoiceInfo } from './tts.ts'

const DEFAULT_LIMITS: StallLimits = { firstMs: 1_000, gapMs: 1_000 }
/** So much of a word must have come for it to count as spoken. */
const WORD_BEGUN_MS = 150
/** Speech without word times: 12…17 characters per second. */
const MS_PER_CHARACTER = 65

export interface FailoverTtsOptions {
  accounts: CallAccounts
  limits?: Partial<StallLimits>
  health?: HealthOptions
}

interface Entry {
  provider: TtsProvider
  health: ProviderHealth
}

interface Asked {
  callId: string
  voice: Voice
  text: string | TextStream
  rateHz?: TtsRateHz | undefined
}

/** As one voice is asked. */
interface AskedOfOne extends Asked {
  /** Of what is delivered. */
  rateHz: TtsRateHz
}

/** How much of an attempt's text was spoken. */
interface Spoken {
  audioMs: number
  words: { textOffset: number; length: number; offsetMs: number }[]
}

export class FailoverTts implements TtsProvider {
  readonly sampleRateHz
  readonly #entries: Entry[]
  readonly #accounts: CallAccounts
  readonly #limits: StallLimits

  /**
   * @param providers preferred first, at least one
   * @throws ProviderError TTS_RATE when one has neither the rate of the first nor twice that
   */
  constructor(providers: TtsProvider[], options: FailoverTtsOptions) {
    this.sampleRateHz = providers[0]!.sampleRateHz
    if (providers.some((provider) => rateToAsk(provider, this.sampleRateHz) === null)) {
      throw new ProviderError('TTS_RATE', 'Voices that replace each other must share a sample rate')
    }
    this.#entries = providers.map((provider) => ({
      provider,
      health: new ProviderHealth(provider, options.health),
    }))
    this.#accounts = options.accounts
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits }
  }

  /** The one that would be asked now. */
  get name(): string {
    return inOrder(this.#entries)[0]!.provider.name
  }

  async warm(): Promise<void> {
    await warmAll(this.#entries)
  }

  voices(): Promise<VoiceInfo[]> {
    return this.#entries[0]!.provider.voices()
  }

  /** The preferred voice's, where all can deliver it; else `sampleRateHz`. */
  rateFor(lineRateHz: number): TtsRateHz {
    const rateHz = rateOf(this.#entries[0]!.provider, lineRateHz)
    const isOfAll = this.#entries.every(({ provider }) => rateToAsk(provider, rateHz) !== null)
    return isOfAll ? rateHz : this.sampleRateHz
  }

  holds(request: TtsRequest): boolean {
    return this.#entries.some(({ provider }) => holds(provider, this.#atRate(request)))
  }

  synthesize(request: TtsRequest, signal: AbortSignal): AsyncIterable<TtsEvent> {
    return this.#speak(request, signal)
  }

  /** True when the voice that would be asked now takes it. */
  streamsText(voice: Voice, rateHz: TtsRateHz = this.sampleRateHz): boolean {
    return streams(inOrder(this.#entries)[0]!.provider, voice, rateHz)
  }

  synthesizeStream(request: TtsStreamRequest, signal: AbortSignal): AsyncIterable<TtsEvent> {
    return this.#speak(request, signal)
  }

  #atRate<R extends Asked>(request: R): R & AskedOfOne {
    return { ...request, rateHz: request.rateHz ?? this.sampleRateHz }
  }

  async *#speak(asked: Asked, signal: AbortSignal): AsyncIterable<TtsEvent> {
    const request = this.#atRate(asked)
    const entries = inOrder(this.#entries, ({ provider }) => holds(provider, request))
    let code = 'PROVIDER_OUT'
    /** What remains to be spoken, and where in the request's text that begins. */
    let { text } = request
    const shift = { text: 0, ms: 0 }
    for (const [index, entry] of entries.entries()) {
      if (signal.aborted) return
      const isLast = index === entries.length - 1
      const spoken: Spoken = { audioMs: 0, words: [] }
      const from = { ...shift }
      try {
        for await (const event of this.#ask(entry, { ...request, text }, { signal, isLast })) {
          if (event.kind === 'audio' && spoken.audioMs === 0) this.#began(entry, request, code)
          this.#note(event, spoken, request.rateHz)
          yield event.kind === 'word' ? shifted(event, from) : event
        }
        // Not at the first audio: a voice that breaks off in every sentence would never be out.
        if (spoken.audioMs > 0 && !signal.aborted) entry.health.worked()
        return
      } catch (error) {
        if (signal.aborted) return
        const failure = asProviderError(error)
        entry.health.failed(failure)
        if (isLast) throw failure
        code = failure.code
      }
      if (spoken.audioMs === 0) continue
      const whole = typeof text === 'string' ? text : await wholeText(text, signal)
      if (whole === null) return
      text = unspoken(whole, spoken)
      shift.ms += spoken.audioMs
      shift.text += whole.length - text.length
      if (!/[\p{L}\p{N}]/u.test(text)) return
    }
  }

  async close(): Promise<void> {
    for (const { health } of this.#entries) health.stop()
    await Promise.all(this.#entries.map(({ provider }) => provider.close()))
  }

  #began({ provider }: Entry, request: Asked, code: string): void {
    const preferred = this.#entries[0]!.provider.name
    this.#accounts.used(request.callId, { part: 'tts', provider: provider.name, preferred, code })
  }

  #note(event: TtsEvent, spoken: Spoken, rateHz: number): void {
    if (event.kind === 'audio') spoken.audioMs += (event.pcm.length * 1_000) / rateHz
    else if (event.textOffset >= 0) {
      const { textOffset, offsetMs } = event
      spoken.words.push({ textOffset, length: event.text.length, offsetMs })
    }
  }

  /** One voice's audio; a stall is its failure. */
  async *#ask(
    { provider }: Entry,
    request: AskedOfOne,
    { signal, isLast }: { signal: AbortSignal; isLast: boolean },
  ): AsyncIterable<TtsEvent> {
    const attempt = new AbortController()
    const abort = (): void => attempt.abort()
    signal.addEventListener('abort', abort, { once: true })
    const guard = new OwedGuard(this.#limits, abort)
    if (isLast) guard.stop()
    void wholeOf(request.text).then(() => guard.owe())
    try {
      for await (const event of delivered(provider, request, attempt.signal)) {
        if (event.kind === 'audio') guard.pause()
        yield event
        if (event.kind === 'audio' && !isLast) guard.progress()
      }
      if (guard.stalled === null) return
      throw new ProviderError('TTS_TIMEOUT', `The voice ${provider.name} gave no sound in time`, {
        retryable: true,
      })
    } finally {
      guard.stop()
      signal.removeEventListener('abort', abort)
      attempt.abort(OVER)
    }
  }
}

async function wholeOf(text: string | TextStream): Promise<string> {
  return typeof text === 'string' ? text : text.whole()
}

/** What to ask of a voice so that audio of `rateHz` comes of it, as it is or halved; null when it has neither. */
function rateToAsk(provider: TtsProvider, rateHz: TtsRateHz): TtsRateHz | null {
  const itsHz = rateOf(provider, rateHz)
  return itsHz === rateHz || itsHz === 2 * rateHz ? itsHz : null
}

function holds(provider: TtsProvider, { text, ...rest }: AskedOfOne): boolean {
  if (typeof text !== 'string') return false
  return provider.holds?.({ ...rest, text, rateHz: rateOf(provider, rest.rateHz) }) === true
}

function streams(provider: TtsProvider, voice: Voice, rateHz: TtsRateHz): boolean {
  return provider.streamsText?.(voice, rateOf(provider, rateHz)) ?? false
}

/** At the rate of the request. */
function delivered(
  provider: TtsProvider,
  request: AskedOfOne,
  signal: AbortSignal,
): AsyncIterable<TtsEvent> {
  const itsHz = rateOf(provider, request.rateHz)
  const events = askedOf(provider, { ...request, rateHz: itsHz }, signal)
  return itsHz === request.rateHz ? events : halved(events)
}

/** As it is being written where the voice takes that, else once it is whole. */
async function* askedOf(
  provider: TtsProvider,
  { text, ...rest }: AskedOfOne,
  signal: AbortSignal,
): AsyncIterable<TtsEvent> {
  if (typeof text === 'string') return yield* provider.synthesize({ ...rest, text }, signal)
  if (streams(provider, rest.voice, rest.rateHz)) {
    return yield* provider.synthesizeStream!({ ...rest, text }, signal)
  }
  const whole = await wholeText(text, signal)
  if (whole !== null) yield* provider.synthesize({ ...rest, text: whole }, signal)
}

function shifted(
  event: Extract<TtsEvent, { kind: 'word' }>,
  by: { text: number; ms: number },
): TtsEvent {
  const textOffset = event.textOffset < 0 ? -1 : event.textOffset + by.text
  return { ...event, textOffset, offsetMs: event.offsetMs + by.ms }
}

/** The end of the text that the audio did not reach; the whole text when there was no audio. */
export function unspoken(text: string, spoken: Spoken): string {
  if (spoken.audioMs === 0) return text
  const last = spoken.words.findLast(({ offsetMs }) => offsetMs <= spoken.audioMs - WORD_BEGUN_MS)
  if (last !== undefined) return text.slice(last.textOffset + last.length)
  if (spoken.words.length > 0) return text
  const reached = Math.round(spoken.audioMs / MS_PER_CHARACTER)
  if (reached >= text.length) return ''
  const cut = text.lastIndexOf(' ', reached)
  return cut <= 0 ? text : text.slice(cut + 1)
}
