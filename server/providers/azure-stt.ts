/**
 * Azure Speech as recogniser: one continuous recognition per call.
 *
 *   push(pcm) ─► push stream (the SDK sends 100 ms at a time) ─► websocket ─► recognizing / recognized ─► events
 *
 * Facts this file is built around: the SDK's "started" callback fires also when the connection failed, so a timer waits
 * for sessionStarted; a stop may wait for ever, so close() does not wait; written buffers must be ArrayBuffers of exactly
 * the audio. Azure finds utterances by itself: VAD hints are ignored.
 */
import type {
  PushAudioInputStream,
  SpeechConfig,
  SpeechRecognitionResult,
  SpeechRecognizer,
} from 'microsoft-cognitiveservices-speech-sdk'
import { z } from 'zod'
import { ProviderError, errorText } from '../errors.ts'
import {
  TICKS_PER_MS,
  azureError,
  azureSpeechConfig,
  loadAzureSdk,
  withoutKey,
} from './azure-sdk.ts'
import type { AzureAccount, AzureSdk } from './azure-sdk.ts'
import { BoundedQueue } from './bounded-queue.ts'
import { STT_RATE_HZ } from './stt.ts'
import type { SttEvents, SttOptions, SttProvider, SttSession, Transcript } from './stt.ts'

const CONNECT_MS = 8_000
/** Frames kept while the SDK is loading, before the first call only: 5 s. */
const EARLY_FRAMES = 250

const detailed = z.object({
  RecognitionStatus: z.string().optional(),
  NBest: z
    .array(
      z.object({
        Confidence: z.number().optional(),
        Words: z
          .array(z.object({ Word: z.string(), Offset: z.number(), Duration: z.number() }))
          .optional(),
      }),
    )
    .optional(),
})

export class AzureStt implements SttProvider {
  readonly name = 'azure'
  readonly #account: AzureAccount
  readonly #connectMs: number
  readonly #sessions = new Set<AzureSttSession>()

  constructor(account: AzureAccount, limits: { connectMs: number } = { connectMs: CONNECT_MS }) {
    this.#account = account
    this.#connectMs = limits.connectMs
  }

  async warm(): Promise<void> {
    await loadAzureSdk()
  }

  open(options: SttOptions, events: SttEvents): SttSession {
    const session = new AzureSttSession(this.#account, options, {
      ...events,
      connectMs: this.#connectMs,
      onClosed: () => this.#sessions.delete(session),
    })
    this.#sessions.add(session)
    session.start()
    return session
  }

  async close(): Promise<void> {
    for (const session of [...this.#sessions]) session.close()
  }
}

interface SessionEvents extends SttEvents {
  connectMs: number
  onClosed(): void
}

class AzureSttSession implements SttSession {
  readonly #account: AzureAccount
  readonly #options: SttOptions
  readonly #events: SessionEvents
  readonly #early = new BoundedQueue<ArrayBuffer>('azureSttEarlyFrames', EARLY_FRAMES)
  #stream: PushAudioInputStream | null = null
  #recognizer: SpeechRecognizer | null = null
  #connectTimer: NodeJS.Timeout | null = null
  /** Audio time of the first sample pushed; Azure counts from there. */
  #originMs: number | null = null
  #closed = false

  constructor(account: AzureAccount, options: SttOptions, events: SessionEvents) {
    this.#account = account
    this.#options = options
    this.#events = events
  }

  start(): void {
    loadAzureSdk().then(
      (sdk) => this.#begin(sdk),
      (error: unknown) => this.#fail(new ProviderError('STT_UNAVAILABLE', errorText(error))),
    )
  }

  push(pcm: Int16Array, atMs: number): void {
    if (this.#closed) return
    this.#originMs ??= atMs
    const exact = pcm.slice().buffer
    if (this.#stream === null) this.#early.push(exact)
    else this.#stream.write(exact)
  }

  speechStarted(): void {
    // Azure finds the beginning of speech by itself.
  }

  speechEnded(): void {
    // And its end.
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#connectTimer !== null) clearTimeout(this.#connectTimer)
    this.#early.takeAll()
    const recognizer = this.#recognizer
    this.#recognizer = null
    this.#events.onClosed()
    if (recognizer === null) return
    recognizer.recognizing = undefined as never
    recognizer.recognized = undefined as never
    recognizer.canceled = undefined as never
    this.#stream?.close()
    // Not stopContinuousRecognition: it waits for the service, without limit.
    recognizer.close()
  }

  #begin(sdk: AzureSdk): void {
    if (this.#closed) return
    try {
      const format = sdk.AudioStreamFormat.getWaveFormatPCM(STT_RATE_HZ, 16, 1)
      const stream = sdk.AudioInputStream.createPushStream(format)
      const recognizer = new sdk.SpeechRecognizer(
        this.#config(sdk),
        sdk.AudioConfig.fromStreamInput(stream),
      )
      this.#recognizer = recognizer
      this.#stream = stream
      if (this.#options.phrases.length > 0) {
        sdk.PhraseListGrammar.fromRecognizer(recognizer).addPhrases(this.#options.phrases)
      }
      this.#listen(sdk, recognizer)
      for (const exact of this.#early.takeAll()) stream.write(exact)
      this.#connectTimer = setTimeout(() => {
        const text = `Azure Speech did not connect within ${this.#events.connectMs} ms`
        this.#fail(new ProviderError('STT_TIMEOUT', text, { retryable: true }))
      }, this.#events.connectMs)
      recognizer.startContinuousRecognitionAsync(undefined, (error) => this.#startFailed(error))
    } catch (error) {
      this.#startFailed(errorText(error))
    }
  }

  #startFailed(details: string): void {
    this.#fail(
      new ProviderError('STT_UNAVAILABLE', `Azure Speech: ${withoutKey(details, this.#account)}`, {
        retryable: true,
      }),
    )
  }

  #config(sdk: AzureSdk): SpeechConfig {
    const { language, segmentationSilenceMs, initialSilenceMs } = this.#options
    const config = azureSpeechConfig(sdk, this.#account)
    const ids = sdk.PropertyId
    config.speechRecognitionLanguage = language
    config.outputFormat = sdk.OutputFormat.Detailed
    config.requestWordLevelTimestamps()
    // Azure takes 100…5 000 ms.
    const silenceMs = Math.min(5_000, Math.max(100, segmentationSilenceMs))
    config.setProperty(ids.Speech_SegmentationSilenceTimeoutMs, String(silenceMs))
    config.setProperty(
      ids.SpeechServiceConnection_InitialSilenceTimeoutMs,
      String(initialSilenceMs),
    )
    return config
  }

  #listen(sdk: AzureSdk, recognizer: SpeechRecognizer): void {
    recognizer.sessionStarted = () => {
      if (this.#connectTimer !== null) clearTimeout(this.#connectTimer)
    }
    recognizer.recognizing = (_sender, { result }) => {
      if (!this.#closed && result.text) this.#events.onPartial(this.#transcript(sdk, result))
    }
    recognizer.recognized = (_sender, { result }) => {
      if (this.#closed) return
      const transcript = this.#transcript(sdk, result)
      // A phrase without words is an answer, too; a long silence is none.
      const wasSilence = /"RecognitionStatus":\s*"InitialSilenceTimeout"/.test(jsonOf(sdk, result))
      if (!wasSilence) this.#events.onFinal(transcript)
    }
    recognizer.canceled = (_sender, event) => {
      if (event.reason === sdk.CancellationReason.EndOfStream) return
      const { errorCode: code, errorDetails: details } = event
      this.#fail(azureError(sdk, this.#account, { prefix: 'STT', code, details }))
    }
  }

  #transcript(sdk: AzureSdk, result: SpeechRecognitionResult): Transcript {
    const originMs = this.#originMs ?? 0
    const atMs = (ticks: number): number => Math.round(originMs + ticks / TICKS_PER_MS)
    const best = bestOf(jsonOf(sdk, result))
    return {
      text: result.text ?? '',
      language: this.#options.language,
      startMs: atMs(result.offset),
      endMs: atMs(result.offset + result.duration),
      confidence: best?.Confidence ?? null,
      words: (best?.Words ?? []).map((word) => ({
        text: word.Word,
        startMs: atMs(word.Offset),
        endMs: atMs(word.Offset + word.Duration),
      })),
    }
  }

  #fail(error: ProviderError): void {
    if (this.#closed) return
    this.close()
    this.#events.onError(error)
  }
}

function jsonOf(sdk: AzureSdk, result: SpeechRecognitionResult): string {
  return result.properties?.getProperty(sdk.PropertyId.SpeechServiceResponse_JsonResult) ?? ''
}

/** The best reading with its confidence and word times; null where the service gave none. */
function bestOf(json: string) {
  if (json === '') return null
  try {
    return detailed.parse(JSON.parse(json)).NBest?.[0] ?? null
  } catch {
    // The text is good without them; a changed format must not cost the transcript.
    return null
  }
}
