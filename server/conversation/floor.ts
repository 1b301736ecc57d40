/**
 * Floor: who speaks, and the life of the agent's turns: begun, cut or finished, and recorded as far as they were heard.
 *
 *   begin() ─► thinking ─► speaking ─► finished ─► history, event, then hang up / transfer / listen
 *                  └─ stop() ─┴─► playback cleared, history and event hold the words heard
 *
 * Invariants: at most one agent turn; a turn of which nothing was heard leaves no trace; after 'ended' nothing begins.
 */
import type { EndReason } from '../call/call-state.ts'
import { errorText, type ProviderError } from '../errors.ts'
import { AgentTurn, type AfterTurn, type AgentTurnDeps } from './agent-turn.ts'
import type { ConversationEvent, ConversationState, Turn } from './conversation-events.ts'
import { lastResort } from './last-resort.ts'
import type { LatencyLedger } from './latency.ts'
import { oldWordsRefusal } from './old-words.ts'
import { phrasesFor } from './phrases.ts'
import { nextState, type FloorEvent } from './turn-state.ts'

/** So many failures in a row, and the call is given up: with an apology, which the voices keep ready as audio. */
const FAILURES_TO_END = { tts: 2, llm: 3 }

/** Words said over the agent that did not take the floor are answered when the agent ends within this time. */
const OVERLAP_ANSWER_MS = 1_500

type Transfer = Extract<AfterTurn, { kind: 'transfer' }>

export interface FloorDeps extends AgentTurnDeps {
  emit(event: ConversationEvent): void
  /** Audio time of the call, ms. */
  clockMs(): number
  nextTurnId(): number
  /** An agent turn is about to be recorded: what precedes it must be recorded first. */
  beforeRecord(): void
  /** The conversation ends: what is still unreported must be reported. */
  beforeEnd(): void
}

export class Floor {
  readonly #deps: FloorDeps
  readonly #failures = { llm: 0, tts: 0 }
  #state: ConversationState = 'listening'
  #agent: AgentTurn | null = null
  #finishedMs: number | null = null
  #replyMs: number | null = null
  /** The newest measurement of the call. */
  #carrierMs: number | null = null
  /** The agent's last turn, as far as it was heard. */
  #last: { kind: Turn['kind']; heard: string } | null = null
  #isTransferring = false
  #isGivenUp = false

  constructor(deps: FloorDeps) {
    this.#deps = deps
  }

  get state(): ConversationState {
    return this.#state
  }

  get agent(): AgentTurn | null {
    return this.#agent
  }

  /** Why words said over the agent are no turn now that it has finished; null when they are, or it has not. */
  tooOld({ text, endMs }: { text: string; endMs: number }): 'overlap' | 'echo' | null {
    if (this.#finishedMs === null || endMs >= this.#finishedMs - OVERLAP_ANSWER_MS) return null
    return oldWordsRefusal(text, this.#last, this.#deps.settings)
  }

  /** Audio time at which the newest reply began to be heard; null before the first, and while the next is prepared. */
  get replyMs(): number | null {
    return this.#replyMs
  }

  /** True while the call is being handed to a person: nobody listens. */
  get isTransferring(): boolean {
    return this.#isTransferring
  }

  /** Starts a turn of the agent; the caller says what is in it. Stops the one before, if any. */
  begin(
    kind: Turn['kind'],
    options: { interruptible?: boolean; latency?: LatencyLedger } = {},
  ): AgentTurn {
    if (this.#state === 'thinking') this.#abandon()
    else this.stop()
    const turn = { kind, turnId: this.#deps.nextTurnId(), ...options }
    const agent = new AgentTurn(turn, this.#deps, {
      onTool: (call) => this.#emit({ kind: 'tool', atMs: this.#deps.clockMs(), ...call }),
      onProviderFailed: (part, error) => this.#providerFailed(part, error),
      onProviderWorked: (part) => (this.#failures[part] = 0),
      onGrown: () => {
        if (this.#agent === agent && agent.ledger.anyStarted) this.#record(agent, '', false)
      },
      onProgress: () => {
        if (this.#agent === agent) this.finishIfDone()
      },
    })
    this.#agent = agent
    this.#replyMs = null
    this.step('commit')
    return agent
  }

  step(event: FloorEvent): void {
    const next = nextState(this.#state, event)
    if (next === null || next === this.#state) return
    this.#state = next
    this.#emit({ kind: 'state', state: next, atMs: this.#deps.clockMs() })
  }

  /** A segment of the agent began to play; false when it is of no living turn. */
  segmentStarted(segmentId: number, atMs: number): boolean {
    if (!this.#agent?.segmentStarted(segmentId, atMs)) return false
    this.step('voice')
    if (this.#agent.kind === 'reply') this.#replyMs ??= atMs
    this.#record(this.#agent, '', false)
    return true
  }

  segmentHeard(segmentId: number, carrierMs: number | null): void {
    this.#carrierMs = carrierMs ?? this.#carrierMs
    this.#agent?.segmentHeard(segmentId, carrierMs)
  }

  /** The user sounds over the agent. */
  duck(): void {
    this.#deps.playback.setDucked(true)
    this.step('duck')
  }

  /** The agent goes on where the user stopped hearing; behind a pause with the phrase for it, where one is set. */
  resume(): void {
    const { playback, settings } = this.#deps
    const agent = this.#agent
    const rest = playback.paused && settings.resumePhrase !== '' ? agent?.unheardText() : null
    if (agent && rest) {
      const { kind, after, interruptible } = agent
      return this.begin(kind, { interruptible }).speak(`${settings.resumePhrase} ${rest}`, after)
    }
    playback.setDucked(false)
    this.step('resume')
    playback.setPaused(false)
  }

  /** The user takes the floor, or the turn is given up. Idempotent. */
  stop(): void {
    if (!this.#agent) return
    this.#abandon()
    this.step(this.#state === 'thinking' ? 'withdraw' : 'takeFloor')
  }

  /** Closes the turn once everything was heard. @returns true when it did. */
  finishIfDone(): boolean {
    const agent = this.#agent
    if (!agent?.done) return false
    this.#agent = null
    agent.abort()
    this.#deps.playback.setDucked(false)
    this.#close(agent)
    this.#finishedMs = this.#deps.clockMs()
    this.step('finished')
    if (agent.after.kind === 'hangup') this.hangup(agent.after.reason)
    if (agent.after.kind === 'goOn') agent.after.next()
    if (agent.after.kind === 'transfer') void this.#transfer(agent.after)
    return true
  }

  /** Ends the conversation and asks the call to hang up. */
  hangup(reason: EndReason): void {
    if (this.#state === 'ended') return
    this.close()
    this.#deps.control.hangup(reason)
  }

  /** Providers fail for good: an apology, then as set. When not even that can be spoken, at once. */
  giveUp(): void {
    if (this.#state === 'ended' || this.#isTransferring) return
    const { text, after } = lastResort(this.#deps.settings)
    if (!this.#isGivenUp) {
      this.#isGivenUp = true
      return this.begin('goodbye', { interruptible: false }).speak(text, after)
    }
    this.stop()
    if (after.kind === 'transfer') void this.#transfer(after)
    else this.hangup('providerFailed')
  }

  /** Ends the conversation. Idempotent. */
  close(): void {
    this.stop()
    if (this.#state !== 'ended') this.#deps.beforeEnd()
    this.step('end')
  }

  #abandon(): void {
    const agent = this.#agent
    if (!agent) return
    this.#agent = null
    this.#finishedMs = null
    agent.abort()
    this.#deps.playback.clear()
    this.#deps.playback.setDucked(false)
    this.#close(agent)
  }

  #close(agent: AgentTurn): void {
    if (!agent.ledger.anyStarted) return
    const heard = agent.heardText()
    this.#last = { kind: agent.kind, heard }
    this.#deps.beforeRecord()
    this.#deps.history.agent(heard, heard !== agent.said)
    this.#record(agent, heard, true)
  }

  #record(agent: AgentTurn, heard: string, isFinal: boolean): void {
    if (isFinal) agent.latency?.carrier(this.#carrierMs)
    const spoken = isFinal ? agent.said : agent.ledger.startedText
    const turn: Turn = {
      turnId: agent.turnId,
      role: 'agent',
      kind: agent.kind,
      textSpoken: spoken,
      textHeard: heard,
      truncated: isFinal && heard !== spoken,
      startMs: agent.startMs,
      endMs: this.#deps.clockMs(),
      latency: agent.latency?.result ?? null,
    }
    this.#emit({ kind: 'turn', turn, final: isFinal })
  }

  #providerFailed(part: 'llm' | 'tts', error: ProviderError): boolean {
    const { code, message } = error
    const provider = this.#deps[part].name
    this.#failures[part] += 1
    this.#emit({ kind: 'providerError', atMs: this.#deps.clockMs(), provider, code, message })
    if (this.#failures[part] < FAILURES_TO_END[part]) return true
    if (part === 'tts') this.giveUp()
    return false
  }

  async #transfer({ to, isLastResort }: Transfer): Promise<void> {
    this.#isTransferring = true
    try {
      await this.#deps.control.transfer(to)
    } catch (error) {
      this.#isTransferring = false
      if (this.#state === 'ended') return
      const result = `error: ${errorText(error)}`
      this.#emit({
        kind: 'tool',
        atMs: this.#deps.clockMs(),
        name: 'transfer_call',
        arguments: '{}',
        result,
      })
      if (isLastResort) return this.hangup('providerFailed')
      this.begin('reply').speak(phrasesFor(this.#deps.settings.language).transferFailed)
    }
  }

  #emit(event: ConversationEvent): void {
    this.#deps.emit(event)
  }
}
