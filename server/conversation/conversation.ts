/**
 * Conversation: connects what the user does with what the agent says. Wiring only; every decision is in its own file.
 *
 *   detections ─► endpointing ─┐                         ┌─► agent-turn ─► playback
 *   transcripts ─► user-words ─┼─► floor (turn-state) ───┤
 *   digits, typed text ────────┘       ▲                 └─► history, events
 *                                  barge-in ◄── while the agent speaks
 *
 * Time is the call's audio time; it advances with userFrame(), every 20 ms, and drives all timers.
 * Invariants: at most one agent turn at a time; the history holds only what was heard; after 'ended' nothing happens.
 */
import type { ProfileSettings } from '../agent-settings.ts'
import type { PlaybackEvents } from '../media/playback.ts'
import type { Transcript } from '../providers/stt.ts'
import type { Detection } from '../../workers/pool.ts'
import { BargeIn, type BargeInAction } from './barge-in.ts'
import type { BargeInReason, ConversationState, IgnoredReason } from './conversation-events.ts'
import { DigitEntry } from './digits.ts'
import { Endpointing } from './endpointing.ts'
import { Floor, type FloorDeps } from './floor.ts'
import { History } from './history.ts'
import { rejection } from './input-filter.ts'
import { LatencyLedger, type CommitTimes } from './latency.ts'
import { fillVariables, greetingInstruction, systemPrompt } from './prompt.ts'
import { StartHold } from './start-hold.ts'
import { agentHasFloor } from './turn-state.ts'
import { Unprompted } from './unprompted.ts'
import { UserTurn, type UserTurnKind } from './user-turn.ts'
import { UserWords } from './user-words.ts'
import { isBackchannel, wordsOf } from './words.ts'

/** callId, settings, llm, tts, playback, control, emit, clockMs, monotonicMs: see AgentTurnDeps and FloorDeps. */
export interface ConversationDeps extends Omit<
  FloorDeps,
  'history' | 'nextTurnId' | 'nextSegmentId' | 'beforeRecord'
> {
  agentName: string
  /** Values for {{name}} in the prompt and the greeting. */
  variables: Record<string, string>
}

/** Longer typed input is cut: a page of text is no turn of a phone call. */
const TYPED_LIMIT = 2_000
/** Up to so many words before the greeting ("¿Bueno?", "¿Sí, diga?") ask for the greeting rather than refuse it. */
const PICK_UP_WORDS = 3

export class Conversation implements PlaybackEvents {
  readonly #deps: ConversationDeps
  readonly #settings: ProfileSettings
  readonly #words = new UserWords()
  readonly #endpointing: Endpointing
  readonly #bargeIn: BargeIn
  readonly #history: History
  readonly #floor: Floor
  readonly #user: UserTurn
  readonly #digits = new DigitEntry()
  readonly #hold = new StartHold()
  readonly #unprompted: Unprompted

  constructor(deps: ConversationDeps) {
    const { settings, agentName } = deps
    this.#deps = deps
    this.#settings = settings
    this.#endpointing = new Endpointing(settings)
    this.#bargeIn = new BargeIn(settings)
    this.#unprompted = new Unprompted(settings, deps.clockMs())
    this.#history = new History(systemPrompt(settings, agentName, deps.variables))
    const nextTurnId = counter()
    this.#user = new UserTurn(deps.emit, nextTurnId)
    this.#floor = new Floor({
      ...deps,
      history: this.#history,
      nextTurnId,
      nextSegmentId: counter(),
      beforeRecord: () => this.#user.settle(),
    })
  }

  get state(): ConversationState {
    return this.#floor.state
  }

  /** The greeting, by mode. Call once, when the line can play. */
  start(): void {
    const { firstMessageMode, firstMessage, language } = this.#settings
    const text = fillVariables(firstMessage, this.#deps.variables).trim()
    if (firstMessageMode === 'speak-first-dynamic') {
      this.#floor.begin('greeting').answer(greetingInstruction(language))
    } else if (firstMessageMode === 'speak-first' && text !== '') {
      this.#floor.begin('greeting').speak(text)
    }
  }

  /** 20 ms of user audio were looked at. */
  userFrame(detection: Detection): void {
    if (this.state === 'ended') return
    if (detection.onset) this.#speechStarted(detection)
    if (detection.offset) this.#speechEnded(detection)
    if (!this.#floor.isTransferring) this.#tick(detection.atMs)
  }

  partial(transcript: Transcript): void {
    if (this.#isDeaf) return
    this.#words.partial(transcript)
    const { text } = this.#words
    if (text === '') return
    this.#deps.emit({ kind: 'partial', text, atMs: this.#deps.clockMs() })
    this.#wordsCame(transcript.startMs, false)
  }

  final(transcript: Transcript): void {
    if (this.#isDeaf) return
    const corrected = this.#words.final(transcript)
    if (corrected !== null) this.#correct(corrected)
    this.#wordsCame(transcript.startMs, true)
  }

  /** Text from the dashboard's keyboard: a turn at once. */
  typed(text: string): void {
    const typed = text.trim().slice(0, TYPED_LIMIT)
    if (typed !== '' && this.#yieldTo('typed')) this.#commit('typed', typed, null)
  }

  digit(digit: string): void {
    if (!/^[0-9*#A-D]$/.test(digit) || !this.#yieldTo('digit')) return
    const entry = this.#digits.push(digit, this.#deps.clockMs())
    if (entry !== null) this.#commit('digits', entry, null)
  }

  onSegmentStarted(segmentId: number, atMs: number): void {
    const wasThinking = this.state === 'thinking'
    if (!this.#floor.segmentStarted(segmentId, atMs) || !wasThinking) return
    this.#hold.reset()
    this.#floor.agent?.release()
    this.#bargeIn.reset()
    if (this.#words.settled) this.#user.settle()
    const agent = this.#floor.agent
    const mayYield = agent?.interruptible === true && agent.kind !== 'greeting'
    if (this.#endpointing.speaking && mayYield) this.#apply(this.#bargeIn.onset(atMs))
  }

  onSegmentHeard(segmentId: number): void {
    this.#floor.agent?.segmentHeard(segmentId)
    this.#floor.finishIfDone()
  }

  /** The call ends from outside: everything stops, the turn being spoken is recorded as far as it was heard. */
  close(): void {
    this.#floor.close()
  }

  /** True when what the user does no longer counts. */
  get #isDeaf(): boolean {
    return this.state === 'ended' || this.#floor.isTransferring
  }

  #speechStarted(detection: Detection): void {
    this.#words.speechStarted()
    this.#endpointing.speechStarted(detection.speechStartMs)
    const agent = this.#floor.agent
    if (!agent?.interruptible) return
    if (agentHasFloor(this.state)) this.#apply(this.#bargeIn.onset(detection.speechStartMs))
    else {
      this.#hold.start(detection.atMs)
      agent.hold()
    }
  }

  #speechEnded(detection: Detection): void {
    this.#endpointing.speechEnded(detection.lastVoicedMs)
    this.#bargeIn.offset(detection.atMs)
    this.#hold.speechEnded(detection.atMs)
  }

  #tick(atMs: number): void {
    const entry = this.#digits.tick(atMs)
    if (entry !== null) this.#commit('digits', entry, null)
    if (agentHasFloor(this.state)) this.#apply(this.#bargeIn.tick(atMs))
    if (this.#hold.isOver(atMs)) this.#floor.agent?.release()
    this.#floor.agent?.settle(atMs)
    this.#floor.finishIfDone()
    if (this.state === 'listening') this.#decide(atMs)
    if (!this.#isDeaf) this.#speakUnprompted(atMs)
  }

  #speakUnprompted(atMs: number): void {
    const isPending = this.#endpointing.pending || this.#digits.pending
    const speech = this.#unprompted.tick(atMs, this.state === 'listening' && !isPending)
    if (!speech) return
    const { kind, text, after, interruptible } = speech
    this.#floor.begin(kind, { interruptible }).speak(text, after)
  }

  #wordsCame(startMs: number, isFinal: boolean): void {
    const now = this.#deps.clockMs()
    this.#endpointing.transcript(this.#words, now)
    if (this.state === 'listening') return this.#decide(now)
    const { text } = this.#words
    const agent = this.#floor.agent
    if (text === '' || !agent?.interruptible) return
    if (agent.kind === 'greeting' && wordsOf(text).length <= PICK_UP_WORDS) {
      if (this.state === 'thinking' || startMs < agent.startMs) return
    }
    if (agentHasFloor(this.state)) {
      const agentSpeech = agent.ledger.startedText
      this.#apply(this.#bargeIn.words({ text, isFinal, startMs, agentSpeech }))
    } else this.#goOn({ text, startMs, isFinal })
  }

  /** The user speaks again before the answer began: both parts are one turn, unless it is only a backchannel. */
  #goOn(words: { text: string; startMs: number; isFinal: boolean }): void {
    if (isBackchannel(words.text, this.#settings.language) && this.#floor.agent?.kind === 'reply') {
      if (words.isFinal) this.#ignore('backchannel')
      return
    }
    this.#hold.reset()
    this.#floor.stop()
    const endMs = this.#user.reopen()
    if (endMs === null) return
    this.#history.withdrawUser()
    this.#words.reopen()
    this.#endpointing.learnPause(words.startMs - endMs)
    this.#endpointing.transcript(this.#words, this.#deps.clockMs())
  }

  #apply(action: BargeInAction): void {
    const agent = this.#floor.agent
    if (!agent || action.kind === 'none') return
    if (action.kind === 'takeFloor') return this.#takeFloor(action.reason, action.onsetMs)
    if (action.kind === 'pause') return this.#deps.playback.setPaused(true)
    this.#deps.playback.setDucked(action.kind === 'duck')
    this.#floor.step(action.kind)
    if (action.kind === 'duck') return
    this.#deps.playback.setPaused(false)
    if (action.ignored === null) return
    // "Sí" over the end of a question answers it: it stays, and is a turn when the agent has finished.
    const isAnswer = action.ignored === 'backchannel' && agent.ledger.lastSentence?.includes('?')
    if (!isAnswer) this.#ignore(action.ignored)
  }

  #takeFloor(reason: BargeInReason, onsetMs: number): void {
    this.#deps.emit({ kind: 'bargeIn', atMs: this.#deps.clockMs(), reason, onsetMs })
    this.#floor.stop()
  }

  /** DTMF and typed text take the floor from whatever the agent does. False when they do not count any more. */
  #yieldTo(reason: 'typed' | 'digit'): boolean {
    if (this.#isDeaf || this.#floor.agent?.interruptible === false) return false
    if (agentHasFloor(this.state)) this.#takeFloor(reason, this.#deps.clockMs())
    else this.#floor.stop()
    return true
  }

  #decide(atMs: number): void {
    const decision = this.#endpointing.decide(atMs)
    if (decision.kind !== 'commit') return
    const refusal = this.#floor.hasOutlived(this.#words.endMs)
      ? 'overlap'
      : rejection(this.#words.text, this.#settings)
    if (refusal !== null) return this.#ignore(refusal)
    const { startMs, speechEndMs, dueMs } = decision
    const text = this.#words.commit(speechEndMs)
    this.#endpointing.reset()
    this.#commit('speech', text, { startMs, speechEndMs, dueMs, committedMs: atMs })
  }

  #ignore(reason: IgnoredReason): void {
    const { text } = this.#words
    this.#words.discard()
    this.#endpointing.reset()
    if (text !== '') this.#deps.emit({ kind: 'ignored', atMs: this.#deps.clockMs(), text, reason })
  }

  /** `spoken` is null for what was typed or keyed: it has no speech to wait for. */
  #commit(kind: UserTurnKind, text: string, spoken: CommitTimes | null): void {
    const now = this.#deps.clockMs()
    const times = spoken ?? { startMs: now, speechEndMs: null, dueMs: now, committedMs: now }
    this.#user.commit(kind, text, times)
    this.#history.user(kind === 'digits' ? `DTMF: ${text}` : text)
    this.#unprompted.userTurn()
    this.#answer(times)
  }

  /** The final of a turn that was committed from a partial has other words. */
  #correct(text: string): void {
    const times = this.#user.correct(text)
    if (!times) return
    this.#history.correctUser(text)
    // Once the answer is being heard it stands: speaking twice is worse than an answer to slightly other words.
    if (this.state === 'thinking') this.#answer({ ...times, committedMs: this.#deps.clockMs() })
  }

  #answer(times: CommitTimes): void {
    const latency = new LatencyLedger(times, this.#deps.monotonicMs())
    this.#floor.begin('reply', { latency }).answer()
  }
}

const counter =
  (last = 0) =>
  () =>
    ++last
