/**
 * Model answer: one request to the language model, from the history to sentences, control tokens and tool calls.
 *
 *   LLM stream ─► control tokens ─► [ open sentence ] ─► sentence, sentence, …
 *                      │                   └► what of it can be spoken already, while nothing else is heard
 *                      └► what to do when all was heard
 *
 * Invariant: what was given out of an open sentence begins the sentence that is given out next.
 */
import type { ProfileSettings } from '../agent-settings.ts'
import type { ChatMessage, LlmProvider, ToolCall } from '../providers/llm.ts'
import { ControlTokenParser, type ControlToken, type TextPiece } from './control-tokens.ts'
import { safePrefix } from './growing-sentence.ts'
import type { History } from './history.ts'
import type { LatencyLedger } from './latency.ts'
import { SentenceSplitter } from './sentences.ts'
import { toolDefinitions } from './tools.ts'

export interface ModelAnswerDeps {
  callId: string
  settings: ProfileSettings
  llm: LlmProvider
  history: History
  latency: LatencyLedger | null
  monotonicMs(): number
}

export interface ModelAnswerEvents {
  /** Asked for each piece of an unfinished sentence: is its beginning wanted? */
  mayGrow(): boolean
  /** The sentence that is being written begins so, ready to be spoken; longer each time. */
  onGrowing(prefix: string): void
  onSentence(sentence: string): void
  /** Begun anew by another model: what is still unfinished is void. */
  onRestart(): void
  onToken(token: ControlToken): void
  /** The model came to its end. */
  onWorked(): void
  /** True while nothing of the answer was said or done, so that another model may begin it anew. */
  mayRestart(): boolean
}

export class ModelAnswer {
  readonly #deps: ModelAnswerDeps
  readonly #events: ModelAnswerEvents
  #tokens = new ControlTokenParser()
  #splitter: SentenceSplitter

  /** For one request; the next one needs a new object. */
  constructor(deps: ModelAnswerDeps, events: ModelAnswerEvents) {
    this.#deps = deps
    this.#events = events
    this.#splitter = new SentenceSplitter(deps.settings.language)
  }

  /**
   * Asks the model and reports what comes; `instruction` is one more message that the history does not keep.
   * @returns its tool calls; none when `signal` aborted
   * @throws ProviderError
   */
  async round(instruction: string | undefined, signal: AbortSignal): Promise<ToolCall[]> {
    const { latency, llm, monotonicMs } = this.#deps
    const calls: ToolCall[] = []
    latency?.pass('llmAsked', monotonicMs())
    for await (const event of llm.stream(this.#request(instruction), signal)) {
      if (signal.aborted) return []
      if (event.kind === 'done') break
      if (event.kind === 'restart') {
        this.#beginAnew()
        this.#events.onRestart()
        calls.length = 0
        continue
      }
      latency?.pass('llmToken', monotonicMs())
      if (event.kind === 'toolCall') {
        calls.push(event.call)
        // Tools take time; what is said before them must not wait for what comes after.
        this.#takeSentences(this.#splitter.flush())
      } else this.#takePieces(this.#tokens.push(event.text))
    }
    if (signal.aborted) return []
    this.#events.onWorked()
    this.#takePieces(this.#tokens.flush())
    this.#takeSentences(this.#splitter.flush())
    return calls
  }

  #request(instruction: string | undefined) {
    const { settings, callId, history } = this.#deps
    const messages: ChatMessage[] = history.messages()
    if (instruction !== undefined) messages.push({ role: 'user', content: instruction })
    return {
      callId,
      model: settings.llmModel,
      messages,
      tools: toolDefinitions(settings),
      temperature: settings.temperature,
      maxTokens: settings.maxTokens,
      language: settings.language,
      mayRestart: () => this.#events.mayRestart(),
    }
  }

  #beginAnew(): void {
    this.#tokens = new ControlTokenParser()
    this.#splitter = new SentenceSplitter(this.#deps.settings.language)
  }

  #takePieces(pieces: TextPiece[]): void {
    for (const piece of pieces) {
      if (piece.kind === 'text') this.#takeSentences(this.#splitter.push(piece.text))
      else this.#events.onToken(piece.token)
    }
    if (!this.#events.mayGrow()) return
    const prefix = safePrefix(this.#splitter.open, this.#deps.settings.language)
    if (prefix !== '') this.#events.onGrowing(prefix)
  }

  #takeSentences(sentences: string[]): void {
    for (const sentence of sentences) this.#events.onSentence(sentence)
  }
}
