/**
 * Conversation: connects what the user does with what the agent says. Wiring only; every decision is in its own file.
 *
 *   detections ─► endpointing ─┐                         ┌─► agent-turn ─► playback
 *   transcripts ─► user-words ─┼─► floor (turn-state) ───┤
 *   digits, typed text ────────┘       ▲                 └─► history, events
 *                                  barge-in ◄── while the agent speaks
 *
 * Rules: a final is never dropped. Behind the commit it corrects the stored turn and the history, and the answer is made
 * anew while it is unheard and nothing was done for it. Words from before the answer was heard, whose final comes later,
 * extend the turn being answered. Words over the agent that would have cut it are a turn also when it has finished.
 *
 * Time is the call's audio time; it advances with userFrame(), every 20 ms, and drives all timers.
 * Invariants: at most one agent turn at a time; the history holds only what was heard; after 'ended' nothing happens.
 */
import type { ProfileSettings } from '../agent-settings.ts'
import type { PlaybackEvents } from '../media/playback.ts'
import type { Transcript } from '../providers/stt.ts'
import type { Detection } from '../../workers/pool.ts'
import { BargeIn, type BargeInAction } from './barge-in.ts'
import type { ConversationDeps } from './conversation-deps.ts'
import type { BargeInReason, ConversationState, IgnoredReason } from './conversation-events.ts'
import { counter } from './counter.ts'
import { DigitEntry } from './digits.ts'
import { EchoGuard } from './echo-guard.ts'
import { Endpointing } from './endpointing.ts'
import { Floor } from './floor.ts'
import { greet } from './greeting.ts'
import { History } from './history.ts'
import { rejection } from './input-filter.ts'
import { ownSettings, promptIn, settingsIn } from './language.ts'
import { LatencyLedger, type CommitTimes } from './latency.ts'
import { LevelFilter } from './level-filter.ts'
import { PICK_UP_WORDS } from './old-words.ts'
import { StartHold } from './start-hold.ts'
import { ToolHold } from './tool-hold.ts'
import { agentHasFloor } from './turn-state.ts'
import { Unprompted } from './unprompted.ts'
import { UserTurns, type Said } from './user-turn.ts'
import { UserWords, type Correction } from './user-words.ts'
import { leaveMessage } from './voicemail.ts'
import { hasStopWord, isBackchannel, wordsOf } from './words.ts'

/** Longer typed input is cut: a page of text is no turn of a phone call. */
const TYPED_LIMIT = 2_000
export class Conversation implements PlaybackEvents {
  readonly #deps: ConversationDeps
  readonly #settings: ProfileSettings
  readonly #words = new UserWords()
  readonly #endpointing: Endpointing
  readonly #bargeIn: BargeIn
  readonly #history: History
  readonly #floor: Floor
  readonly #user: UserTurns
  readonly #digits = new DigitEntry()
  readonly #hold = new StartHold()
  readonly #actions: ToolHold
  readonly #unprompted: Unprompted
  /** There was a sound before the answer was heard whose words have not come. */
  #owesWords = false
  readonly #guard = new EchoGuard()
  readonly #level: LevelFilter
  /** The sound of the newest frame: likely the agent's own, and with a pitch. */
  readonly #sound = { isEcho: false, isVoice: true }

  constructor(deps: ConversationDeps) {
    const settings = ownSettings(deps.settings)
    this.#deps = deps
    this.#settings = settings
    this.#endpointing = new Endpointing(settings, () => deps.speculates?.() ?? true)
    this.#bargeIn = new BargeIn(settings)
    this.#level = new LevelFilter(settings)
    this.#unprompted = new Unprompted(settings, deps.clockMs())
    this.#history = new History(promptIn(settings, deps.agentName, deps.variables))
    const nextTurnId = counter()
    this.#user = new UserTurns({
      emit: deps.emit,
      nextTurnId,
      settled: (key) => this.#words.settled(key) && !this.#owesWords,
    })
    this.#actions = new ToolHold({
      clockMs: deps.clockMs,
      settled: (key) => this.#words.settled(key),
      isDisturbed: () => this.#hold.active || this.#owesWords,
    })
    this.#floor = new Floor({
      ...deps,
      settings,
      switchLanguage: (language) => this.#switchLanguage(language),
      actionGate: () => this.#actions.gate(),
      history: this.#history,
      nextTurnId,
      nextSegmentId: counter(),
      beforeRecord: () => this.#user.settle(),
      beforeEnd: () => this.#user.end(),
    })
  }

  get state(): ConversationState {
    return this.#floor.state
  }

  /** The greeting, by mode, behind the legal notice. Call once, when the line can play. */
  start(): void {
    greet(this.#floor, this.#settings, this.#deps.variables)
  }

  leaveMessage(message: string): void {
    if (this.state !== 'ended') leaveMessage(this.#floor, message, this.#deps)
  }

  /** 20 ms of user audio were looked at. */
  userFrame(detection: Detection): void {
    if (this.state === 'ended') return
    const playedDbfs = this.#deps.playedLevelDbfs?.() ?? -90
    this.#sound.isEcho = this.#guard.frame(playedDbfs, detection.levelDbfs, detection.speech)
    this.#sound.isVoice = detection.pitchHz !== 0
    this.#level.frame(detection)
    if (detection.onset) this.#speechStarted(detection)
    const { pitchHz = 0, voicedLevelDbfs = 0, lastVoicedMs } = detection
    const goesOn = this.#endpointing.frame({ pitchHz, voicedLevelDbfs, lastVoicedMs })
    if (goesOn) this.#speechStarted({ ...detection, speechStartMs: lastVoicedMs })
    if (detection.offset) this.#speechEnded(detection)
    if (!this.#floor.isTransferring) this.#tick(detection.atMs)
  }

  partial(transcript: Transcript): void {
    if (this.#isDeaf) return
    if (!this.#words.partial(transcript)) return
    this.#deps.emit({ kind: 'partial', text: this.#words.text, atMs: this.#deps.clockMs() })
    const heard = { isFinal: false, endMs: transcript.endMs }
    this.#endpointing.transcript(this.#words, this.#deps.clockMs(), heard)
    this.#wordsCame(transcript.startMs, false)
  }

  final(transcript: Transcript): void {
    if (this.#isDeaf) return
    const { corrections, isOpen } = this.#words.final(transcript)
    for (const correction of corrections) this.#correct(correction)
    const heard = { isFinal: true, endMs: transcript.endMs }
    this.#endpointing.transcript(this.#words, this.#deps.clockMs(), heard)
    if (transcript.text.trim() === '') this.#releaseHold()
    if (isOpen || this.state === 'listening') this.#wordsCame(transcript.startMs, true)
    this.#settleOwed()
  }

  /** Text from the dashboard's keyboard: a turn at once. */
  typed(text: string): void {
    const typed = text.trim().slice(0, TYPED_LIMIT)
    if (typed !== '' && this.#yieldTo('typed'))
      this.#commit({ kind: 'typed', text: typed, key: null }, null)
  }

  digit(digit: string): void {
    if (!/^[0-9*#A-D]$/.test(digit) || !this.#yieldTo('digit')) return
    const entry = this.#digits.push(digit, this.#deps.clockMs())
    if (entry !== null) this.#commit({ kind: 'digits', text: entry, key: null }, null)
  }

  onSegmentStarted(segmentId: number, atMs: number): void {
    const wasThinking = this.state === 'thinking'
    if (!this.#floor.segmentStarted(segmentId, atMs) || !wasThinking) return
    this.#hold.reset()
    this.#floor.agent?.release()
    this.#bargeIn.reset()
    this.#owesWords = this.#endpointing.pending
    this.#user.settle()
    const agent = this.#floor.agent
    const mayYield = agent?.interruptible === true && agent.kind !== 'greeting'
    if (this.#endpointing.speaking && mayYield) this.#apply(this.#bargeIn.goesOn(atMs, this.#sound))
  }

  onAudioPrepared(): void {
    this.#floor.agent?.audioPrepared()
  }

  onSegmentHeard(segmentId: number, _atMs: number, carrierMs: number | null = null): void {
    this.#floor.segmentHeard(segmentId, carrierMs)
    this.#floor.finishIfDone()
  }

  /** The call ends from outside: everything stops, the turn being spoken is recorded as far as it was heard. */
  close(): void {
    if (this.state === 'ended') return
    this.#floor.stop()
    this.#keepOpenWords()
    this.#floor.close()
  }

  /** Nobody can hear the user any more: an apology, then a person or the end, as set. */
  giveUp(): void {
    this.#floor.giveUp()
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
    if (agentHasFloor(this.state))
      this.#apply(this.#bargeIn.onset(detection.speechStartMs, this.#sound))
    else {
      this.#hold.start(detection.atMs)
      agent.hold()
    }
  }

  #speechEnded(detection: Detection): void {
    this.#endpointing.speechEnded(detection.lastVoicedMs)
    this.#bargeIn.offset(detection.atMs)
    this.#hold.speechEnded(detection.atMs, detection.lastVoicedMs - detection.speechStartMs)
  }

  #tick(atMs: number): void {
    const entry = this.#digits.tick(atMs)
    if (entry !== null) this.#commit({ kind: 'digits', text: entry, key: null }, null)
    if (agentHasFloor(this.state)) this.#apply(this.#bargeIn.tick(atMs, this.#sound))
    if (this.#hold.isOver(atMs)) this.#floor.agent?.release()
    this.#floor.agent?.settle(atMs)
    this.#floor.finishIfDone()
    if (this.state === 'listening') this.#decide(atMs)
    this.#settleOwed()
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
    if (isFinal && this.#extend()) return
    if (this.state === 'listening') return this.#decide(this.#deps.clockMs())
    const { text } = this.#words
    const agent = this.#floor.agent
    if (text === '' || !agent?.interruptible) return
    if (agent.kind === 'greeting' && wordsOf(text).length <= PICK_UP_WORDS) {
      if (this.state === 'thinking' || startMs < agent.startMs) return
    }
    if (agentHasFloor(this.state)) {
      const refused = isFinal && rejection(text, this.#settings) !== null
      const agentSpeech = agent.ledger.startedText
      const words = { text, isFinal: isFinal && this.#words.isFinal, startMs, agentSpeech, refused }
      this.#apply(this.#bargeIn.words(words))
    } else this.#goOn({ text, startMs, isFinal })
  }

  /** Words spoken before the answer was heard, and recognised since: the turn being answered gets them. */
  #extend(): boolean {
    const { text, endMs } = this.#words
    const turn = this.#user.newest
    const { replyMs } = this.#floor
    if (!turn || replyMs === null || text === '' || endMs > replyMs) return false
    const { language, stopWords } = this.#settings
    if (!this.#words.isFinal || hasStopWord(text, stopWords)) return false
    if (rejection(text, this.#settings) !== null) return false
    if (agentHasFloor(this.state) && isBackchannel(text, language)) {
      this.#ignore('backchannel')
      return true
    }
    const whole = this.#words.extend(turn.key)
    this.#endpointing.reset()
    this.#user.correct(turn.key, whole, endMs)
    this.#history.correctUser(turn.turnId, whole)
    this.#actions.changed()
    return true
  }

  /** Reports turns that waited for words once nothing is owed to them any more. */
  #settleOwed(): void {
    if (this.#owesWords && !this.#endpointing.pending) this.#owesWords = false
    this.#user.report()
    this.#actions.tick()
  }

  /** The user hangs up behind words that no turn was made of yet: they are stored, unanswered. */
  #keepOpenWords(): void {
    const { text, endMs } = this.#words
    if (text === '' || rejection(text, this.#settings) !== null) return
    const now = this.#deps.clockMs()
    const startMs = Math.min(this.#words.startMs, endMs)
    const said = { kind: 'speech', ...this.#words.commit(endMs) } as const
    this.#user.commit(said, { startMs, speechEndMs: endMs, dueMs: now, committedMs: now })
  }

  /** The user speaks again before the answer began: both parts are one turn, unless it is only a backchannel. */
  #goOn(words: { text: string; startMs: number; isFinal: boolean }): void {
    if (isBackchannel(words.text, this.#settings.language) && this.#floor.agent?.kind === 'reply') {
      if (!words.isFinal) return
      this.#ignore('backchannel')
      return this.#releaseHold()
    }
    this.#hold.reset()
    this.#floor.stop()
    const turn = this.#user.reopen()
    if (!turn) return
    this.#history.withdrawUser(turn.turnId)
    this.#words.reopen(turn.key)
    this.#endpointing.learnPause(words.startMs - turn.endMs)
    this.#endpointing.transcript(this.#words, this.#deps.clockMs())
  }

  /** The sound that the answer waited for held no words that change it. */
  #releaseHold(): void {
    if (!this.#hold.active || this.#endpointing.speaking) return
    this.#hold.reset()
    this.#floor.agent?.release()
  }

  #apply(action: BargeInAction): void {
    const agent = this.#floor.agent
    if (!agent || action.kind === 'none') return
    if (action.kind === 'takeFloor') return this.#takeFloor(action.reason, action.onsetMs)
    if (action.kind === 'pause') return this.#deps.playback.setPaused(true)
    if (action.kind === 'duck') return this.#floor.duck()
    this.#floor.resume()
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
    const level = this.#level.turn()
    const refusal =
      this.#floor.tooOld(this.#words) ?? rejection(this.#words.text, this.#settings) ?? level
    if (refusal !== null) return this.#ignore(refusal)
    const { startMs, speechEndMs, dueMs } = decision
    const said = { kind: 'speech', ...this.#words.commit(speechEndMs) } as const
    this.#endpointing.reset()
    this.#commit(said, { startMs, speechEndMs, dueMs, committedMs: atMs })
  }

  #ignore(reason: IgnoredReason): void {
    const { text } = this.#words
    this.#words.discard()
    this.#endpointing.reset()
    if (text !== '') this.#deps.emit({ kind: 'ignored', atMs: this.#deps.clockMs(), text, reason })
  }

  #switchLanguage(language: string): void {
    const { control, settings, agentName, variables } = this.#deps
    control.switchLanguage(language)
    Object.assign(this.#settings, settingsIn(settings, language))
    this.#history.systemPrompt = promptIn(this.#settings, agentName, variables)
  }

  /** `spoken` is null for what was typed or keyed: it has no speech to wait for. */
  #commit(said: Said, spoken: CommitTimes | null): void {
    const now = this.#deps.clockMs()
    const times = spoken ?? { startMs: now, speechEndMs: null, dueMs: now, committedMs: now }
    const turnId = this.#user.commit(said, times)
    this.#history.user(turnId, said.kind === 'digits' ? `DTMF: ${said.text}` : said.text)
    this.#unprompted.userTurn()
    this.#answer(times, said.key)
  }

  /** A final came for a turn that was committed without it, or from a partial with other words. */
  #correct({ key, text }: Correction): void {
    const corrected = this.#user.correct(key, text)
    if (!corrected) return
    this.#history.correctUser(corrected.turnId, text)
    if (this.#user.newest?.key !== key) return
    // Once the answer is being heard it stands: speaking twice is worse than an answer to slightly other words.
    const isUnheard = this.state === 'thinking' && this.#floor.agent?.kind === 'reply'
    if (!isUnheard || this.#actions.hasActed) return this.#actions.changed()
    this.#answer({ ...corrected.times, committedMs: this.#deps.clockMs() }, key)
  }

  #answer(times: CommitTimes, wordsKey: number | null): void {
    this.#actions.answering(wordsKey, times.speechEndMs)
    const latency = new LatencyLedger(times, this.#deps.monotonicMs())
    const agent = this.#floor.begin('reply', { latency })
    if (this.#hold.active) agent.hold()
    agent.answer()
  }
}
