/**
 * Agent turn: everything the agent says before the floor changes, from the model's first token to the last word heard.
 *
 *   model answer ─► sentences ─► speakable ─► speech ─► playback
 *        └► control tokens, tools: what to do when all was heard: hang up, transfer
 *
 * Knows nothing of the user; conversation.ts begins it, cuts it, and asks what of it was heard.
 * Invariants: at most MAX_ROUNDS requests to the model; a turn always says something, or reports that it is over.
 */
import type { ProviderError } from '../errors.ts'
import { FRAME_MS } from '../media/audio-format.ts'
import type { ToolCall } from '../providers/llm.ts'
import type { AfterTurn, AgentTurnDeps, AgentTurnEvents } from './agent-turn-deps.ts'
import type { ControlToken } from './control-tokens.ts'
import type { Turn } from './conversation-events.ts'
import { voiceOf } from './fixed-sentences.ts'
import { Filler } from './filler.ts'
import { HeardLedger } from './heard.ts'
import { lastResort } from './last-resort.ts'
import type { LatencyLedger } from './latency.ts'
import { ModelAnswer } from './model-answer.ts'
import { phrasesFor } from './phrases.ts'
import { readable } from './readable.ts'
import { SentenceSplitter } from './sentences.ts'
import { speakable } from './speakable.ts'
import { providerError, Speech } from './speech.ts'
import { joinText } from './words.ts'
import { WORDS_CHANGED, type ActionGate } from './tool-hold.ts'
import { allowedAction, NEEDS_ANSWER, TOKEN_TOOLS, toolAction, type ToolAction } from './tools.ts'

/** Requests to the model within one turn: one answer and two rounds of tool results. */
const MAX_ROUNDS = 3

/** A mark that is this late will not come. Carriers buffer at most about 1 s of what we send. */
const LOST_MARK_MS = 5_000

export type { AfterTurn, AgentTurnDeps } from './agent-turn-deps.ts'

export class AgentTurn {
  readonly turnId: number
  readonly kind: Turn['kind']
  /** False for the goodbye of a call that must end: the user cannot cut it. */
  readonly interruptible: boolean
  readonly latency: LatencyLedger | null
  readonly ledger = new HeardLedger()
  after: AfterTurn = { kind: 'listen' }
  startMs = 0
  readonly #deps: AgentTurnDeps
  readonly #events: AgentTurnEvents
  readonly #speech: Speech
  readonly #abort = new AbortController()
  readonly #filler: Filler
  #gate: ActionGate
  #said = ''
  /** The model's own words have begun; a filler phrase is none of them. */
  #hasAnswer = false
  /** That, before the sentence that is being written. */
  #hadAnswer = false
  /** Something of the model's present answer was said or done: it cannot be begun anew. */
  #isUsed = false
  #isGenerating = false
  #lastStartMs = 0
  /** How long the line was paused under this turn: that delays its marks. */
  #pausedMs = 0

  constructor(
    turn: {
      turnId: number
      kind: Turn['kind']
      interruptible?: boolean
      latency?: LatencyLedger
    },
    deps: AgentTurnDeps,
    events: AgentTurnEvents,
  ) {
    this.turnId = turn.turnId
    this.kind = turn.kind
    this.interruptible = turn.interruptible ?? true
    this.latency = turn.latency ?? null
    this.#deps = deps
    this.#events = events
    this.#filler = new Filler(deps.settings, turn.turnId)
    this.#gate = deps.actionGate()
    this.#speech = this.#openSpeech()
  }

  /** True when nothing remains to be said or heard. */
  get done(): boolean {
    return this.#speech.complete && this.ledger.allHeard
  }

  /** Everything generated so far, heard or not. */
  get said(): string {
    return joinText(this.#said, this.#speech.growing ?? '')
  }

  /** Speaks a fixed text; afterwards `after` happens. */
  speak(text: string, after: AfterTurn = { kind: 'listen' }): void {
    this.after = after
    const splitter = new SentenceSplitter(this.#deps.settings.language)
    for (const sentence of [...splitter.push(text), ...splitter.flush()]) this.#say(sentence)
    this.#speech.end()
  }

  /** Lets the model answer `history`; `instruction` is one more message that the history does not keep. */
  answer(instruction?: string): void {
    this.#isGenerating = true
    void this.#answer(instruction)
  }

  hold(): void {
    this.#speech.hold()
  }

  release(): void {
    this.#speech.release()
  }

  /** @returns false when the segment is none of this turn. */
  segmentStarted(segmentId: number, atMs: number): boolean {
    const segment = this.ledger.get(segmentId)
    if (!segment) return false
    if (!this.ledger.anyStarted) this.startMs = atMs
    segment.started = true
    this.#lastStartMs = atMs
    if (this.#hasAnswer) this.latency?.firstAudioSent(this.#deps.monotonicMs())
    this.#speech.progressed()
    return true
  }

  /** `carrierMs`: how much later than by our clock its mark came; null without a mark. */
  segmentHeard(segmentId: number, carrierMs: number | null): void {
    const segment = this.ledger.get(segmentId)
    if (!segment) return
    segment.heard = true
    this.latency?.carrier(carrierMs)
  }

  /** A frame of the audio handed over last is ready for the line. */
  audioPrepared(): void {
    if (this.#hasAnswer) this.latency?.pass('prepared', this.#deps.monotonicMs())
  }

  /** Takes what is unconfirmed as heard when the line is idle, or long silent about it: its marks were lost. */
  settle(atMs: number): void {
    if (this.#deps.playback.paused) this.#pausedMs += FRAME_MS
    this.#fillSilence(atMs)
    if (!this.#speech.complete || !this.ledger.anyStarted) return
    const overdueMs = atMs - this.#lastStartMs - this.ledger.audioMs - this.#pausedMs
    if (!this.#deps.playback.busy || overdueMs > LOST_MARK_MS) this.ledger.settle()
  }

  #fillSilence(atMs: number): void {
    const isSilent = this.ledger.allHeard && this.#speech.idle && !this.#deps.playback.busy
    const phrase = this.#filler.tick(atMs, this.#isGenerating && isSilent)
    if (phrase === null) return
    this.#said = joinText(this.#said, phrase)
    this.#speech.say(phrase)
  }

  /** Stops the model and the voice. The playback is the caller's to clear. Idempotent. */
  abort(): void {
    this.#abort.abort()
    // Its words may have been heard.
    this.#said = this.said
    this.#speech.abort()
  }

  /** The words heard so far. */
  heardText(): string {
    return this.ledger.heardText((id) => this.#deps.playback.heardMs(id))
  }

  /** The words not heard; null while the model is still making them. */
  unheardText(): string | null {
    const heard = this.heardText()
    if (this.#isGenerating || !this.#said.startsWith(heard)) return null
    return this.#said.slice(heard.length).trim()
  }

  async #answer(instruction?: string): Promise<void> {
    try {
      let isOver = false
      for (let round = 1; !isOver && round <= MAX_ROUNDS; round++) {
        const calls = await this.#round(instruction)
        await this.#gate.decided()
        if (this.#abort.signal.aborted) return
        isOver = await this.#runTools(calls)
        if (this.#abort.signal.aborted) return
      }
      this.#sayWhatIsMissing()
    } catch (error) {
      if (this.#abort.signal.aborted) return
      this.#breakOff()
      this.#apologise(providerError(error))
    }
    this.#isGenerating = false
    this.#speech.end()
    this.#events.onProgress()
  }

  /** One request; speaks its text as it comes and returns its tool calls. */
  #round(instruction?: string): Promise<ToolCall[]> {
    this.#isUsed = false
    this.#gate = this.#deps.actionGate()
    const answer = new ModelAnswer(
      { ...this.#deps, latency: this.latency },
      {
        mayGrow: () => this.#speech.growing !== null || this.#speech.mayGrow,
        onGrowing: (prefix) => this.#grow(prefix),
        onSentence: (sentence) => this.#say(sentence),
        onRestart: () => void this.#takeBack(),
        onToken: (token) => this.#obey(token),
        onWorked: () => this.#events.onProviderWorked('llm'),
        mayRestart: () => !this.#isUsed && this.#speech.mayTakeBack,
      },
    )
    return answer.round(instruction, this.#abort.signal)
  }

  #obey(token: ControlToken): void {
    const action = allowedAction(token, this.#deps.settings)
    const args = token.kind === 'digits' ? JSON.stringify({ digits: token.digits }) : '{}'
    void this.#perform(action, TOKEN_TOOLS[token.kind], args)
  }

  /** @returns true when the model needs no further request. */
  async #runTools(calls: ToolCall[]): Promise<boolean> {
    if (calls.length === 0) return true
    const results: string[] = []
    let needsAnswer = false
    for (const call of calls) {
      const action = toolAction(call, this.#deps.settings)
      results.push(await this.#perform(action, call.name, call.arguments))
      if (NEEDS_ANSWER.has(action.kind)) needsAnswer = true
    }
    if (this.#abort.signal.aborted) return true
    this.#deps.history.tools(this.#said, calls, results)
    return !needsAnswer || this.after.kind !== 'listen'
  }

  async #perform(action: ToolAction, name: string, args: string): Promise<string> {
    this.#isUsed = true
    const verdict = await this.#gate.pass(action, this.#abort.signal)
    if (verdict === 'aborted') return ''
    let result = 'ok'
    if (verdict === 'changed') result = WORDS_CHANGED
    else if (action.kind === 'endCall') this.after = { kind: 'hangup', reason: 'agentHangup' }
    else if (action.kind === 'transfer') this.after = { kind: 'transfer', to: action.to }
    else if (action.kind === 'refused') result = `error: ${action.reason}`
    else if (action.kind === 'language') result = this.#switchLanguage(action.language)
    else if (action.kind === 'http') {
      result = await this.#deps.control.callTool(action.tool, args, this.#abort.signal)
    } else {
      result = await this.#deps.control.sendDigits(action.digits).then(
        () => 'ok',
        (error: unknown) => `error: ${providerError(error).message}`,
      )
    }
    if (!this.#abort.signal.aborted) this.#events.onTool({ name, arguments: args, result })
    return result
  }

  #switchLanguage(language: string): string {
    try {
      this.#deps.switchLanguage(language)
      return `ok: speak ${language} from now on`
    } catch (error) {
      return `error: ${providerError(error).message}`
    }
  }

  #say(sentence: string): void {
    const text = readable(speakable(sentence), this.#deps.settings.language)
    if (text !== '') this.#speak(text)
  }

  #speak(text: string): void {
    this.#answered()
    this.#isUsed = true
    this.#filler.answered()
    this.#said = joinText(this.#said, text)
    const isGrown = this.#speech.growing !== null
    this.#speech.say(text)
    if (isGrown) this.#events.onGrown()
  }

  /** The first words of a sentence that is not finished. */
  #grow(prefix: string): void {
    if (this.#speech.growing === null) this.#hadAnswer = this.#hasAnswer
    this.#answered()
    this.#speech.grow(prefix)
  }

  #answered(): void {
    this.latency?.pass('sentence', this.#deps.monotonicMs())
    this.#hasAnswer = true
  }

  /** Forgets the unfinished sentence, if nothing of it sounds yet. */
  #takeBack(): boolean {
    const wasGrowing = this.#speech.growing !== null
    if (!this.#speech.takeBack()) return false
    if (wasGrowing) this.#hasAnswer = this.#hadAnswer
    return true
  }

  /** The model failed in mid-sentence: what of it sounds already ends with the words that were given out. */
  #breakOff(): void {
    if (!this.#takeBack()) this.#speak(this.#speech.growing!.trimEnd())
  }

  /** A model that only called a tool, or said nothing at all, would leave the user in silence. */
  #sayWhatIsMissing(): void {
    if (this.#hasAnswer) return
    const phrases = phrasesFor(this.#deps.settings.language)
    if (this.after.kind === 'hangup') this.#say(phrases.goodbye)
    else if (this.after.kind === 'transfer') this.#say(phrases.transferring)
    else this.#say(phrases.notUnderstood)
  }

  #apologise(error: ProviderError): void {
    const mayGoOn = this.#events.onProviderFailed('llm', error)
    const phrases = phrasesFor(this.#deps.settings.language)
    if (!mayGoOn) {
      const { text, after } = lastResort(this.#deps.settings)
      this.after = after
      this.#say(text)
    } else
      this.#say(error.code === 'LLM_RATE_LIMITED' ? phrases.saturated : phrases.technicalProblem)
  }

  #openSpeech(): Speech {
    const { callId, tts, playback, settings, monotonicMs, nextSegmentId } = this.#deps
    const { ledger } = this
    return new Speech(
      {
        ...{ callId, tts, playback, ledger, pacingMs: settings.voicePacingMs, nextSegmentId },
        // Read for each sentence: the language may change within the turn.
        get voice() {
          return voiceOf(settings)
        },
      },
      {
        onAsked: () => {
          if (this.#hasAnswer) this.latency?.pass('ttsAsked', monotonicMs())
        },
        onAudio: () => {
          if (this.#hasAnswer) this.latency?.pass('ttsAudio', monotonicMs())
          this.#events.onProviderWorked('tts')
        },
        onHandedOver: () => {
          if (this.#hasAnswer) this.latency?.pass('handedOver', monotonicMs())
        },
        onFailed: (error) => this.#events.onProviderFailed('tts', error),
        onProgress: () => this.#events.onProgress(),
      },
    )
  }
}
