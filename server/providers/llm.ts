/** Language model: the interface of everything that can answer, from Groq to the scripted demo brain. */

export interface ToolCall {
  id: string
  name: string
  /** JSON text, as the model wrote it. */
  arguments: string
}

export type ChatMessage =
  | { role: 'system' | 'user'; content: string }
  | { role: 'assistant'; content: string; toolCalls?: ToolCall[] }
  | { role: 'tool'; content: string; toolCallId: string }

export interface ToolDefinition {
  name: string
  description: string
  /** JSON Schema of the arguments. */
  parameters: Record<string, unknown>
}

export interface LlmRequest {
  callId: string
  model: string
  messages: ChatMessage[]
  tools: ToolDefinition[]
  /** 0…2. */
  temperature: number
  maxTokens: number
  /** BCP 47; the scripted brain answers in it. */
  language: string
  /** True while nothing of the answer was used yet: one that breaks off is then begun anew. Absent: it never is. */
  mayRestart?(): boolean
}

export interface LlmUsage {
  promptTokens: number
  completionTokens: number
}

export type LlmEvent =
  /** All events so far are void: the answer broke off, and another one follows. Only where `mayRestart` allows it. */
  | { kind: 'restart' }
  | { kind: 'text'; text: string }
  | { kind: 'toolCall'; call: ToolCall }
  | { kind: 'done'; finishReason: 'stop' | 'length' | 'tool_calls'; usage: LlmUsage | null }

export interface LlmProvider {
  readonly name: string
  /** True for the scripted brain: the dashboard says "no language model". */
  readonly scripted: boolean
  warm(): Promise<void>
  /** Asks the service whether it works again. Default: warm(). @throws ProviderError */
  probe?(): Promise<void>
  /** The model that answers a request for `model`, for its price. Default: that one. */
  modelFor?(model: string): string
  /**
   * Streams one answer. Ends after `done`. When `signal` aborts, the iterable ends without `done` and without throwing.
   * @throws ProviderError on every failure (codes LLM_UNAVAILABLE, LLM_RATE_LIMITED, LLM_TIMEOUT, LLM_BAD_RESPONSE, LLM_MODEL_GONE).
   */
  stream(request: LlmRequest, signal: AbortSignal): AsyncIterable<LlmEvent>
  close(): Promise<void>
}
