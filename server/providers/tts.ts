/**
 * Text to speech: the interface of every voice.
 *
 *   line of 8 kHz ─► rateFor() once a call ─► every request says the rate ─► audio at that rate, which the lane takes as it is
 */

/** Those that the audio core takes. */
export type TtsRateHz = 8_000 | 16_000 | 22_050 | 24_000 | 48_000

export interface Voice {
  /** The provider's voice id, e.g. `es-MX-DaliaNeural`; providers map unknown ids to their default for the language. */
  name: string
  /** BCP 47. */
  language: string
  style: string | null
  /** 0.5…2, 1 is normal. */
  speed: number
  /** How strong the style is, 0.01…2; absent: 1. Voices without styles ignore it. */
  styleDegree?: number
  /** Shift in percent, -50…50; absent: 0. */
  pitch?: number
  /** Change in percent, -50…50; absent: 0. */
  volume?: number
}

export interface TtsRequest {
  callId: string
  /** Plain text, already speakable: no markdown, no control tokens. */
  text: string
  voice: Voice
  /** One that rateFor() gave; the provider's `sampleRateHz` unless said. */
  rateHz?: TtsRateHz | undefined
}

/** A text that is still being written; GrowingText is one. Each loop over it begins at its beginning. */
export interface TextStream extends AsyncIterable<string> {
  /** What there is so far: it only grows. */
  readonly text: string
  readonly ended: boolean
  /** The text once it has ended. Never rejects. */
  whole(): Promise<string>
}

export interface TtsStreamRequest {
  callId: string
  /** Speakable like TtsRequest's; whole words, each with the space behind it. Always ends, also when it is given up. */
  text: TextStream
  voice: Voice
  /** As in TtsRequest. */
  rateHz?: TtsRateHz | undefined
}

export type TtsEvent =
  /** Mono PCM at the request's rate, any length. Nobody writes to the array: it may be held for other calls as well. */
  | { kind: 'audio'; pcm: Int16Array }
  /** A word begins `offsetMs` into this request's audio; `textOffset` is its index in `text` (-1 unknown). */
  | { kind: 'word'; text: string; offsetMs: number; textOffset: number }

/** What a service charges for a request. */
export interface BilledSpeech {
  /** With the markup, where the service counts it. */
  characters: number
  /** At the price of its better voices. */
  isHd: boolean
}

export interface VoiceInfo {
  name: string
  label: string
  language: string
  gender: 'female' | 'male' | 'neutral'
  styles: string[]
}

export interface TtsProvider {
  readonly name: string
  /** What it speaks at unless a request says otherwise. */
  readonly sampleRateHz: TtsRateHz
  /** What to ask of it for a line of this rate: no lower than the line's where it has that. Default: `sampleRateHz`. */
  rateFor?(lineRateHz: number): TtsRateHz
  warm(): Promise<void>
  voices(): Promise<VoiceInfo[]>
  /** Asks the service whether it works again, as cheaply as it can. Default: warm(). @throws ProviderError */
  probe?(): Promise<void>
  /** True when the audio of this request lies ready: it plays even while the service is out. */
  holds?(request: TtsRequest): boolean
  /** What the service charges for this request; `isStreamed`: for synthesizeStream(). Default: the characters of its text. */
  billed?(request: TtsRequest & { isStreamed?: true }): BilledSpeech
  /**
   * Streams the speech of one sentence, first audio as soon as it exists. When `signal` aborts, the iterable ends at once.
   * @throws ProviderError (TTS_UNAVAILABLE, TTS_TIMEOUT, TTS_BAD_RESPONSE).
   */
  synthesize(request: TtsRequest, signal: AbortSignal): AsyncIterable<TtsEvent>
  /**
   * True when this voice takes a text while it is being written. Asked at the beginning of every turn of the agent: the
   * moment to get a connection ready, at the rate of the requests that will follow. Default: false.
   */
  streamsText?(voice: Voice, rateHz?: TtsRateHz): boolean
  /**
   * Like synthesize(), but audio may come before the text has ended. Only where streamsText() is true; a service that does not
   * take it after all is the provider's to deal with: the text is spoken once it is whole.
   */
  synthesizeStream?(request: TtsStreamRequest, signal: AbortSignal): AsyncIterable<TtsEvent>
  close(): Promise<void>
}

/** A voice at one rate, that of its `sampleRateHz`: what a call speaks with. */
export type LineVoice = Pick<
  TtsProvider,
  'name' | 'sampleRateHz' | 'streamsText' | 'synthesize' | 'synthesizeStream'
>

/** The rate at which a voice speaks to a line of this rate. */
export function rateOf(tts: TtsProvider, lineRateHz: number): TtsRateHz {
  return tts.rateFor?.(lineRateHz) ?? tts.sampleRateHz
}

/** The voice for one line: every request asks for the rate that suits it. */
export function voiceFor(tts: TtsProvider, lineRateHz: number): LineVoice {
  const rateHz = rateOf(tts, lineRateHz)
  return {
    get name() {
      return tts.name
    },
    sampleRateHz: rateHz,
    streamsText: (voice) => tts.streamsText?.(voice, rateHz) ?? false,
    synthesize: (request, signal) => tts.synthesize({ ...request, rateHz }, signal),
    synthesizeStream: (request, signal) => tts.synthesizeStream!({ ...request, rateHz }, signal),
  }
}
