/**
 * Azure Speech as voice: SSML, or a text while it is being written, over kept-open websockets; raw PCM as it comes.
 *
 *   synthesize() ───────► a synthesizer from the rate's pool ─► AzureSentence ─► the caller's loop
 *   synthesizeStream() ─► one of the streams' pools ─┘ └─ refused before any audio: the whole text, as SSML
 */
import { ProviderError } from '../errors.ts'
import { wholeText } from '../growing-text.ts'
import type { AzurePool, PooledSynthesizer } from './azure-pool.ts'
import { AZURE_DEFAULT_RATE_HZ, AzurePools, azureRateFor, knownRate } from './azure-rates.ts'
import type { AzureRateHz } from './azure-rates.ts'
import { azureSpeechConfig, loadAzureSdk } from './azure-sdk.ts'
import type { AzureAccount, AzureSdk } from './azure-sdk.ts'
import { AzureSentence } from './azure-sentence.ts'
import { azureBilled, azureStreamBilled } from './azure-billing.ts'
import { ssmlFor } from './azure-ssml.ts'
import { AzureTextStreams, streamRequest, type TextStreamOptions } from './azure-text-streams.ts'
import { AzureVoiceList } from './azure-voices.ts'
import { asProviderError } from './failover-llm.ts'
import type { StallLimits } from './stall-guard.ts'
import type { BilledSpeech, TtsEvent, TtsProvider, TtsRequest } from './tts.ts'
import type { TtsRateHz, TtsStreamRequest, Voice, VoiceInfo } from './tts.ts'

export interface AzureTtsLimits extends StallLimits {
  /** firstMs of a text stream, from the end of its text: a failover must not have given up before markup could speak. */
  streamFirstMs: number
}

const DEFAULT_LIMITS: AzureTtsLimits = { firstMs: 2_500, gapMs: 2_000, streamFirstMs: 700 }

export class AzureTts implements TtsProvider {
  readonly name = 'azure'
  readonly sampleRateHz = AZURE_DEFAULT_RATE_HZ
  readonly #account: AzureAccount
  readonly #limits: AzureTtsLimits
  readonly #voices: AzureVoiceList
  readonly #streams: AzureTextStreams
  readonly #pools: AzurePools
  readonly #closing = new AbortController()

  constructor(
    account: AzureAccount,
    limits: Partial<AzureTtsLimits> = {},
    streams: TextStreamOptions = {},
  ) {
    this.#account = account
    this.#limits = { ...DEFAULT_LIMITS, ...limits }
    this.#voices = new AzureVoiceList(account)
    this.#streams = new AzureTextStreams(account, streams)
    this.#pools = new AzurePools((sdk) => azureSpeechConfig(sdk, account))
  }

  /** Loads the SDK and opens one connection of each rate ahead of the first sentence. */
  async warm(): Promise<void> {
    this.#pools.warm(await loadAzureSdk())
  }

  rateFor(lineRateHz: number): AzureRateHz {
    return azureRateFor(lineRateHz)
  }

  /** Speaks one vowel and throws it away. */
  async probe(): Promise<void> {
    const voice = { name: '', language: 'es-MX', style: null, speed: 1 }
    const request = { callId: '', text: 'a', voice }
    for await (const event of this.synthesize(request, this.#closing.signal)) void event
  }

  /** Connections that wait for a sentence, without those for text streams. */
  get idle(): number {
    return this.#pools.idle
  }

  /** Those of the service, or the bundled ones while it is out of reach. */
  voices(): Promise<VoiceInfo[]> {
    return this.#voices.list()
  }

  streamsText(voice: Voice, rateHz?: TtsRateHz): boolean {
    const takes = this.#streams.takes(voice)
    if (takes) this.#streams.warm(knownRate(rateHz))
    return takes
  }

  billed({ text, voice, isStreamed }: TtsRequest & { isStreamed?: true }): BilledSpeech {
    return isStreamed ? azureStreamBilled(text, voice) : azureBilled(text, voice)
  }

  async *synthesize(request: TtsRequest, signal: AbortSignal): AsyncIterable<TtsEvent> {
    if (signal.aborted || !/[\p{L}\p{N}]/u.test(request.text)) return
    const rateHz = knownRate(request.rateHz)
    const sdk = await this.#open(signal)
    if (sdk === null) return
    const by = { sdk, pool: this.#pools.at(rateHz), rateHz, signal, limits: this.#limits }
    yield* this.#run(by, ({ sentence }) =>
      sentence.speak(ssmlFor(request.text, request.voice), request.text),
    )
  }

  async *synthesizeStream(request: TtsStreamRequest, signal: AbortSignal): AsyncIterable<TtsEvent> {
    if (signal.aborted) return
    const { text, ...rest } = request
    const { voice } = rest
    if (this.#streams.takes(voice)) {
      const isSpoken = yield* this.#stream(request, signal)
      if (isSpoken || signal.aborted) return
    }
    const whole = await wholeText(text, signal)
    if (whole !== null) yield* this.synthesize({ ...rest, text: whole }, signal)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#pools.close()
    this.#streams.pools.close()
  }

  /** @returns false when the service does not take the stream: nothing of it was heard. */
  async *#stream(
    request: TtsStreamRequest,
    signal: AbortSignal,
  ): AsyncGenerator<TtsEvent, boolean> {
    const rateHz = knownRate(request.rateHz)
    const sdk = await this.#open(signal)
    if (sdk === null) return true
    const { firstMs, gapMs, streamFirstMs } = this.#limits
    const limits = { firstMs: Math.min(firstMs, streamFirstMs), gapMs }
    let hasAudio = false
    try {
      const by = { sdk, pool: this.#streams.pools.at(rateHz), rateHz, signal, limits }
      const events = this.#run(by, ({ sentence, pooled }) =>
        sentence.speakStream(streamRequest(sdk, pooled, request), request.text),
      )
      for await (const event of events) {
        hasAudio ||= event.kind === 'audio'
        yield event
      }
      return true
    } catch (error) {
      const failure = asProviderError(error)
      // Also after the first audio: this sentence is lost to another voice, the next one need not be.
      this.#streams.refused(failure)
      if (hasAudio) throw failure
      return false
    }
  }

  /** Null when `signal` aborted meanwhile. @throws ProviderError when the voice is closed */
  async #open(signal: AbortSignal): Promise<AzureSdk | null> {
    const sdk = await loadAzureSdk()
    if (signal.aborted) return null
    if (!this.#closing.signal.aborted) return sdk
    throw new ProviderError('TTS_UNAVAILABLE', 'The Azure voice was closed')
  }

  async *#run(
    by: {
      sdk: AzureSdk
      pool: AzurePool
      rateHz: number
      signal: AbortSignal
      limits: StallLimits
    },
    begin: (parts: { sentence: AzureSentence; pooled: PooledSynthesizer }) => void,
  ): AsyncIterable<TtsEvent> {
    const { sdk, pool, signal } = by
    const pooled = pool.checkOut(sdk)
    const options = { account: this.#account, limits: by.limits, rateHz: by.rateHz }
    const sentence = new AzureSentence(sdk, pooled.synthesizer, options)
    const onAbort = (): void => sentence.stop()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      begin({ sentence, pooled })
      yield* sentence.events()
    } finally {
      signal.removeEventListener('abort', onAbort)
      sentence.stop()
      pool.giveBack(pooled, sentence.complete)
    }
  }
}
