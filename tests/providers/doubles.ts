/** Providers whose every event a test decides, without a network. */
import { ProviderError } from '../../server/errors.ts'
import type { LlmEvent, LlmProvider } from '../../server/providers/llm.ts'
import type {
  FrameSound,
  SttEvents,
  SttOptions,
  SttProvider,
  SttRateHz,
  SttSession,
  Transcript,
} from '../../server/providers/stt.ts'
import type { TtsEvent, TtsProvider, TtsRequest } from '../../server/providers/tts.ts'
import type { TtsRateHz, TtsStreamRequest } from '../../server/providers/tts.ts'

/** What a call in Spanish asks of its recogniser. */
export const STT_OPTIONS: SttOptions = {
  callId: 'call-1',
  language: 'es-MX',
  phrases: [],
  segmentationSilenceMs: 500,
  initialSilenceMs: 30_000,
}

/** For sessions whose words nobody waits for. */
export const NO_STT_EVENTS: SttEvents = {
  onPartial: () => undefined,
  onFinal: () => undefined,
  onError: () => undefined,
}

export const broken = (prefix: string): ProviderError =>
  new ProviderError(`${prefix}_UNAVAILABLE`, 'broken by the test', { retryable: true })

/** Waits until the signal aborts. */
export function forever(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
}

type Step<T> = T | Error | 'stall'

/** Plays its steps for every request: events, an error, or a stall until aborted. */
async function* play<T extends object>(
  steps: readonly Step<T>[],
  signal: AbortSignal,
): AsyncIterable<T> {
  for (const step of steps) {
    if (step === 'stall') return void (await forever(signal))
    if (step instanceof Error) throw step
    yield step
  }
}

export class ScriptedModel implements LlmProvider {
  readonly name: string
  readonly scripted = false
  steps: Step<LlmEvent>[]
  asked = 0
  probes = 0
  /** What the probe does. */
  isBack = false

  constructor(name: string, steps: Step<LlmEvent>[]) {
    this.name = name
    this.steps = steps
  }

  async warm(): Promise<void> {
    this.probes += 1
    if (!this.isBack) throw broken('LLM')
  }

  stream(_request: unknown, signal: AbortSignal): AsyncIterable<LlmEvent> {
    this.asked += 1
    return play(this.steps, signal)
  }

  async close(): Promise<void> {}
}

export class ScriptedVoice implements TtsProvider {
  readonly name: string
  readonly sampleRateHz = 16_000
  steps: Step<TtsEvent>[]
  texts: string[] = []
  /** What each request asked for. */
  readonly ratesHz: (TtsRateHz | undefined)[] = []
  /** Rates that it has besides 16 kHz. */
  otherRatesHz: TtsRateHz[] = []
  /** Takes texts that are still being written, and notes what it read of them. */
  isStreaming = false
  readonly streamed: string[] = []

  constructor(name: string, steps: Step<TtsEvent>[]) {
    this.name = name
    this.steps = steps
  }

  rateFor(lineRateHz: number): TtsRateHz {
    return this.otherRatesHz.find((rateHz) => rateHz === lineRateHz) ?? this.sampleRateHz
  }

  streamsText(): boolean {
    return this.isStreaming
  }

  synthesizeStream(request: TtsStreamRequest, signal: AbortSignal): AsyncIterable<TtsEvent> {
    this.ratesHz.push(request.rateHz)
    const index = this.streamed.push('') - 1
    void (async () => {
      for await (const piece of request.text) this.streamed[index] += piece
    })()
    return play(this.steps, signal)
  }

  async warm(): Promise<void> {}
  async voices() {
    return []
  }

  synthesize(request: TtsRequest, signal: AbortSignal): AsyncIterable<TtsEvent> {
    this.texts.push(request.text)
    this.ratesHz.push(request.rateHz)
    return play(this.steps, signal)
  }

  async close(): Promise<void> {}
}

export class ScriptedEars implements SttProvider {
  readonly name: string
  readonly maxSessionMs?: number
  readonly sessions: EarSession[] = []
  /** What it wants of a telephone line. */
  telephoneRateHz: SttRateHz = 16_000

  constructor(name: string, maxSessionMs?: number) {
    this.name = name
    if (maxSessionMs !== undefined) this.maxSessionMs = maxSessionMs
  }

  rateFor(lineRateHz: number): SttRateHz {
    return lineRateHz <= 8_000 ? this.telephoneRateHz : 16_000
  }

  get last(): EarSession {
    return this.sessions.at(-1)!
  }

  async warm(): Promise<void> {}

  open(options: SttOptions, events: SttEvents): SttSession {
    const session = new EarSession(options, events)
    this.sessions.push(session)
    return session
  }

  async close(): Promise<void> {}
}

export class EarSession implements SttSession {
  readonly options: SttOptions
  readonly events: SttEvents
  readonly frames: { atMs: number; first: number; sound?: FrameSound }[] = []
  /** What it says that it sent; absent: everything. */
  sentMs?: number
  readonly hints: string[] = []
  closed = false

  constructor(options: SttOptions, events: SttEvents) {
    this.options = options
    this.events = events
  }

  push(pcm: Int16Array, atMs: number, sound?: FrameSound): void {
    this.frames.push({ atMs, first: pcm[0]!, ...(sound && { sound }) })
  }

  speechStarted(atMs: number): void {
    this.hints.push(`started ${atMs}`)
  }

  speechEnded(atMs: number): void {
    this.hints.push(`ended ${atMs}`)
  }

  close(): void {
    this.closed = true
  }
}

export function transcript(text: string, startMs: number, endMs: number): Transcript {
  return { text, language: 'es-MX', startMs, endMs, confidence: null, words: [] }
}
