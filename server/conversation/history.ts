/**
 * History: what the language model is told was said. The system prompt and at most 40 messages; the agent's messages
 * hold only words the user heard (docs/adr/0004), a cut one ends with "…".
 * A user's message can be corrected in its place for as long as it is here: finals come late, also after the answer.
 * Invariant: a tool result never stands without the message that called the tool.
 */
import type { ChatMessage, ToolCall } from '../providers/llm.ts'

/** 20 exchanges: at two sentences each about 1 500 tokens, and further back than anybody on the phone refers to. */
export const HISTORY_LIMIT = 40

export class History {
  #system: ChatMessage
  readonly #limit: number
  #messages: ChatMessage[] = []
  /** User messages that are still here, by turn. */
  readonly #users = new Map<number, ChatMessage>()

  constructor(systemPrompt: string, limit: number = HISTORY_LIMIT) {
    this.#system = { role: 'system', content: systemPrompt }
    this.#limit = limit
  }

  /** The prompt of the requests to come. */
  set systemPrompt(prompt: string) {
    this.#system = { role: 'system', content: prompt }
  }

  user(turnId: number, text: string): void {
    const message: ChatMessage = { role: 'user', content: text }
    this.#users.set(turnId, message)
    this.#add(message)
  }

  /** Replaces a user message in its place: its final transcript came late. No effect when it has left the window. */
  correctUser(turnId: number, text: string): void {
    const at = this.#placeOf(turnId)
    if (at < 0) return
    // A new object: requests under way keep what they were asked with.
    const message: ChatMessage = { role: 'user', content: text }
    this.#users.set(turnId, message)
    this.#messages[at] = message
  }

  /** Takes a user message out, with all that followed it, when the user goes on with it. */
  withdrawUser(turnId: number): void {
    const at = this.#placeOf(turnId)
    if (at < 0) return
    this.#messages.splice(at)
    this.#users.delete(turnId)
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

  #placeOf(turnId: number): number {
    const message = this.#users.get(turnId)
    return message ? this.#messages.indexOf(message) : -1
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
    for (const turnId of this.#users.keys()) {
      if (this.#placeOf(turnId) < 0) this.#users.delete(turnId)
    }
  }
}
