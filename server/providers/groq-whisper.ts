/**
 * Groq's Whisper: one utterance in, its words out, or null when they are more likely invented than said.
 *
 * Whisper writes something for every sound. Guards, in this order: nothing but signs; a phrase that it is known to
 * write for noise; its own doubt (no_speech_prob, avg_logprob, compression_ratio, as in OpenAI's reference decoder);
 * more text than anybody says in that time. The SDK's retries are off: a late second hearing is worth nothing.
 */
import Groq, { toFile } from 'groq-sdk'
import { z } from 'zod'
import { pcmWav } from '../media/pcm-wav.ts'
import { ProviderError } from '../errors.ts'
import { groqError } from './groq-llm.ts'
import type { SecondHearingModel, SttRateHz } from './stt.ts'

/** What a second hearing needs of a transcriber. */
export interface SecondEars {
  readonly name: string
  /** Asks whether the service works. @throws ProviderError */
  warm(): Promise<void>
  /** @returns the words, or null when they cannot be trusted. @throws ProviderError */
  transcribe(utterance: SpokenUtterance, signal: AbortSignal): Promise<string | null>
}

export interface SpokenUtterance {
  /** Mono. */
  pcm: Int16Array
  rateHz: SttRateHz
  /** BCP 47; null: to be found out. */
  language: string | null
  model: SecondHearingModel
}

/** It is of no use after the turn; Groq needs 0.15…0.4 s for an utterance. */
const TIMEOUT_MS = 2_000
const WARM_MS = 10_000
/** OpenAI's reference values for "no speech" and "lost". */
const NO_SPEECH = 0.6
const LEAST_LOGPROB = -1
const MOST_COMPRESSION = 2.4
/** The fastest speech has about 25 characters a second; one short word may be quicker than its own clock. */
const CHARACTERS_PER_SEC = 25
const SPARE_CHARACTERS = 12

/** What Whisper writes for noise and music, without case and signs: credits of the films it was trained on. */
const INVENTED = new Set([
  ...['gracias por ver el video', 'gracias por ver', 'gracias por su atención', 'suscríbete'],
  ...['suscríbete al canal', 'no olvides suscribirte', 'hasta la próxima', 'música', 'aplausos'],
  ...[
    'subtítulos realizados por la comunidad de amara org',
    'subtítulos por la comunidad de amara org',
  ],
  ...[
    'subtitulado por la comunidad de amara org',
    'amara org',
    'más información www alimmenta com',
  ],
  ...['thanks for watching', 'thank you for watching', 'please subscribe', 'subscribe', 'music'],
  ...['applause', 'you', 'subtitles by the amara org community', 'bye bye'],
])

const answerShape = z.object({
  text: z.string(),
  segments: z
    .array(
      z.object({
        no_speech_prob: z.number().catch(0),
        avg_logprob: z.number().catch(0),
        compression_ratio: z.number().catch(1),
      }),
    )
    .nullish()
    .catch(null),
})
export type WhisperAnswer = z.infer<typeof answerShape>

export class GroqWhisper implements SecondEars {
  readonly name = 'groq-whisper'
  readonly #apiKey: string
  readonly #groq: Groq

  constructor(options: { apiKey: string; baseUrl: string | null }) {
    const baseURL = options.baseUrl?.replace(/\/openai\/v1\/?$/, '')
    this.#apiKey = options.apiKey
    this.#groq = new Groq({
      apiKey: options.apiKey,
      maxRetries: 0,
      // It would print what was said, past our log, and with GROQ_LOG=debug every request.
      logLevel: 'off',
      ...(baseURL === undefined ? {} : { baseURL }),
    })
  }

  async warm(): Promise<void> {
    try {
      await this.#groq.models.list({ timeout: WARM_MS })
    } catch (error) {
      throw hearingError(error, this.#apiKey)
    }
  }

  async transcribe(
    { pcm, rateHz, language, model }: SpokenUtterance,
    signal: AbortSignal,
  ): Promise<string | null> {
    // A controller per request: the SDK leaves its listener on a signal that lives longer.
    const controller = new AbortController()
    const abort = (): void => controller.abort()
    signal.addEventListener('abort', abort, { once: true })
    // The SDK's own time-out ends with the head of the answer.
    const timer = setTimeout(abort, TIMEOUT_MS)
    try {
      const answer: unknown = await this.#groq.audio.transcriptions.create(
        {
          file: await toFile(pcmWav(pcm, rateHz), 'utterance.wav', { type: 'audio/wav' }),
          model,
          ...(language === null ? {} : { language: language.slice(0, 2).toLowerCase() }),
          response_format: 'verbose_json',
          temperature: 0,
        },
        { signal: controller.signal, timeout: TIMEOUT_MS },
      )
      return trusted(read(answer), (pcm.length * 1_000) / rateHz)
    } catch (error) {
      throw hearingError(error, this.#apiKey)
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    }
  }
}

function read(answer: unknown): WhisperAnswer {
  const parsed = answerShape.safeParse(answer)
  if (parsed.success) return parsed.data
  throw new ProviderError('STT_BAD_RESPONSE', "Groq's transcription has an unknown shape", {
    cause: parsed.error,
  })
}

/** The words of an answer about `durationMs` of audio, or null when they are more likely invented. */
export function trusted({ text, segments }: WhisperAnswer, durationMs: number): string | null {
  const said = text.trim()
  const plain = said
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
  if (plain === '' || INVENTED.has(plain)) return null
  const isDoubted = (segments ?? []).some(
    (one) =>
      one.no_speech_prob > NO_SPEECH ||
      one.avg_logprob < LEAST_LOGPROB ||
      one.compression_ratio > MOST_COMPRESSION,
  )
  const most = SPARE_CHARACTERS + (durationMs / 1_000) * CHARACTERS_PER_SEC
  return isDoubted || said.length > most ? null : said
}

/** The same failures as of the language model, under the recogniser's name. */
function hearingError(error: unknown, apiKey: string): ProviderError {
  const { code, message, retryable, cause } = groqError(error, apiKey)
  return new ProviderError(code.replace(/^LLM/, 'STT'), message, { retryable, cause })
}
