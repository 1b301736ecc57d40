/**
 * One sentence under way at Azure Speech, as markup or while it is being written.
 *
 *   speak(SSML) ───────┐
 *   speakStream(text) ─┴─► synthesizing, wordBoundary ─► [ events ] ─► the caller's loop
 *
 * After its end, whatever ended it, the synthesizer's late events, which carry no request id, go nowhere.
 */
import type {
  SpeechSynthesisRequest,
  SpeechSynthesisResult,
  SpeechSynthesizer,
} from 'microsoft-cognitiveservices-speech-sdk'
import { ProviderError } from '../errors.ts'
import { TICKS_PER_MS, azureError, withoutKey } from './azure-sdk.ts'
import type { AzureAccount, AzureSdk } from './azure-sdk.ts'
import { OwedGuard } from './owed-guard.ts'
import type { StallLimits } from './stall-guard.ts'
import type { TextStream, TtsEvent } from './tts.ts'
import { WordPlaces } from './word-places.ts'

/** For one sentence: more is a fault, and would fill memory at the service's speed. */
const MAX_SEC = 120

export interface AzureSentenceOptions {
  account: AzureAccount
  limits: StallLimits
  /** Of the synthesizer's output format. */
  rateHz: number
}

export class AzureSentence {
  readonly #sdk: AzureSdk
  readonly #synthesizer: SpeechSynthesizer
  readonly #account: AzureAccount
  readonly #limits: StallLimits
  readonly #maxSamples: number
  readonly #guard: OwedGuard
  #events: TtsEvent[] = []
  #samples = 0
  /** An odd byte at the end of a chunk belongs to the next chunk's first sample. */
  #oddByte: number | null = null
  #stopped = false
  #complete = false
  #error: ProviderError | null = null
  #wake: () => void = () => undefined
  #reader: AsyncIterator<string> | null = null

  constructor(sdk: AzureSdk, synthesizer: SpeechSynthesizer, options: AzureSentenceOptions) {
    this.#sdk = sdk
    this.#synthesizer = synthesizer
    this.#account = options.account
    this.#limits = options.limits
    this.#maxSamples = MAX_SEC * options.rateHz
    this.#guard = new OwedGuard(options.limits, () => this.#stalled())
  }

  /** The service said that all was sent: the synthesizer may be used again. */
  get complete(): boolean {
    return this.#complete
  }

  /** `text`: what the markup says. */
  speak(ssml: string, text: string): void {
    this.#listen(() => text)
    this.#guard.owe()
    this.#synthesizer.speakSsmlAsync(
      ssml,
      (result) => this.#ended(result, true),
      (error) => this.#failed(error),
    )
  }

  /** `request`: the voice's properties; its input is written here as the text comes. */
  speakStream(request: SpeechSynthesisRequest, text: TextStream): void {
    this.#listen(() => text.text)
    this.#synthesizer.speakAsync(
      request,
      (result) => this.#ended(result, text.ended),
      (error) => this.#failed(error),
    )
    void this.#write(request, text)
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

  /** `textNow`: what the service can have spoken of by now. */
  #listen(textNow: () => string): void {
    const places = new WordPlaces()
    this.#synthesizer.synthesizing = (_sender, { result }) => this.#audio(result.audioData)
    this.#synthesizer.wordBoundary = (_sender, event) => {
      if (this.#stopped || event.boundaryType !== this.#sdk.SpeechSynthesisBoundaryType.Word) return
      const offsetMs = event.audioOffset / TICKS_PER_MS
      const textOffset = places.next(event.text, textNow())
      this.#push({ kind: 'word', text: event.text, offsetMs, textOffset })
    }
  }

  async #write({ inputStream }: SpeechSynthesisRequest, text: TextStream): Promise<void> {
    const reader = (this.#reader = text[Symbol.asyncIterator]())
    for (let piece = await reader.next(); !piece.done; piece = await reader.next()) {
      if (this.#stopped) return
      inputStream.write(piece.value)
    }
    if (this.#stopped) return
    this.#guard.owe()
    inputStream.close()
  }

  #ended(result: SpeechSynthesisResult, isWhole: boolean): void {
    if (result.reason === this.#sdk.ResultReason.Canceled) {
      const details = this.#sdk.CancellationDetails.fromResult(result)
      const { ErrorCode: code, errorDetails } = details
      const seen = { prefix: 'TTS', code, details: errorDetails } as const
      this.#end(azureError(this.#sdk, this.#account, seen))
    } else if (!isWhole) {
      const text = 'Azure Speech ended a sentence before its text did'
      this.#end(new ProviderError('TTS_BAD_RESPONSE', text, { retryable: true }))
    } else {
      this.#complete = !this.#stopped
      this.#end(null)
    }
  }

  #failed(error: unknown): void {
    const text = `Azure Speech: ${withoutKey(error, this.#account)}`
    this.#end(new ProviderError('TTS_UNAVAILABLE', text, { retryable: true }))
  }

  #audio(data: ArrayBuffer): void {
    if (this.#stopped || data.byteLength === 0) return
    this.#guard.progress()
    const pcm = this.#aligned(data)
    this.#samples += pcm.length
    if (this.#samples > this.#maxSamples) {
      this.#end(new ProviderError('TTS_BAD_RESPONSE', 'Azure Speech sent 2 minutes for a sentence'))
    } else if (pcm.length > 0) this.#push({ kind: 'audio', pcm })
  }

  /** The SDK's own buffer where the samples lie whole in it: nobody else reads it (azure-sdk-audio.ts). */
  #aligned(data: ArrayBuffer): Int16Array {
    if (this.#oddByte === null && data.byteLength % 2 === 0) return new Int16Array(data)
    const joined = new Uint8Array(data.byteLength + (this.#oddByte === null ? 0 : 1))
    if (this.#oddByte !== null) joined[0] = this.#oddByte
    joined.set(new Uint8Array(data), joined.length - data.byteLength)
    this.#oddByte = joined.length % 2 === 0 ? null : joined.at(-1)!
    return new Int16Array(joined.buffer, 0, joined.length >> 1)
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
    void this.#reader?.return?.()
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
