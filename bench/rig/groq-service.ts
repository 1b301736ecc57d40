/**
 * Groq on this machine: chat completions as server-sent events, the list of models, and Whisper, with latencies and
 * failures of our choice. GROQ_BASE_URL points the server at it.
 *
 *   POST /openai/v1/chat/completions ─► 400 ms ─► 60 tokens/s ─► usage, [DONE]
 *   POST /openai/v1/audio/transcriptions ─► 200 ms ─► text     GET /openai/v1/models
 */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SeededWords } from './seeded-words.ts'
import { Timers } from './timers.ts'

export type LlmFailure =
  /** Answers with this status; the body's code follows from it unless given. */
  | { kind: 'status'; status: number; code?: string; retryAfterSec?: number; message?: string }
  /** Takes the request and answers nothing. */
  | { kind: 'silent' }
  | { kind: 'slow'; firstTokenMs: number }
  /** Sends so many tokens, then nothing more. */
  | { kind: 'stall'; afterTokens: number }
  /** Cuts the socket after so many tokens. */
  | { kind: 'cut'; afterTokens: number }
  /** An error line in the stream after so many tokens. */
  | { kind: 'errorLine'; afterTokens: number }
  /** The same inside `x_groq`, which the SDK passes over. */
  | { kind: 'groqError'; afterTokens: number }
  /** Ends the stream after so many tokens, without finish reason and [DONE]. */
  | { kind: 'noEnd'; afterTokens: number }
  | { kind: 'garbage' }

/** How an answer is written: all of it is legal, and each has been met. */
export interface AnswerShape {
  /** Behind the text; with `inFragments` in pieces of 5 characters, else each whole in one chunk. */
  toolCalls?: { name: string; arguments: string }[]
  inFragments?: boolean
  /** Thoughts of a reasoning model before the answer. */
  reasoning?: string
  /** The counts come in a chunk of their own, without a choice. */
  usageApart?: boolean
  /** Comment lines between the events, CRLF line ends, and a packet's end within each letter of two bytes. */
  isOdd?: boolean
}

export interface ChatRequest {
  model: string
  messages: { role: string; content: string }[]
}

export interface GroqServiceOptions {
  seed?: number
  port?: number
  /** Default 400. */
  firstTokenMs?: number
  /** Default 60. */
  tokensPerSec?: number
  whisperMs?: number
  /** Only this key is let in; default: every key. */
  key?: string
  models?: string[]
  /** Default: a seeded sentence of 12 words. */
  answerOf?(request: ChatRequest): string
  /** A token is being written. */
  onToken?(): void
  /** Text of an utterance sent to Whisper. */
  transcriptOf?(heard: HeardFile): string
}

/** What was posted to Whisper. */
export interface HeardFile {
  bytes: number
  /** By the header of the WAV. */
  rateHz: number
  /** Form fields: model, language, response_format, temperature. */
  fields: Record<string, string>
}

export class GroqService {
  /** http://127.0.0.1:port, without /openai/v1. */
  url = ''
  failure: LlmFailure | null = null
  whisperFailure: LlmFailure | null = null
  shape: AnswerShape = {}
  models: string[]
  requests = 0
  /** What Whisper was sent, the last 1 000. */
  readonly heard: HeardFile[] = []
  /** What Whisper says of its own doubt in every segment. */
  whisperDoubt = { no_speech_prob: 0.01, avg_logprob: -0.2, compression_ratio: 1.1 }
  /** Answers that a client left before their end. */
  left = 0
  /** Chat requests whose connection still waits for the end of the answer. */
  open = 0
  readonly #options: GroqServiceOptions
  readonly #words: SeededWords
  readonly #http = createServer((request, response) => this.#take(request, response))
  readonly #timers = new Timers()

  constructor(options: GroqServiceOptions) {
    this.#options = options
    this.#words = new SeededWords(options.seed ?? 1)
    this.models = options.models ?? ['llama-3.3-70b-versatile', 'openai/gpt-oss-120b']
  }

  static async start(options: GroqServiceOptions = {}): Promise<GroqService> {
    const service = new GroqService(options)
    const http = service.#http
    await new Promise<void>((resolve) => http.listen(options.port ?? 0, '127.0.0.1', resolve))
    service.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
    return service
  }

  async close(): Promise<void> {
    this.#timers.clear()
    this.#http.closeAllConnections()
    await new Promise((resolve) => this.#http.close(resolve))
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const body = Buffer.concat(parts)
      const path = request.url ?? ''
      const { key } = this.#options
      if (key !== undefined && request.headers.authorization !== `Bearer ${key}`) {
        return sendError(response, { kind: 'status', status: 401 })
      }
      if (path.endsWith('/models')) return this.#list(response)
      if (path.endsWith('/audio/transcriptions')) return this.#transcribe(response, heardFile(body))
      if (path.endsWith('/chat/completions')) {
        return this.#chat(response, JSON.parse(body.toString()) as ChatRequest)
      }
      sendError(response, { kind: 'status', status: 404 })
    })
  }

  #list(response: ServerResponse): void {
    if (this.failure?.kind === 'status') return sendError(response, this.failure)
    if (this.failure?.kind === 'silent') return
    sendJson(response, {
      object: 'list',
      data: this.models.map((id) => ({ id, object: 'model', created: 0, owned_by: 'emulator' })),
    })
  }

  #transcribe(response: ServerResponse, heard: HeardFile): void {
    this.heard.push(heard)
    if (this.heard.length > 1_000) this.heard.shift()
    const failure = this.whisperFailure
    if (failure?.kind === 'status') return sendError(response, failure)
    if (failure?.kind === 'garbage') return sendJson(response, { words: 'none' })
    if (failure !== null) return
    const text = this.#options.transcriptOf?.(heard) ?? this.#words.words(1, 6, 'es').join(' ')
    const verbose = heard.fields['response_format'] === 'verbose_json'
    this.#timers.later(this.#options.whisperMs ?? 200, () =>
      sendJson(response, {
        text: ` ${text}`,
        ...(verbose ? { segments: [{ id: 0, text: ` ${text}`, ...this.whisperDoubt }] } : {}),
        x_groq: { id: 'req_emulated' },
      }),
    )
  }

  #chat(response: ServerResponse, request: ChatRequest): void {
    const number = ++this.requests
    this.open++
    response.on('close', () => {
      this.open--
      if (!response.writableFinished) this.left++
    })
    const { failure } = this
    if (failure?.kind === 'silent') return
    if (failure?.kind === 'status') return sendError(response, failure)
    if (!this.models.includes(request.model)) {
      return sendError(response, { kind: 'status', status: 404, code: 'model_not_found' })
    }
    const answer = this.#options.answerOf?.(request) ?? this.#seeded(number)
    const tokens = answer.match(/\s*\S+/g) ?? []
    const slowMs = failure?.kind === 'slow' ? failure.firstTokenMs : null
    this.#timers.later(slowMs ?? this.#options.firstTokenMs ?? 400, () => {
      response.writeHead(200, { 'content-type': 'text/event-stream', ...LIMITS })
      response.socket?.setNoDelay(true)
      const first = { role: 'assistant', content: '' }
      this.#write(response, chunk(number, first, { x_groq: { id: `req_${number}` } }))
      const { reasoning } = this.shape
      if (reasoning !== undefined)
        this.#write(response, chunk(number, { reasoning, channel: 'analysis' }))
      this.#tokens(response, { number, tokens, at: 0, prompt: promptTokens(request) })
    })
  }

  #tokens(
    response: ServerResponse,
    state: { number: number; tokens: string[]; at: number; prompt: number },
  ): void {
    if (response.destroyed) return
    const { number, tokens, at, prompt } = state
    const { failure } = this
    const after = failure !== null && 'afterTokens' in failure ? failure.afterTokens : Infinity
    if (at >= after) {
      if (failure?.kind === 'cut') response.socket?.destroy()
      if (failure?.kind === 'noEnd') response.end()
      if (failure?.kind === 'errorLine') {
        response.end(sse({ error: { message: 'emulated overload', code: 'overloaded' } }))
      }
      if (failure?.kind === 'groqError') {
        response.end(sse(chunk(number, {}, { x_groq: { error: 'emulated overload' } })))
      }
      return
    }
    if (failure?.kind === 'garbage') {
      response.end('data: {"choices":[{"delta"\n\ndata: \u0000\n\n')
      return
    }
    if (at === tokens.length) return this.#finish(response, number, usageOf(prompt, tokens.length))
    this.#options.onToken?.()
    this.#write(response, chunk(number, { content: tokens[at]! }))
    this.#timers.later(1_000 / (this.#options.tokensPerSec ?? 60), () =>
      this.#tokens(response, { ...state, at: at + 1 }),
    )
  }

  #finish(response: ServerResponse, number: number, usage: Record<string, number>): void {
    const { toolCalls = [], inFragments = false, usageApart = false } = this.shape
    for (const call of toolCalls.flatMap((one, at) => callDeltas(one, at, inFragments))) {
      this.#write(response, chunk(number, { tool_calls: [call] }))
    }
    const reason = toolCalls.length > 0 ? 'tool_calls' : 'stop'
    const counts = { x_groq: { id: `req_${number}`, usage }, usage }
    this.#write(response, chunk(number, {}, usageApart ? {} : counts, reason))
    if (usageApart) this.#write(response, { ...chunk(number, {}), choices: [], usage })
    response.end('data: [DONE]\n\n')
  }

  #write(response: ServerResponse, json: unknown): void {
    if (this.shape.isOdd !== true) return void response.write(sse(json))
    const bytes = Buffer.from(`: ping\n\n${sse(json)}`.replaceAll('\n', '\r\n'))
    let from = 0
    for (let at = 0; at < bytes.length; at++) {
      if (bytes[at]! < 0xc0) continue
      response.write(bytes.subarray(from, at + 1))
      from = at + 1
    }
    response.write(bytes.subarray(from))
  }

  #seeded(number: number): string {
    return `Claro. ${this.#words.words(number, 12, 'es').join(' ')}. ¿Le parece bien?`
  }
}

const LIMITS = {
  'x-ratelimit-limit-requests': '14400',
  'x-ratelimit-limit-tokens': '18000',
  'x-ratelimit-remaining-requests': '14370',
  'x-ratelimit-remaining-tokens': '17997',
  'x-ratelimit-reset-requests': '2m59.56s',
  'x-ratelimit-reset-tokens': '7.66s',
}

const CODES: Record<number, string> = {
  401: 'invalid_api_key',
  404: 'model_not_found',
  429: 'rate_limit_exceeded',
  498: 'capacity_exceeded',
}

/** Id and name come with the first piece only. */
function callDeltas(
  call: { name: string; arguments: string },
  index: number,
  inFragments: boolean,
): Record<string, unknown>[] {
  const pieces = inFragments ? (call.arguments.match(/.{1,5}/g) ?? []) : [call.arguments]
  const [first = '', ...rest] = pieces
  return [
    {
      index,
      id: `fc_${index}`,
      type: 'function',
      function: { name: call.name, arguments: first },
    },
    ...rest.map((piece) => ({ index, function: { arguments: piece } })),
  ]
}

function sendError(
  response: ServerResponse,
  failure: Extract<LlmFailure, { kind: 'status' }>,
): void {
  const { status, retryAfterSec } = failure
  const retry = retryAfterSec === undefined ? {} : { 'retry-after': String(retryAfterSec) }
  response.writeHead(status, { 'content-type': 'application/json', ...LIMITS, ...retry })
  const code = failure.code ?? CODES[status] ?? 'emulated'
  const message = failure.message ?? `emulated ${status}`
  response.end(JSON.stringify({ error: { message, type: 'emulated', code } }))
}

function sendJson(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json', ...LIMITS })
  response.end(JSON.stringify(body))
}

function chunk(
  number: number,
  delta: Record<string, unknown>,
  more: Record<string, unknown> = {},
  finishReason: string | null = null,
): Record<string, unknown> {
  return {
    id: `chatcmpl-${number}`,
    object: 'chat.completion.chunk',
    created: 0,
    model: 'emulated',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
    ...more,
  }
}

function usageOf(prompt: number, completion: number): Record<string, number> {
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    queue_time: 0.01,
  }
}

function promptTokens({ messages }: ChatRequest): number {
  return Math.ceil(messages.reduce((sum, { content }) => sum + (content ?? '').length, 0) / 4)
}

/** The text fields of a multipart body, and the size of its file. */
function heardFile(body: Buffer): HeardFile {
  const text = body.toString('latin1')
  const fields = [...text.matchAll(/name="(\w+)"\r\n\r\n([^\r]*)\r\n/g)]
  const at = text.indexOf('RIFF')
  return {
    bytes: at < 0 ? 0 : body.readUInt32LE(at + 4) + 8,
    rateHz: at < 0 ? 0 : body.readUInt32LE(at + 24),
    fields: Object.fromEntries(fields.map(([, name, value]) => [name!, value!])),
  }
}

function sse(json: unknown): string {
  return `data: ${JSON.stringify(json)}\n\n`
}
