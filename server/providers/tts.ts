/** Text to speech: the interface of every voice. */

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
}

export type TtsEvent =
  /** Mono PCM at the provider's `sampleRateHz`, any length. The receiver owns the array. */
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
  readonly sampleRateHz: 8_000 | 16_000 | 22_050 | 24_000 | 48_000
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
   * moment to get a connection ready. Default: false.
   */
  streamsText?(voice: Voice): boolean
  /**
   * Like synthesize(), but audio may come before the text has ended. Only where streamsText() is true; a service that does not
   * take it after all is the provider's to deal with: the text is spoken once it is whole.
   */
  synthesizeStream?(request: TtsStreamRequest, signal: AbortSignal): AsyncIterable<TtsEvent>
  close(): Promise<void>
}
