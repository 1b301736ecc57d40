/**
 * Azure Speech as voice: SSML over a kept-open websocket, raw 16 kHz PCM as it comes.
 *
 *   synthesize() ─► a synthesizer from the pool (≤ 8 idle) ─► synthesizing events ─► chunks ─► the caller's loop
 *
 * The SDK cannot stop a synthesis, and a broken one never settles: on abort, error or time-out the synthesizer is closed
 * and thrown away, and its late events, which carry no request id, go nowhere. Only one that has finished is used again.
 */
import type { SpeechSynthesizer } from 'microsoft-cognitiveservices-speech-sdk'
import { ProviderError } from '../errors.ts'
import { closeSynthesizer } from './azure-close.ts'
import {
  TICKS_PER_MS,
  azureError,
  azureSpeechConfig,
  loadAzureSdk,
  withoutKey,
} from './azure-sdk.ts'
import type { AzureAccount, AzureSdk } from './azure-sdk.ts'
import { azureBilled } from './azure-billing.ts'
import { ssmlFor } from './azure-ssml.ts'
import { AzureVoiceList } from './azure-voices.ts'
import { StallGuard } from './stall-guard.ts'
import type { StallLimits } from './stall-guard.ts'
import type { BilledSpeech, TtsEvent, TtsProvider, TtsRequest, VoiceInfo } from './tts.ts'

const RATE_HZ = 16_000
const IDLE_LIMIT = 8
/** Connections kept open beyond those that speak: a barge-in throws one away. */
const SPARE = 2
/** The service closes connections of 10 minutes; ours go before, when nobody speaks on them. */
const AGE_MS = 8 * 60_000
const DEFAULT_LIMITS: StallLimits = { firstMs: 2_500, gapMs: 2_000 }
/** Two minutes for one sentence: more is a fault, and would fill memory at the service's speed. */
const MAX_SAMPLES = 120 * RATE_HZ

export class AzureTts implements TtsProvider {
  readonly name = 'azure'
  readonly sampleRateHz = RATE_HZ
  readonly #account: AzureAccount
  readonly #limits: StallLimits
  readonly #voices: AzureVoiceList
  #idle: Pooled[] = []
  readonly #closing = new AbortController()
  #closed = false

  constructor(account: AzureAccount, limits: Partial<StallLimits> = {}) {
    this.#account = account
    this.#limits = { ...DEFAULT_LIMITS, ...limits }
    this.#voices = new AzureVoiceList(account)
  }

  /** Loads the SDK and opens one connection ahead of the first sentence. */
  async warm(): Promise<void> {
    this.#addSpares(await loadAzureSdk(), 1)
  }

  /** Speaks one vowel and throws it away. */
  async probe(): Promise<void> {
    const voice = { name: '', language: 'es-MX', style: null, speed: 1 }
    const request = { callId: '', text: 'a', voice }
    for await (const event of this.synthesize(request, this.#closing.signal)) void event
  }

  /** Connections that wait for a sentence. */
  get idle(): number {
    return this.#idle.length
  }

  /** Those of the service, or the bundled ones while it is out of reach. */
  voices(): Promise<VoiceInfo[]> {
    return this.#voices.list()
  }

  billed({ text, voice }: TtsRequest): BilledSpeech {
    return azureBilled(text, voice)
  }

  async *synthesize(request: TtsRequest, signal: AbortSignal): AsyncIterable<TtsEvent> {
    if (signal.aborted || !/[\p{L}\p{N}]/u.test(request.text)) return
    const sdk = await loadAzureSdk()
    if (signal.aborted) return
    if (this.#closed) throw new ProviderError('TTS_UNAVAILABLE', 'The Azure voice was closed')
    const pooled = this.#checkOut(sdk)
    const { synthesizer } = pooled
    const speech = new RunningSpeech(sdk, synthesizer, {
      account: this.#account,
      limits: this.#limits,
    })
    const onAbort = (): void => speech.stop()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      speech.begin(request)
      yield* speech.events()
    } finally {
      signal.removeEventListener('abort', onAbort)
      speech.stop()
      this.#giveBack(pooled, speech.complete)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#closing.abort()
    for (const { synthesizer } of this.#idle.splice(0)) closeSynthesizer(synthesizer)
  }

  #create(sdk: AzureSdk): Pooled {
    const config = azureSpeechConfig(sdk, this.#account)
    config.speechSynthesisOutputFormat = sdk.SpeechSynthesisOutputFormat.Raw16Khz16BitMonoPcm
    // null: no loudspeaker.
    const synthesizer = new sdk.SpeechSynthesizer(config, null)
    const pooled = { synthesizer, bornMs: performance.now() }
    // One that the service has closed is as slow as a new one, and may hang: it goes.
    sdk.Connection.fromSynthesizer(synthesizer).disconnected = () => this.#discard(pooled)
    return pooled
  }

  /** The newest healthy one; another is opened in its place, so that the next sentence finds it ready. */
  #checkOut(sdk: AzureSdk): Pooled {
    const nowMs = performance.now()
    for (const pooled of [...this.#idle]) {
      if (nowMs - pooled.bornMs > AGE_MS) this.#discard(pooled)
    }
    const pooled = this.#idle.pop() ?? this.#create(sdk)
    this.#addSpares(sdk, SPARE)
    return pooled
  }

  #addSpares(sdk: AzureSdk, count: number): void {
    while (!this.#closed && this.#idle.length < count) {
      const pooled = this.#create(sdk)
      this.#idle.push(pooled)
      // A connection that cannot be opened shows, with its reason, at the first sentence.
      const { synthesizer } = pooled
      sdk.Connection.fromSynthesizer(synthesizer).openConnection(undefined, () => undefined)
    }
  }

  #discard(pooled: Pooled): void {
    const index = this.#idle.indexOf(pooled)
    if (index < 0) return
    this.#idle.splice(index, 1)
    closeSynthesizer(pooled.synthesizer)
  }

  #giveBack(pooled: Pooled, complete: boolean): void {
    if (complete && !this.#closed && this.#idle.length < IDLE_LIMIT) this.#idle.push(pooled)
    else closeSynthesizer(pooled.synthesizer)
  }
}

interface Pooled {
  synthesizer: SpeechSynthesizer
  bornMs: number
}

/** One sentence under way. */
class RunningSpeech {
  readonly #sdk: AzureSdk
  readonly #synthesizer: SpeechSynthesizer
  readonly #account: AzureAccount
  readonly #limits: StallLimits
  readonly #guard: StallGuard
  #events: TtsEvent[] = []
  #samples = 0
  /** An odd byte at the end of a chunk belongs to the next chunk's first sample. */
  #oddByte: number | null = null
  #stopped = false
  #complete = false
  #error: ProviderError | null = null
  #wake: () => void = () => undefined

  constructor(
    sdk: AzureSdk,
    synthesizer: SpeechSynthesizer,
    options: { account: AzureAccount; limits: StallLimits },
  ) {
    this.#sdk = sdk
    this.#synthesizer = synthesizer
    this.#account = options.account
    this.#limits = options.limits
    this.#guard = new StallGuard(options.limits, () => this.#stalled())
  }

  /** The service said that all was sent: the synthesizer may be used again. */
  get complete(): boolean {
    return this.#complete
  }

  begin(request: TtsRequest): void {
    const synthesizer = this.#synthesizer
    let searchFrom = 0
    synthesizer.synthesizing = (_sender, { result }) => this.#audio(result.audioData)
    synthesizer.wordBoundary = (_sender, event) => {
      if (this.#stopped || event.boundaryType !== this.#sdk.SpeechSynthesisBoundaryType.Word) return
      // Azure's own index counts in the SSML; ours is into the request's text.
      const textOffset = request.text.indexOf(event.text, searchFrom)
      if (textOffset >= 0) searchFrom = textOffset + event.text.length
      const offsetMs = event.audioOffset / TICKS_PER_MS
      this.#push({ kind: 'word', text: event.text, offsetMs, textOffset })
    }
    synthesizer.speakSsmlAsync(
      ssmlFor(request.text, request.voice),
      (result) => {
        if (result.reason === this.#sdk.ResultReason.Canceled) {
          const details = this.#sdk.CancellationDetails.fromResult(result)
          const { ErrorCode: code, errorDetails } = details
          const seen = { prefix: 'TTS', code, details: errorDetails } as const
          this.#end(azureError(this.#sdk, this.#account, seen))
        } else {
          this.#complete = !this.#stopped
          this.#end(null)
        }
      },
      (error) => {
        const text = `Azure Speech: ${withoutKey(error, this.#account)}`
        this.#end(new ProviderError('TTS_UNAVAILABLE', text, { retryable: true }))
      },
    )
  }

  async *events(): AsyncIterable<TtsEvent> {
    for (;;) {
      const event = this.#events.shift()
      if (event !== undefined) yield event
      else if (this.#error !== null) throw this.#error
      else if (this.#stopped) return
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** Ends the loop at once and silences everything that comes later. Idempotent. */
  stop(): void {
    this.#events = []
    this.#end(null)
    this.#synthesizer.synthesizing = undefined as never
    this.#synthesizer.wordBoundary = undefined as never
  }

  #audio(data: ArrayBuffer): void {
    if (this.#stopped || data.byteLength === 0) return
    this.#guard.progress()
    const joined = new Uint8Array(data.byteLength + (this.#oddByte === null ? 0 : 1))
    if (this.#oddByte !== null) joined[0] = this.#oddByte
    joined.set(new Uint8Array(data), joined.length - data.byteLength)
    this.#oddByte = joined.length % 2 === 0 ? null : joined.at(-1)!
    const pcm = new Int16Array(joined.buffer, 0, joined.length >> 1)
    this.#samples += pcm.length
    if (this.#samples > MAX_SAMPLES) {
      this.#end(new ProviderError('TTS_BAD_RESPONSE', 'Azure Speech sent 2 minutes for a sentence'))
    } else if (pcm.length > 0) this.#push({ kind: 'audio', pcm })
  }

  #push(event: TtsEvent): void {
    this.#events.push(event)
    this.#wake()
  }

  #end(error: ProviderError | null): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#error = error
    this.#guard.stop()
    this.#wake()
  }

  #stalled(): void {
    const text =
      this.#guard.stalled === 'first'
        ? `Azure Speech sent no audio within ${this.#limits.firstMs} ms`
        : `Azure Speech stopped for ${this.#limits.gapMs} ms in mid-sentence`
    this.#end(new ProviderError('TTS_TIMEOUT', text, { retryable: true }))
  }
}
