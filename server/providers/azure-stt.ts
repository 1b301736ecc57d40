/**
 * Azure Speech as recogniser: one continuous recognition per call.
 *
 *   push(pcm) ─► azure-audio: what can be heard ─► push stream ─► websocket ─► recognizing / recognized ─► events
 *
 * Facts this file is built around: the SDK's "started" callback fires also when the connection failed, so a timer waits
 * for sessionStarted; a stop may wait for ever, so close() does not wait. Azure finds utterances by itself: VAD hints are ignored.
 */
import type {
  AudioConfig,
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
import { AzureAudio, TICK_MS, type AudioTally, type SilencePolicy } from './azure-audio.ts'
import { PreparedSessions } from './prepared-sessions.ts'
import { STT_RATE_HZ } from './stt.ts'
import type {
  FrameSound,
  SttEvents,
  SttOptions,
  SttProvider,
  SttRateHz,
  SttSession,
  Transcript,
} from './stt.ts'

/** A connection takes 0.1…0.4 s; audio waits for it, so that a late one costs time, not words. */
const CONNECT_MS = 2_000
/** The service moves sessions after about 10 minutes. */
const SESSION_MS = 8 * 60_000
/** A connection that breaks in mid-stream is opened again by the SDK, which keeps the place; once. */
const SDK_RETRIES = 1
/** The service tells ten languages apart. */
const LANGUAGES_MAX = 10

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

export interface AzureSttLimits {
  /** Default 2 000. */
  connectMs: number
  /** Default `held`. */
  silence: SilencePolicy
  /** At which rate it hears a telephone line; default `line`: 8 kHz. Wider ones are 16 kHz. */
  rate: 'line' | 16_000
  /** Told once a second and session, and at its end. */
  onAudio: AudioTally
}

export class AzureStt implements SttProvider {
  readonly name = 'azure'
  readonly maxSessionMs = SESSION_MS
  readonly #account: AzureAccount
  readonly #limits: AzureSttLimits
  readonly #sessions = new Set<AzureSttSession>()
  /** For calls that ring. */
  readonly #prepared = new PreparedSessions<AzureSttSession>('azureSttPreparations')

  constructor(account: AzureAccount, limits: Partial<AzureSttLimits> = {}) {
    this.#account = account
    this.#limits = {
      ...{ connectMs: CONNECT_MS, silence: 'held', rate: 'line', onAudio: () => undefined },
      ...limits,
    }
  }

  rateFor(lineRateHz: number): SttRateHz {
    return lineRateHz <= 8_000 && this.#limits.rate === 'line' ? 8_000 : STT_RATE_HZ
  }

  async warm(): Promise<void> {
    await loadAzureSdk()
  }

  /** Opens a connection, and closes it again. */
  async probe(): Promise<void> {
    await this.warm()
    await new Promise<void>((resolve, reject) => {
      const session = this.#start(PROBE, {
        onPartial: () => undefined,
        onFinal: () => undefined,
        onError: reject,
        onConnected: () => {
          session.close()
          resolve()
        },
      })
    })
  }

  prepare(options: Omit<SttOptions, 'callId'>): void {
    this.#prepared.add(keyOf(options), (onGone) =>
      this.#start(
        { ...options, callId: '' },
        {
          onPartial: () => undefined,
          onFinal: () => undefined,
          // The call opens its own, and learns the reason from that.
          onError: onGone,
          onConnected: () => undefined,
        },
      ),
    )
  }

  open(options: SttOptions, events: SttEvents): SttSession {
    const ready = this.#prepared.take(keyOf(options))
    if (ready === undefined)
      return this.#start(options, { ...events, onConnected: () => undefined })
    ready.adopt(events)
    return ready
  }

  #start(options: SttOptions, events: SttEvents & { onConnected(): void }): AzureSttSession {
    const session = new AzureSttSession(this.#account, options, {
      onPartial: (transcript) => events.onPartial(transcript),
      onFinal: (transcript) => events.onFinal(transcript),
      onError: (error) => events.onError(error),
      onConnected: () => events.onConnected(),
      limits: this.#limits,
      onClosed: () => this.#sessions.delete(session),
    })
    this.#sessions.add(session)
    session.start()
    return session
  }

  async close(): Promise<void> {
    this.#prepared.close()
    for (const session of [...this.#sessions]) session.close()
  }
}

const PROBE: SttOptions = {
  callId: '',
  language: 'es-MX',
  phrases: [],
  segmentationSilenceMs: 500,
  initialSilenceMs: 5_000,
}

/** Sessions of one key are alike. */
function keyOf(options: Omit<SttOptions, 'callId'>): string {
  const { language, languages, phrases, profanity, rateHz = STT_RATE_HZ } = options
  const { segmentationSilenceMs, initialSilenceMs } = options
  const silences = [segmentationSilenceMs, initialSilenceMs]
  return JSON.stringify([rateHz, language, languages, phrases, profanity, silences])
}

interface SessionEvents extends SttEvents {
  limits: AzureSttLimits
  onConnected(): void
  onClosed(): void
}

class AzureSttSession implements SttSession {
  readonly #account: AzureAccount
  readonly #options: SttOptions
  readonly #rateHz: SttRateHz
  #events: SessionEvents
  readonly #audio: AzureAudio
  #stream: PushAudioInputStream | null = null
  #recognizer: SpeechRecognizer | null = null
  #connectTimer: NodeJS.Timeout | null = null
  #ticks: NodeJS.Timeout | null = null
  #closed = false

  constructor(account: AzureAccount, options: SttOptions, events: SessionEvents) {
    this.#account = account
    this.#options = options
    this.#rateHz = options.rateHz ?? STT_RATE_HZ
    this.#events = events
    const { silence, onAudio: tally } = events.limits
    const segmentationSilenceMs = segmentationMs(options)
    this.#audio = new AzureAudio({
      ...{ rateHz: this.#rateHz, silence, segmentationSilenceMs, tally },
    })
  }

  start(): void {
    loadAzureSdk().then(
      (sdk) => this.#begin(sdk),
      (error: unknown) => this.#fail(new ProviderError('STT_UNAVAILABLE', errorText(error))),
    )
  }

  /** A call takes over a session that was opened while it rang. */
  adopt(events: SttEvents): void {
    this.#events = {
      ...this.#events,
      onPartial: (transcript) => events.onPartial(transcript),
      onFinal: (transcript) => events.onFinal(transcript),
      onError: (error) => events.onError(error),
    }
  }

  push(pcm: Int16Array, atMs: number, sound?: FrameSound): void {
    if (!this.#closed) this.#audio.push(pcm, atMs, sound)
  }

  get sentMs(): number {
    return this.#audio.sentMs
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
    if (this.#ticks !== null) clearInterval(this.#ticks)
    this.#audio.close()
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
      const format = sdk.AudioStreamFormat.getWaveFormatPCM(this.#rateHz, 16, 1)
      const stream = sdk.AudioInputStream.createPushStream(format)
      const recognizer = this.#build(sdk, sdk.AudioConfig.fromStreamInput(stream))
      this.#recognizer = recognizer
      this.#stream = stream
      if (this.#options.phrases.length > 0) {
        sdk.PhraseListGrammar.fromRecognizer(recognizer).addPhrases(this.#options.phrases)
      }
      this.#listen(sdk, recognizer)
      this.#audio.attach(stream)
      const { connectMs } = this.#events.limits
      this.#connectTimer = setTimeout(() => {
        const text = `Azure Speech did not connect within ${connectMs} ms`
        this.#fail(new ProviderError('STT_TIMEOUT', text, { retryable: true }))
      }, connectMs)
      this.#ticks = setInterval(() => this.#audio.tick(), TICK_MS)
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

  /** With further languages the service says of each utterance which of them it was. */
  #build(sdk: AzureSdk, audio: AudioConfig): SpeechRecognizer {
    const { language, languages = [] } = this.#options
    const all = [...new Set([language, ...languages])].slice(0, LANGUAGES_MAX)
    if (all.length === 1) return new sdk.SpeechRecognizer(this.#config(sdk), audio)
    const detection = sdk.AutoDetectSourceLanguageConfig.fromLanguages(all)
    detection.mode = sdk.LanguageIdMode.Continuous
    return sdk.SpeechRecognizer.FromConfig(this.#config(sdk), detection, audio)
  }

  #config(sdk: AzureSdk): SpeechConfig {
    const { language, initialSilenceMs, profanity } = this.#options
    const config = azureSpeechConfig(sdk, this.#account)
    const ids = sdk.PropertyId
    config.speechRecognitionLanguage = language
    config.outputFormat = sdk.OutputFormat.Detailed
    config.requestWordLevelTimestamps()
    const { Raw, Masked, Removed } = sdk.ProfanityOption
    config.setProfanity({ raw: Raw, masked: Masked, removed: Removed }[profanity ?? 'raw'])
    // The SDK would open five connections in a row to a service that refuses; whom to ask next is the failover's.
    config.setProperty('SPEECH-Error-MaxRetryCount', String(SDK_RETRIES))
    config.setProperty(
      ids.Speech_SegmentationSilenceTimeoutMs,
      String(segmentationMs(this.#options)),
    )
    config.setProperty(
      ids.SpeechServiceConnection_InitialSilenceTimeoutMs,
      String(initialSilenceMs),
    )
    return config
  }

  #listen(sdk: AzureSdk, recognizer: SpeechRecognizer): void {
    recognizer.sessionStarted = () => {
      if (this.#connectTimer !== null) clearTimeout(this.#connectTimer)
      if (!this.#closed) this.#events.onConnected()
    }
    recognizer.recognizing = (_sender, { result }) => {
      if (this.#closed || !result.text) return
      this.#audio.owes(true)
      this.#events.onPartial(this.#transcript(sdk, result))
    }
    recognizer.recognized = (_sender, { result }) => {
      if (this.#closed) return
      this.#audio.owes(false)
      const transcript = this.#transcript(sdk, result)
      // A phrase without words is an answer, too; a long silence is none.
      const wasSilence = /"RecognitionStatus":\s*"InitialSilenceTimeout"/.test(jsonOf(sdk, result))
      if (!wasSilence) this.#events.onFinal(transcript)
    }
    // The SDK would go on in another turn and send a piece of the audio twice, or in the wrong place: words would double.
    // Heard again from the last final by a new session, none does.
    sdk.Connection.fromRecognizer(recognizer).messageReceived = ({ message }) => {
      if (message.path !== 'turn.end') return
      const text = 'Azure Speech ended the turn in mid-stream'
      this.#fail(new ProviderError('STT_UNAVAILABLE', text, { retryable: true }))
    }
    recognizer.canceled = (_sender, event) => {
      if (event.reason === sdk.CancellationReason.EndOfStream) return
      const { errorCode: code, errorDetails: details } = event
      this.#fail(azureError(sdk, this.#account, { prefix: 'STT', code, details }))
    }
  }

  #transcript(sdk: AzureSdk, result: SpeechRecognitionResult): Transcript {
    const atMs = (ticks: number): number => Math.round(this.#audio.callMs(ticks / TICKS_PER_MS))
    const best = bestOf(jsonOf(sdk, result))
    return {
      text: result.text ?? '',
      language: result.language || this.#options.language,
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

/** Azure takes 100…5 000 ms. */
function segmentationMs({ segmentationSilenceMs }: SttOptions): number {
  return Math.min(5_000, Math.max(100, segmentationSilenceMs))
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
