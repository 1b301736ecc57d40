/**
 * History: what the language model is told was said. The system prompt and at most 40 messages; the agent's messages
 * hold only words the user heard (docs/adr/0004), a cut one ends with "…".
 * Invariant: a tool result never stands without the message that called the tool.
 */
import type { ChatMessage, ToolCall } from '../providers/llm.ts'

/** 20 exchanges: at two sentences each about 1 500 tokens, and further back than anybody on the phone refers to. */
export const HISTORY_LIMIT = 40

export class History {
  readonly #system: ChatMessage
  readonly #limit: number
  #messages: ChatMessage[] = []

  constructor(systemPrompt: string, limit: number = HISTORY_LIMIT) {
    this.#system = { role: 'system', content: systemPrompt }
    this.#limit = limit
  }

  user(text: string): void {
    this.#add({ role: 'user', content: text })
  }

  /** Replaces the newest user message: its final transcript came late. */
  correctUser(text: string): void {
    const at = this.#messages.findLastIndex((message) => message.role === 'user')
    if (at >= 0) this.#messages[at] = { role: 'user', content: text }
  }

  /** Takes the newest user message out, when the user goes on with it. */
  withdrawUser(): void {
    const at = this.#messages.findLastIndex((message) => message.role === 'user')
    if (at >= 0) this.#messages.splice(at)
  }

  /** What was heard of an agent turn; nothing heard leaves no message. */
  agent(heard: string, truncated: boolean): void {
    const tools = this.#messages.at(-1)?.role === 'tool'
    // The message that called the tools held the turn's text so far; the whole text follows now.
    if (tools) this.#blankToolCaller()
    if (heard !== '') this.#add({ role: 'assistant', content: truncated ? `${heard}…` : heard })
  }

  /** `said`: what the agent said in this turn before it called the tools. */
  tools(said: string, toolCalls: ToolCall[], results: readonly string[]): void {
    if (this.#messages.at(-1)?.role === 'tool') this.#blankToolCaller()
    this.#add({ role: 'assistant', content: said, toolCalls })
    toolCalls.forEach((call, i) => {
      this.#add({ role: 'tool', content: results[i] ?? '', toolCallId: call.id })
    })
  }

  /** A copy for one request: the system prompt, then the window. */
  messages(): ChatMessage[] {
    return [this.#system, ...this.#messages]
  }

  #blankToolCaller(): void {
    const at = this.#messages.findLastIndex((message) => message.role === 'assistant')
    const caller = this.#messages[at]
    if (caller?.role === 'assistant') this.#messages[at] = { ...caller, content: '' }
  }

  #add(message: ChatMessage): void {
    this.#messages.push(message)
    while (this.#messages.length > this.#limit || this.#messages[0]?.role === 'tool')
      this.#messages.shift()
  }
}
