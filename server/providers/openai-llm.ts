/**
 * Any OpenAI-compatible server as language model, by its base URL: Ollama, llama.cpp, vLLM, LM Studio, OpenAI itself.
 *
 *   POST {base}/chat/completions ─► event-stream-client.ts ─► answer-stream.ts ─► events
 *
 * Three time-outs of our own, because HTTP has none: to the response's head, to the first token, between tokens.
 *
 * Invariants: the connection is closed when the caller aborts, leaves the loop or a time-out fires; an aborted answer
 * ends silently and without `done`.
 */
import { OVER, ProviderError, errorText } from '../errors.ts'
import { readAnswer } from './answer-stream.ts'
import { requestBody, stallError, statusError } from './chat-completion.ts'
import { EventStreamClient } from './event-stream-client.ts'
import type { LlmEvent, LlmProvider, LlmRequest } from './llm.ts'
import { StallGuard } from './stall-guard.ts'
import { errorWithoutSecret } from './without-secret.ts'

export interface OpenAiLlmOptions {
  /** With or without a trailing slash; a URL without a path gets /v1. */
  baseUrl: string
  /** Local servers need none. */
  apiKey: string | null
  /** Asked for in every request; null takes the agent's own setting. */
  model: string | null
  limits?: Partial<LlmLimits>
}

export interface LlmLimits {
  /** To the head of the response. Servers on the own machine send it when the prompt is read, so not too short. */
  connectMs: number
  /** To the first token, from the start. */
  firstTokenMs: number
  /** Between two tokens. */
  stallMs: number
}

const DEFAULT_LIMITS: LlmLimits = { connectMs: 10_000, firstTokenMs: 15_000, stallMs: 8_000 }

/** A local server may load its model from disk for the first answer. */
const WARM_MS = 60_000

export class OpenAiLlm implements LlmProvider {
  readonly name = 'openai'
  readonly scripted = false
  readonly #url: string
  readonly #options: OpenAiLlmOptions
  readonly #limits: LlmLimits
  readonly #client = new EventStreamClient()
  readonly #closing = new AbortController()

  constructor(options: OpenAiLlmOptions) {
    this.#options = options
    this.#url = completionsUrl(options.baseUrl)
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits }
  }

  /** Asks for one token: that shows whether URL, key and model are right, and makes a local server load the model. */
  async warm(): Promise<void> {
    if (this.#options.model === null) return
    const request: LlmRequest = {
      callId: 'warm',
      model: this.#options.model,
      messages: [{ role: 'user', content: 'Hola' }],
      tools: [],
      temperature: 0,
      maxTokens: 1,
      language: 'es-MX',
    }
    const limits = { connectMs: WARM_MS, firstTokenMs: WARM_MS, stallMs: WARM_MS }
    for await (const event of this.#answer(request, { signal: this.#closing.signal, limits }))
      void event
  }

  modelFor(model: string): string {
    return this.#options.model ?? model
  }

  stream(request: LlmRequest, signal: AbortSignal): AsyncIterable<LlmEvent> {
    return this.#answer(request, { signal, limits: this.#limits })
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#client.close()
  }

  async *#answer(
    request: LlmRequest,
    { signal, limits }: { signal: AbortSignal; limits: LlmLimits },
  ): AsyncIterable<LlmEvent> {
    if (signal.aborted) return
    const controller = new AbortController()
    const abort = (): void => controller.abort(OVER)
    signal.addEventListener('abort', abort, { once: true })
    const head = new StallGuard({ firstMs: limits.connectMs, gapMs: limits.connectMs }, abort)
    const tokens = new StallGuard({ firstMs: limits.firstTokenMs, gapMs: limits.stallMs }, abort)
    try {
      const response = await this.#post(request, controller.signal)
      head.stop()
      yield* readAnswer(response, tokens)
    } catch (error) {
      if (signal.aborted) return
      if (head.stalled !== null) throw stallError('first', limits.connectMs)
      if (tokens.stalled === 'first') throw stallError('first', limits.firstTokenMs)
      if (tokens.stalled === 'gap') throw stallError('gap', limits.stallMs)
      const failure = error instanceof ProviderError ? error : this.#connectionError(error)
      throw errorWithoutSecret(failure, this.#options.apiKey)
    } finally {
      head.stop()
      tokens.stop()
      signal.removeEventListener('abort', abort)
      // Closes the connection also when the caller left the loop; without effect after a complete answer.
      controller.abort(OVER)
    }
  }

  async #post(request: LlmRequest, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      accept: 'text/event-stream',
    }
    if (this.#options.apiKey) headers['authorization'] = `Bearer ${this.#options.apiKey}`
    const body = JSON.stringify(requestBody(request, this.#options.model ?? request.model))
    const ask = (): Promise<Response> =>
      this.#client.fetch(this.#url, { method: 'POST', headers, body, signal })
    const response = await ask().catch((error: unknown) => {
      if (signal.aborted || !isClosedConnection(error)) throw error
      return ask()
    })
    if (!response.ok) throw statusError(response.status, errorDetail(await response.text()))
    return response
  }

  #connectionError(error: unknown): ProviderError {
    return new ProviderError(
      'LLM_UNAVAILABLE',
      `The language model at ${new URL(this.#url).host} is out of reach: ${errorText(error)}`,
      { retryable: true, cause: error },
    )
  }
}

/**
 * A kept connection that the server closed as it was used again: not even a head has come, so nothing is heard twice, and a
 * new connection is worth the few ms, once. A server that is not there (ECONNREFUSED) is not asked again.
 */
function isClosedConnection(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown }
  return code === 'ECONNRESET' || code === 'EPIPE'
}

/** The message inside an error body, or the body itself. */
function errorDetail(body: string): string {
  const text = body.trim()
  const found = /"message"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)
  return found?.[1] ?? (text === '' ? 'no explanation' : text.slice(0, 300))
}

function completionsUrl(baseUrl: string): string {
  const url = new URL(baseUrl)
  const path = url.pathname.replace(/\/+$/, '')
  url.pathname = `${path === '' ? '/v1' : path}/chat/completions`
  return url.href
}
