/**
 * Phrases that were spoken before, as audio: the greeting starts at once, and nobody pays twice for it.
 *
 *   synthesize() ─┬─ held ─► the stored chunks
 *                 ├─ held at twice the rate ─► halved once, and stored ─► its chunks
 *                 └─ not held ─► the voice ─► second time asked for, or prefilled: stored when it came to its end
 *
 * A text that is still being written is nobody's phrase: it goes to the voice, and is counted once it has ended.
 *
 * Prefilling gives way to calls: nothing is begun while one has the voice speak, and what is under way at the embedded voice,
 * which speaks one sentence after the other, is broken off and begun again.
 *
 * Prefilled is what the voice speaks at its own rate: a telephone line's half of it costs no second request.
 *
 * Keyed by everything that changes the sound, the rate too. Bounded by bytes; the phrase that was longest unused goes first, prefilled
 * ones last. A phrase that is asked for once is not stored: most sentences of a call are said once.
 */
import { halvedWhole } from './half-rate.ts'
import { rateOf } from './tts.ts'
import type { BilledSpeech, TtsEvent, TtsProvider, TtsRequest } from './tts.ts'
import type { TtsRateHz, TtsStreamRequest, Voice, VoiceInfo } from './tts.ts'

/** One phrase at most: 20 s at 16 kHz, 40 s at 8. */
const PHRASE_BYTES_MAX = 640_000
const ASKED_ONCE_MAX = 2_000
const PREFILL_MS = 30_000

export interface PhraseCacheStats {
  phrases: number
  bytes: number
  limitBytes: number
  hits: number
  misses: number
  /** Characters that were not charged, those of HD voices apart. */
  savedCharacters: number
  savedHdCharacters: number
  /** The voice costs nothing anyway. */
  isFree: boolean
}

interface Phrase {
  events: TtsEvent[]
  bytes: number
  isPrefilled: boolean
}

export interface PhraseCacheOptions {
  limitBytes: number
  /** What the service charges for a request that the voice had to synthesise, and would have for one that was held. */
  onSpent?(callId: string, billed: BilledSpeech): void
  onSaved?(callId: string, billed: BilledSpeech): void
}

export class CachedTts implements TtsProvider {
  readonly name: string
  readonly sampleRateHz
  readonly probe?: () => Promise<void>
  readonly #tts: TtsProvider
  readonly #options: PhraseCacheOptions
  readonly #phrases = new Map<string, Phrase>()
  readonly #askedOnce = new Set<string>()
  #isClosing = false
  /** Sentences that calls are having spoken now, and who waits for their end. */
  #live = 0
  #whenQuiet: (() => void)[] = []
  readonly #prefilling = new Set<AbortController>()
  #bytes = 0
  #hits = 0
  #misses = 0
  readonly #saved = { standard: 0, hd: 0 }

  constructor(tts: TtsProvider, options: PhraseCacheOptions) {
    this.name = tts.name
    this.sampleRateHz = tts.sampleRateHz
    this.#tts = tts
    this.#options = options
    if (tts.probe !== undefined) this.probe = () => tts.probe!()
  }

  get stats(): PhraseCacheStats {
    return {
      phrases: this.#phrases.size,
      bytes: this.#bytes,
      limitBytes: this.#options.limitBytes,
      hits: this.#hits,
      misses: this.#misses,
      savedCharacters: this.#saved.standard,
      savedHdCharacters: this.#saved.hd,
      isFree: this.name === 'embedded',
    }
  }

  warm(): Promise<void> {
    return this.#tts.warm()
  }

  voices(): Promise<VoiceInfo[]> {
    return this.#tts.voices()
  }

  rateFor(lineRateHz: number): TtsRateHz {
    return rateOf(this.#tts, lineRateHz)
  }

  holds({ text, voice, rateHz = this.sampleRateHz }: TtsRequest): boolean {
    const isHeldAt = (hz: number): boolean => this.#phrases.has(keyOf(text, voice, hz))
    return isHeldAt(rateHz) || isHeldAt(2 * rateHz)
  }

  /** Synthesises what is not held yet at the voice's own rate, one phrase after the other. A voice that fails leaves the rest for the next time. */
  async prefill(texts: readonly string[], voice: Voice): Promise<void> {
    for (const text of texts) {
      const key = keyOf(text, voice, this.sampleRateHz)
      const held = this.#phrases.get(key)
      if (held !== undefined) held.isPrefilled = true
      if (held !== undefined || text.trim() === '') continue
      const events = await this.#speakInQuiet(text, voice)
      if (events === null) return
      this.#store(key, { events, bytes: bytesOf(events), isPrefilled: true })
    }
  }

  /** Null when the cache closes, or the voice takes too long. */
  async #speakInQuiet(text: string, voice: Voice): Promise<TtsEvent[] | null> {
    for (;;) {
      while (this.#live > 0) await new Promise<void>((resolve) => this.#whenQuiet.push(resolve))
      if (this.#isClosing) return null
      const giveWay = new AbortController()
      this.#prefilling.add(giveWay)
      // No AbortSignal.any(): what it joins to a signal that stays until the cache closes stays as long.
      let isLate = false
      const giveUp = (): void => {
        isLate = true
        giveWay.abort()
      }
      const timer = setTimeout(giveUp, PREFILL_MS).unref()
      const { signal } = giveWay
      const events: TtsEvent[] = []
      try {
        for await (const event of this.#tts.synthesize({ callId: '', text, voice }, signal)) {
          events.push(event)
        }
      } finally {
        clearTimeout(timer)
        this.#prefilling.delete(giveWay)
      }
      if (this.#isClosing || isLate) return null
      if (!signal.aborted) return events
    }
  }

  async *synthesize(request: TtsRequest, signal: AbortSignal): AsyncIterable<TtsEvent> {
    const { text, voice, callId, rateHz = this.sampleRateHz } = request
    const key = keyOf(text, voice, rateHz)
    const held = this.#phrases.get(key) ?? this.#halved(key, keyOf(text, voice, 2 * rateHz))
    if (held !== undefined) {
      this.#hits += 1
      const saved = this.#billed(request)
      this.#saved[saved.isHd ? 'hd' : 'standard'] += saved.characters
      this.#options.onSaved?.(callId, saved)
      // Newest last: the map's order is the order of going.
      if (this.#phrases.delete(key)) this.#phrases.set(key, held)
      for (const event of held.events) {
        if (signal.aborted) return
        yield event
      }
      return
    }
    this.#misses += 1
    this.#options.onSpent?.(callId, this.#billed(request))
    yield* this.#givenWay(this.#speakLive(request, key, signal))
  }

  streamsText(voice: Voice, rateHz?: TtsRateHz): boolean {
    return this.#tts.streamsText?.(voice, rateHz) ?? false
  }

  async *synthesizeStream(request: TtsStreamRequest, signal: AbortSignal): AsyncIterable<TtsEvent> {
    if (signal.aborted) return
    const { callId, text, voice } = request
    this.#misses += 1
    try {
      yield* this.#givenWay(this.#tts.synthesizeStream!(request, signal))
    } finally {
      // A text that was cut is paid for as far as it was written.
      const written = { callId, voice, text: text.text.trimEnd(), isStreamed: true } as const
      this.#options.onSpent?.(callId, this.#billed(written))
    }
  }

  /** Prefilling waits while a call has the voice speak. */
  async *#givenWay(events: AsyncIterable<TtsEvent>): AsyncIterable<TtsEvent> {
    this.#live += 1
    if (this.#tts.name === 'embedded') for (const one of this.#prefilling) one.abort()
    try {
      yield* events
    } finally {
      this.#live -= 1
      if (this.#live === 0) for (const resume of this.#whenQuiet.splice(0)) resume()
    }
  }

  async *#speakLive(
    request: TtsRequest,
    key: string,
    signal: AbortSignal,
  ): AsyncIterable<TtsEvent> {
    if (!this.#isWorthKeeping(key)) return yield* this.#tts.synthesize(request, signal)
    const events: TtsEvent[] = []
    for await (const event of this.#tts.synthesize(request, signal)) {
      events.push(event)
      yield event
    }
    if (!signal.aborted) this.#store(key, { events, bytes: bytesOf(events), isPrefilled: false })
  }

  async close(): Promise<void> {
    this.#isClosing = true
    for (const one of this.#prefilling) one.abort()
    await this.#tts.close()
  }

  #billed(request: TtsRequest & { isStreamed?: true }): BilledSpeech {
    return this.#tts.billed?.(request) ?? { characters: request.text.length, isHd: false }
  }

  /** True the second time that a phrase is asked for. */
  #isWorthKeeping(key: string): boolean {
    if (this.#askedOnce.delete(key)) return true
    this.#askedOnce.add(key)
    if (this.#askedOnce.size > ASKED_ONCE_MAX) {
      this.#askedOnce.delete(this.#askedOnce.values().next().value!)
    }
    return false
  }

  /** From the phrase that is held at twice the rate; undefined where there is none. */
  #halved(key: string, doubleKey: string): Phrase | undefined {
    const double = this.#phrases.get(doubleKey)
    if (double === undefined) return undefined
    const events = halvedWhole(double.events)
    const phrase = { events, bytes: bytesOf(events), isPrefilled: double.isPrefilled }
    this.#store(key, phrase)
    return phrase
  }

  #store(key: string, phrase: Phrase): void {
    if (phrase.bytes === 0 || phrase.bytes > PHRASE_BYTES_MAX || this.#phrases.has(key)) return
    this.#phrases.set(key, phrase)
    this.#bytes += phrase.bytes
    while (this.#bytes > this.#options.limitBytes && this.#phrases.size > 0) {
      const oldest =
        [...this.#phrases].find(([, { isPrefilled }]) => !isPrefilled) ?? [...this.#phrases][0]!
      this.#phrases.delete(oldest[0])
      this.#bytes -= oldest[1].bytes
    }
  }
}

/** JSON keeps the parts apart, whatever they hold. */
function keyOf(text: string, voice: Voice, rateHz: number): string {
  const { name, language, style, speed, styleDegree, pitch, volume } = voice
  return JSON.stringify([text, name, language, style, speed, styleDegree, pitch, volume, rateHz])
}

function bytesOf(events: readonly TtsEvent[]): number {
  return events.reduce((sum, event) => sum + (event.kind === 'audio' ? event.pcm.byteLength : 0), 0)
}
