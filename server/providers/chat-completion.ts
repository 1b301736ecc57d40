/**
 * The wire format of chat completions, as OpenAI-compatible servers and Groq speak it: our messages to theirs, their
 * stream chunks to our events.
 *
 *   chunk ─► AnswerReader ─► text at once; tool calls, which come in fragments, whole at the end; then done
 *
 * Reasoning is never passed on: neither the `reasoning` fields, which are ignored, nor `<think>` blocks inside the text,
 * which local models write when their server has no parser for them. It would be spoken to the user.
 */
import { z } from 'zod'
import { ProviderError } from '../errors.ts'
import type {
  ChatMessage,
  LlmEvent,
  LlmRequest,
  LlmUsage,
  ToolCall,
  ToolDefinition,
} from './llm.ts'

const toolCallDelta = z.object({
  index: z.int().min(0).max(63).default(0),
  id: z.string().nullish(),
  function: z.object({ name: z.string().nullish(), arguments: z.string().nullish() }).nullish(),
})

const usageShape = z.object({ prompt_tokens: z.number(), completion_tokens: z.number() })

const chunkShape = z.object({
  choices: z
    .array(
      z.object({
        delta: z
          .object({ content: z.string().nullish(), tool_calls: z.array(toolCallDelta).nullish() })
          .nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .nullish(),
  usage: usageShape.nullish().catch(null),
  x_groq: z
    .object({ usage: usageShape.nullish().catch(null), error: z.string().nullish() })
    .nullish()
    .catch(null),
  error: z.unknown().optional(),
})

/** The body of a streaming request. */
export function requestBody(request: LlmRequest, model: string): Record<string, unknown> {
  return {
    model,
    messages: request.messages.map(wireMessage),
    temperature: request.temperature,
    max_tokens: request.maxTokens,
    stream: true,
    ...(request.tools.length > 0 ? { tools: request.tools.map(wireTool) } : {}),
  }
}

function wireMessage(message: ChatMessage): Record<string, unknown> {
  if (message.role === 'tool') {
    return { role: 'tool', content: message.content, tool_call_id: message.toolCallId }
  }
  if (message.role !== 'assistant' || message.toolCalls === undefined) {
    return { role: message.role, content: message.content }
  }
  return {
    role: 'assistant',
    content: message.content,
    tool_calls: message.toolCalls.map((call) => ({
      id: call.id,
      type: 'function',
      function: { name: call.name, arguments: call.arguments },
    })),
  }
}

function wireTool(tool: ToolDefinition): Record<string, unknown> {
  return { type: 'function', function: { ...tool } }
}

export class AnswerReader {
  readonly #thinking = new ThinkFilter()
  readonly #calls = new Map<number, ToolCall>()
  #finishReason: string | null = null
  #usage: LlmUsage | null = null
  #begun = false

  /** Something that is not reasoning has come: the first token for whom waits for an answer. */
  get begun(): boolean {
    return this.#begun
  }

  /**
   * The events of one stream chunk (parsed JSON).
   * @throws ProviderError LLM_BAD_RESPONSE for a chunk of another shape; for an error chunk by its code.
   */
  accept(json: unknown): LlmEvent[] {
    const parsed = chunkShape.safeParse(json)
    if (!parsed.success) {
      throw new ProviderError('LLM_BAD_RESPONSE', 'A stream chunk has an unknown shape', {
        cause: parsed.error,
      })
    }
    const chunk = parsed.data
    const failure = chunk.error ?? chunk.x_groq?.error
    if (failure !== undefined && failure !== null) throw streamError(failure)
    const usage = chunk.usage ?? chunk.x_groq?.usage
    if (usage) {
      this.#usage = { promptTokens: usage.prompt_tokens, completionTokens: usage.completion_tokens }
    }
    // With usage reporting the last chunk has no choice at all.
    const choice = chunk.choices?.[0]
    if (choice?.finish_reason) this.#finishReason = choice.finish_reason
    for (const call of choice?.delta?.tool_calls ?? []) this.#addFragment(call)
    const text = this.#thinking.push(choice?.delta?.content ?? '')
    if (text !== '' || this.#calls.size > 0) this.#begun = true
    return text === '' ? [] : [{ kind: 'text', text }]
  }

  /**
   * The events at the end of the stream: what was held back, the tool calls, done.
   * @param complete the server said [DONE]
   * @throws ProviderError LLM_BAD_RESPONSE when the stream broke off.
   */
  end({ complete }: { complete: boolean }): LlmEvent[] {
    if (this.#finishReason === null && !complete) {
      throw new ProviderError('LLM_BAD_RESPONSE', 'The answer broke off before its end', {
        retryable: true,
      })
    }
    const events: LlmEvent[] = []
    const rest = this.#thinking.end()
    if (rest !== '') events.push({ kind: 'text', text: rest })
    const calls = [...this.#calls.values()].filter((call) => call.name !== '')
    for (const call of calls) {
      events.push({ kind: 'toolCall', call: { ...call, arguments: argumentsText(call.arguments) } })
    }
    const finishReason =
      calls.length > 0 ? 'tool_calls' : this.#finishReason === 'length' ? 'length' : 'stop'
    events.push({ kind: 'done', finishReason, usage: this.#usage })
    return events
  }

  /** Id and name come in the first fragment of a call only; the arguments in any number of them. */
  #addFragment(fragment: z.infer<typeof toolCallDelta>): void {
    const call = this.#calls.get(fragment.index) ?? { id: '', name: '', arguments: '' }
    call.id ||= fragment.id ?? `call_${fragment.index}`
    call.name ||= fragment.function?.name ?? ''
    call.arguments += fragment.function?.arguments ?? ''
    this.#calls.set(fragment.index, call)
  }
}

/** Tools without parameters come with "", "null" or "{}". */
function argumentsText(text: string): string {
  const trimmed = text.trim()
  return trimmed === '' || trimmed === 'null' ? '{}' : trimmed
}

function streamError(failure: unknown): ProviderError {
  const shape = z.object({ message: z.string().optional(), code: z.unknown().optional() })
  const parsed = shape.safeParse(failure)
  const message = typeof failure === 'string' ? failure : (parsed.data?.message ?? 'no message')
  const limited = parsed.data?.code === 'rate_limit_exceeded' || parsed.data?.code === 429
  return new ProviderError(
    limited ? 'LLM_RATE_LIMITED' : 'LLM_UNAVAILABLE',
    `The language model broke off its answer: ${message.slice(0, 300)}`,
    { retryable: true, cause: failure },
  )
}

/** The ProviderError for an HTTP status that is not 2xx. `detail` is the server's own message. */
export function statusError(status: number, detail: string, cause?: unknown): ProviderError {
  const what = `The language model answered ${status}: ${detail.slice(0, 300)}`
  if (status === 401 || status === 403) {
    return new ProviderError('LLM_UNAVAILABLE', `${what} (check the API key)`, { cause })
  }
  if (status === 404) return new ProviderError('LLM_MODEL_GONE', what, { cause })
  if (status === 408 || status === 504) {
    return new ProviderError('LLM_TIMEOUT', what, { retryable: true, cause })
  }
  if (status === 429) return new ProviderError('LLM_RATE_LIMITED', what, { retryable: true, cause })
  if (status >= 498) return new ProviderError('LLM_UNAVAILABLE', what, { retryable: true, cause })
  return new ProviderError('LLM_BAD_RESPONSE', what, { cause })
}

/** The ProviderError for a stream that gave no sign for too long. */
export function stallError(stalled: 'first' | 'gap', limitMs: number): ProviderError {
  const what =
    stalled === 'first'
      ? `The language model gave no answer within ${limitMs} ms`
      : `The language model stopped for ${limitMs} ms in mid-answer`
  return new ProviderError('LLM_TIMEOUT', what, { retryable: true })
}

const THINK_OPEN = '<think>'
const THINK_CLOSE = '</think>'

/** Drops `<think>…</think>` from a text that comes in pieces; a tag may be split between two of them. */
class ThinkFilter {
  #held = ''
  #thinking = false

  push(piece: string): string {
    let text = this.#held + piece
    let out = ''
    for (;;) {
      const tag = this.#thinking ? THINK_CLOSE : THINK_OPEN
      const at = text.indexOf(tag)
      if (at < 0) {
        const keep = tagStartLength(text, tag)
        const sure = text.slice(0, text.length - keep)
        this.#held = text.slice(text.length - keep)
        return this.#thinking ? out : out + sure
      }
      if (!this.#thinking) out += text.slice(0, at)
      text = text.slice(at + tag.length)
      this.#thinking = !this.#thinking
    }
  }

  end(): string {
    return this.#thinking ? '' : this.#held
  }
}

/** How many characters at the end of the text may be the beginning of the tag. */
function tagStartLength(text: string, tag: string): number {
  for (let length = Math.min(text.length, tag.length - 1); length > 0; length -= 1) {
    if (tag.startsWith(text.slice(-length))) return length
  }
  return 0
}
