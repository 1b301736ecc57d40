/**
 * Groq as language model, through groq-sdk.
 *
 * The SDK makes the request and names what is refused; event-stream-client.ts carries it, and answer-stream.ts reads the answer.
 * What the SDK does not do, and this file does: its time-out ends with the head of the response (we guard the tokens); its retries
 * sleep for as long as the server says and do not notice an abort (we set none); a long-lived signal gathers listeners (a controller
 * per request).
 *
 * Groq retires models: warm() reads the list of those that the account has; one that is not on it, or gone (404), is
 * replaced by FALLBACK_MODEL.
 */
import Groq from 'groq-sdk'
import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'groq-sdk/error'
import type { ChatCompletionCreateParamsStreaming } from 'groq-sdk/resources/chat/completions'
import { OVER, ProviderError, errorText } from '../errors.ts'
import { readAnswer } from './answer-stream.ts'
import { requestBody, stallError, statusError } from './chat-completion.ts'
import { EventStreamClient } from './event-stream-client.ts'
import type { LlmEvent, LlmProvider, LlmRequest } from './llm.ts'
import { StallGuard } from './stall-guard.ts'
import type { StallLimits } from './stall-guard.ts'
import { errorWithoutSecret } from './without-secret.ts'

export const FALLBACK_MODEL = 'openai/gpt-oss-120b'

const PREFERRED_MODELS = ['llama-3.3-70b-versatile', FALLBACK_MODEL]
/** Groq lists ears, voices and guards among its models. */
const OTHER_MODELS = /whisper|tts|orpheus|guard/i

export interface GroqLlmOptions {
  apiKey: string
  /** Without /openai/v1, which the SDK adds itself; null is Groq. */
  baseUrl: string | null
  limits?: Partial<GroqLimits>
  /** Told once for each model that is gone. */
  onModelGone?(model: string, fallback: string): void
}

export interface GroqLimits extends StallLimits {
  /** To the head of the answer. Groq sends it with the first token, or before. */
  connectMs: number
}

/** Groq's first token takes 0.2…0.5 s; three times the worst day's is a fault. */
const DEFAULT_LIMITS: GroqLimits = { connectMs: 2_500, firstMs: 3_000, gapMs: 2_500 }
const WARM_MS = 10_000

export class GroqLlm implements LlmProvider {
  readonly name = 'groq'
  readonly scripted = false
  readonly #apiKey: string
  readonly #client = new EventStreamClient()
  readonly #groq: Groq
  readonly #limits: GroqLimits
  readonly #onModelGone: (model: string, fallback: string) => void
  readonly #gone = new Set<string>()
  /** Empty until the list was read. */
  #offered = new Set<string>()
  #rate: RateLimits | null = null

  constructor(options: GroqLlmOptions) {
    const baseURL = options.baseUrl?.replace(/\/openai\/v1\/?$/, '')
    this.#apiKey = options.apiKey
    this.#groq = new Groq({
      apiKey: options.apiKey,
      maxRetries: 0,
      // It would print what was said, past our log, and with GROQ_LOG=debug every request.
      logLevel: 'off',
      fetch: this.#client.fetch,
      ...(baseURL === undefined ? {} : { baseURL }),
    })
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.#onModelGone = options.onModelGone ?? (() => undefined)
  }

  /**
   * Opens a connection, checks the key and reads which models the account has.
   * @throws ProviderError LLM_UNAVAILABLE when Groq is out of reach or refuses the key.
   */
  async warm(): Promise<void> {
    try {
      const { data } = await this.#groq.models.list({ timeout: WARM_MS })
      this.#offered = new Set(data.map(({ id }) => id))
      // A model may have come back: the list decides from here on.
      this.#gone.clear()
    } catch (error) {
      throw groqError(error, this.#apiKey)
    }
  }

  async *stream(request: LlmRequest, signal: AbortSignal): AsyncIterable<LlmEvent> {
    let current = request
    for (let attempt = 0; ; attempt += 1) {
      if (signal.aborted) return
      const model = this.modelFor(current.model)
      let begun = false
      try {
        for await (const event of this.#answer({ ...current, model }, signal)) {
          begun = true
          yield event
        }
        return
      } catch (error) {
        if (signal.aborted) return
        this.#noteLimits(error)
        const failure = groqError(error, this.#apiKey)
        if (begun || attempt >= 2) throw failure
        if (failure.code === 'LLM_MODEL_GONE' && model !== FALLBACK_MODEL) {
          this.#leave(model)
        } else if (isToolUseFailure(error) && current.tools.length > 0) {
          // The model wrote a tool call that Groq could not read; without tools it answers in words.
          current = { ...current, tools: [] }
        } else if (attempt > 0 || !isBrokenConnection(error)) throw failure
      }
    }
  }

  /** Says now, not at the first answer, when the list that warm() read lacks this model. */
  checkModel(model: string): void {
    this.modelFor(model)
  }

  /**
   * Models of the account that can answer, by the list that warm() read; empty before it. The original's default leads
   * where the account has it, else its replacement.
   */
  get models(): string[] {
    const preferred = PREFERRED_MODELS.filter((id) => this.#offered.has(id))
    const others = [...this.#offered].filter(
      (id) => !PREFERRED_MODELS.includes(id) && !OTHER_MODELS.test(id),
    )
    return [...preferred, ...others.sort((a, b) => a.localeCompare(b))]
  }

  /** What the last answer said about this account's limits; null before the first. */
  get rateLimits(): RateLimits | null {
    return this.#rate
  }

  /** A refusal says most about the limits: it carries the same headers. */
  #noteLimits(error: unknown): void {
    if (error instanceof APIError && error.headers !== undefined)
      this.#rate = rateLimitsOf(error.headers) ?? this.#rate
  }

  /** `wanted`, or what answers instead of one that is gone. */
  modelFor(wanted: string): string {
    if (wanted === FALLBACK_MODEL) return wanted
    const isMissing = this.#offered.size > 0 && !this.#offered.has(wanted)
    if (isMissing && !this.#gone.has(wanted)) this.#leave(wanted)
    return this.#gone.has(wanted) ? FALLBACK_MODEL : wanted
  }

  #leave(model: string): void {
    this.#gone.add(model)
    this.#onModelGone(model, FALLBACK_MODEL)
  }

  /** Requests under way end with their own signals. */
  async close(): Promise<void> {
    this.#client.close()
  }

  async *#answer(request: LlmRequest, signal: AbortSignal): AsyncIterable<LlmEvent> {
    const controller = new AbortController()
    const abort = (): void => controller.abort(OVER)
    signal.addEventListener('abort', abort, { once: true })
    const guard = new StallGuard(this.#limits, abort)
    try {
      const response = await this.#groq.chat.completions
        .create(groqBody(request), {
          signal: controller.signal,
          timeout: this.#limits.connectMs,
        })
        .asResponse()
      this.#rate = rateLimitsOf(response.headers) ?? this.#rate
      yield* readAnswer(response, guard)
    } catch (error) {
      if (guard.stalled === null) throw error
      throw stallError(guard.stalled, guard.brokenMs)
    } finally {
      guard.stop()
      signal.removeEventListener('abort', abort)
      controller.abort(OVER)
    }
  }
}

export interface RateLimits {
  remainingRequests: number | null
  remainingTokens: number | null
  /** As Groq writes it, e.g. `7.66s`. */
  resetTokens: string | null
}

/** Null where an answer says nothing of them. */
function rateLimitsOf(headers: Headers): RateLimits | null {
  if (!headers.has('x-ratelimit-remaining-tokens')) return null
  const number = (name: string): number | null => {
    const value = Number(headers.get(name) ?? Number.NaN)
    return Number.isFinite(value) ? value : null
  }
  return {
    remainingRequests: number('x-ratelimit-remaining-requests'),
    remainingTokens: number('x-ratelimit-remaining-tokens'),
    resetTokens: headers.get('x-ratelimit-reset-tokens'),
  }
}

/** gpt-oss models think before they answer, and bill it; on the phone as little as possible. */
function groqBody(request: LlmRequest): ChatCompletionCreateParamsStreaming {
  const reasoning = request.model.startsWith('openai/gpt-oss')
    ? { reasoning_effort: 'low', include_reasoning: false }
    : {}
  const body = { ...requestBody(request, request.model), ...reasoning }
  return body as unknown as ChatCompletionCreateParamsStreaming
}

/** `error.error` of an HTTP failure is the whole body `{error: {code, message}}`; inside a stream it is the inner object. */
function errorBody(error: InstanceType<typeof APIError>): { code?: unknown; message?: unknown } {
  const outer = error.error as { error?: object } | undefined
  return outer?.error ?? outer ?? {}
}

/** A kept connection may turn out to be closed when it is used again: a new one is worth the few ms, once. */
function isBrokenConnection(error: unknown): boolean {
  return error instanceof APIConnectionError && !(error instanceof APIConnectionTimeoutError)
}

/** As the answer's status, or in the stream. */
function isToolUseFailure(error: unknown): boolean {
  const body = error instanceof APIError ? errorBody(error) : ((error as Error | null)?.cause ?? {})
  return (body as { code?: unknown }).code === 'tool_use_failed'
}

/** The ProviderError of whatever groq-sdk threw, without the key and without the SDK's own objects. */
export function groqError(error: unknown, apiKey: string): ProviderError {
  return errorWithoutSecret(describedError(error), apiKey)
}

function describedError(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error
  if (error instanceof APIConnectionTimeoutError) {
    return new ProviderError('LLM_TIMEOUT', 'Groq did not answer in time', {
      retryable: true,
      cause: error,
    })
  }
  if (error instanceof APIError && error.status !== undefined) {
    const { message } = errorBody(error)
    return statusError(error.status, typeof message === 'string' ? message : error.message, error)
  }
  if (error instanceof APIError && errorBody(error).code === 'rate_limit_exceeded') {
    return new ProviderError('LLM_RATE_LIMITED', error.message, { retryable: true, cause: error })
  }
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  return new ProviderError(
    'LLM_UNAVAILABLE',
    `Groq is out of reach or broke off its answer: ${errorText(cause)}`,
    { retryable: true, cause: error },
  )
}
