/**
 * Speech to text: the interface every recogniser implements. Audio is mono PCM; all times are audio time of the call in ms
 * (0 = first sample of the user's stream).
 *
 *   line of 8 kHz ─► recogniserFor() once a call ─► its rate ─► the audio core makes it ─► every recogniser of the call takes it
 */
import type { ProviderError } from '../errors.ts'

/** Those that the audio core makes. Every recogniser takes both. */
export type SttRateHz = 8_000 | 16_000

/** Of audio about which nothing else is said. */
export const STT_RATE_HZ = 16_000

export interface TranscriptWord {
  text: string
  startMs: number
  endMs: number
}

export interface Transcript {
  text: string
  /** BCP 47, e.g. `es-MX`. */
  language: string
  startMs: number
  endMs: number
  /** 0…1, or null where the recogniser does not say. */
  confidence: number | null
  words: TranscriptWord[]
}

export type SecondHearingModel = 'whisper-large-v3-turbo' | 'whisper-large-v3'

export interface SttOptions {
  callId: string
  /** Of what will be pushed: 16 kHz unless said. */
  rateHz?: SttRateHz | undefined
  /** BCP 47, the profile's language. */
  language: string
  /** Others that may be spoken, told apart by recognisers that can; absent or empty: only `language`. */
  languages?: readonly string[]
  /** Words to favour: names, products. Ignored by recognisers that cannot. */
  phrases: string[]
  /** Silence that ends a phrase inside the recogniser, ms. */
  segmentationSilenceMs: number
  initialSilenceMs: number
  /** What becomes of swear words; absent: as spoken. Ignored by recognisers that cannot. */
  profanity?: 'raw' | 'masked' | 'removed'
  /** Whether, and by which model, each utterance is heard once more; absent: off. */
  secondHearing?: 'off' | SecondHearingModel
}

/** Called by the session; each handler must return quickly and never throw. */
export interface SttEvents {
  /** May still change; `text` is the whole utterance so far. */
  onPartial(transcript: Transcript): void
  /** Will not change. Exactly one per utterance that held words; empty text when none were found. */
  onFinal(transcript: Transcript): void
  /** The session is unusable after a non-retryable error. */
  onError(error: ProviderError): void
}

/** What the audio core found in a frame; whoever is given one reads it at once, the object is used again. */
export interface FrameSound {
  /** RMS, −90…0. */
  levelDbfs: number
  /** Of speech, 0…1, of this frame alone. */
  probability: number
  /** Speech, after onset and hangover. */
  speech: boolean
}

export interface SttSession {
  /**
   * Samples are copied; the caller may reuse the array. `atMs` is the audio time of the first sample. `sound`: of a frame of
   * 20 ms; a recogniser that is paid by the second may hold back what cannot be heard. Absent (audio that is heard again):
   * nothing is known, nothing is held.
   */
  push(pcm: Int16Array, atMs: number, sound?: FrameSound): void
  /** Audio that was sent to the service, ms, which is what it bills. Absent: all that was pushed. */
  readonly sentMs?: number
  /** VAD hints. Recognisers that segment by themselves (Azure) may ignore them; the embedded one lives by them. */
  speechStarted(atMs: number): void
  speechEnded(atMs: number): void
  /** Idempotent; returns at once, no event follows. */
  close(): void
}

export interface SttProvider {
  readonly name: string
  /** What it is best given of a line of this rate. Default: 16 kHz. */
  rateFor?(lineRateHz: number): SttRateHz
  /** Loads models or opens connections ahead of the first call. Idempotent. */
  warm(): Promise<void>
  /** Asks the service whether it works again. Default: warm(). @throws ProviderError */
  probe?(): Promise<void>
  /** A session is worth renewing before it is this old, ms; services end them. Absent: never, and silence is trusted. */
  readonly maxSessionMs?: number
  /** Opens a connection for a call that is still ringing; open() with the same options takes it. Never throws. */
  prepare?(options: Omit<SttOptions, 'callId'>): void
  open(options: SttOptions, events: SttEvents): SttSession
  close(): Promise<void>
}

/** A recogniser at one rate: what a call is heard by. */
export interface LineRecogniser {
  readonly rateHz: SttRateHz
  prepare(options: Omit<SttOptions, 'callId'>): void
  open(options: SttOptions, events: SttEvents): SttSession
}

/** The recogniser for one line: all that it opens is given audio at the rate that suits the line. */
export function recogniserFor(stt: SttProvider, lineRateHz: number): LineRecogniser {
  const rateHz = sttRateOf(stt, lineRateHz)
  return {
    rateHz,
    prepare: (options) => stt.prepare?.({ ...options, rateHz }),
    open: (options, events) => stt.open({ ...options, rateHz }, events),
  }
}

/** The rate at which a recogniser hears a line of this rate. */
export function sttRateOf(stt: SttProvider, lineRateHz: number): SttRateHz {
  return stt.rateFor?.(lineRateHz) ?? STT_RATE_HZ
}
