/**
 * A call, from its stream's start to the last row in the journal. It owns the parts and connects them; every decision is
 * made elsewhere (call-state, watchdog, conversation/*).
 *
 *   stream ─► leg ─► onUserFrame ─┬─► stt ─► partial/final ─► conversation ─► playback (leg) ─► stream
 *                                 └────────── detection ────►┘
 *
 * Ending is written once, in #end: conversation, recogniser, leg, line, journal, in this order.
 */
import { performance } from 'node:perf_hooks'
import type { CarrierStream, LineControl, RecordingAction } from '../carriers/carrier.ts'
import { Conversation } from '../conversation/conversation.ts'
import type { CallControl } from '../conversation/conversation-events.ts'
import { EchoConversation } from '../conversation/echo.ts'
import { errorText, type ProviderError } from '../errors.ts'
import { Leg, type UserFrames } from '../media/leg.ts'
import type { NumberRow } from '../media/number-rows.ts'
import { recogniserFor, type LineRecogniser, type SttRateHz } from '../providers/stt.ts'
import { voiceFor, type LineVoice } from '../providers/tts.ts'
import { callHttpTool } from '../tools/call-http-tool.ts'
import type { Detection, ProgressTone } from '../../workers/pool.ts'
import type { CallDiary } from './call-diary.ts'
import type { CallDeps, CallFacts } from './call-facts.ts'
import { CallLine, type CallPhone } from './call-line.ts'
import { advance, isOver, type CallPhase, type EndReason } from './call-state.ts'
import { LiveRecogniser } from './live-recogniser.ts'
import type { RungIndex } from './load.ts'
import type { Party } from './phone-reports.ts'
import type { LiveCall } from './registry.ts'
import { Screening, type ScreeningAction } from './screening.ts'
import { StreamSlot } from './stream-slot.ts'
import { Watchdog } from './watchdog.ts'

/** The goodbye is really heard before hang-up, but a line that never confirms it is not kept open for ever. */
const GOODBYE_MAX_MS = 20_000
/** Ten times a second: its limits are seconds, and so are the load meter's windows. */
const WATCHDOG_EVERY_TURNS = 5
/** The dashboard's meter moves ten times a second; more would only cost. */
const METER_EVERY_FRAMES = 5

export class Call implements LiveCall, UserFrames {
  // What each frame needs comes first: it lies together in memory.
  readonly #leg: Leg
  readonly #conversation: Conversation | EchoConversation
  #recogniser: LiveRecogniser | null = null
  /** It is ending, or has ended. */
  #over = false
  /** Media has come since the watchdog last looked. */
  #mediaSeen = false
  #turns = 0
  #frames = 0
  #hangupAfterPlayback: { reason: EndReason; latestMs: number } | null = null
  readonly #stream: StreamSlot
  readonly id: string
  readonly ended: Promise<void>
  /** Told of ringing, busy, SIT, fax and an answering machine's beep; `atMs` is audio time. */
  onTone: ((tone: ProgressTone, atMs: number) => void) | null = null
  readonly #deps: CallDeps
  readonly #facts: CallFacts
  readonly #phone: CallPhone | null
  readonly #line: CallLine
  readonly #diary: CallDiary
  readonly #voice: LineVoice
  readonly #ear: LineRecogniser
  readonly #watchdog: Watchdog
  #phase: CallPhase = { state: 'answered', endReason: null }
  #screening: Screening | null = null
  #tallied = { sent: 0, missed: 0 }
  #resolveEnded: () => void = () => undefined

  /** Begins at once. @throws DspError DSP_NO_SLOT when the audio core is full. */
  constructor(
    facts: CallFacts,
    parts: {
      stream: CarrierStream
      line: LineControl
      diary: CallDiary
      phone?: CallPhone | undefined
    },
    deps: CallDeps,
  ) {
    this.id = facts.id
    this.#facts = facts
    this.#deps = deps
    this.#stream = new StreamSlot(parts.stream)
    this.#phone = parts.phone ?? null
    this.#diary = parts.diary
    this.#line = this.#openLine(parts.line)
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve
    })
    this.#watchdog = new Watchdog(performance.now())
    deps.providers.accounts.open(facts.id, (change) => {
      const event = { kind: 'providerSwitch', atMs: this.#leg.audioTimeMs, ...change } as const
      this.#diary.conversationEvent(event)
      this.#stream.sendEvent({ type: 'event', event })
    })
    const lineRateHz = facts.start.format.sampleRateHz
    this.#voice = voiceFor(deps.providers.tts, lineRateHz)
    this.#ear = recogniserFor(deps.providers.stt, lineRateHz)
    this.#leg = this.#openLeg()
    try {
      this.#conversation = this.#openConversation()
      if (!deps.echo) this.#recogniser = this.#openRecogniser()
    } catch (error) {
      deps.providers.accounts.close(facts.id)
      void this.#leg.close()
      throw error
    }
    this.degrade(deps.rung())
    deps.wheel.add(this)
    this.#diary.opened()
    this.#stream.sendEvent({
      type: 'started',
      callId: this.id,
      agentName: facts.agent.name,
      language: facts.settings.language,
    })
    if (!deps.echo) this.#line.opened()
    if (this.#phone?.direction === 'outbound' && facts.settings.machineDetection && !deps.echo) {
      this.#screening = new Screening(facts.settings, performance.now())
      this.#phase = advance(this.#phase, 'screening') ?? this.#phase
      for (const { party, mayLeaveMessage } of this.#phone.early) this.party(party, mayLeaveMessage)
    } else this.#converse()
  }

  get carrierCallId(): string {
    return this.#facts.start.carrierCallId
  }

  payload(payload: Uint8Array, timestampMs: number): void {
    this.#mediaSeen = true
    this.#leg.push(payload, timestampMs)
  }

  markPlayed(name: string): void {
    this.#leg.playout.markPlayed(name)
  }

  digit(digit: string): void {
    if (!this.#over) this.#conversation.digit(digit)
  }

  typed(text: string): void {
    if (!this.#over) this.#conversation.typed(text)
  }

  /** The process climbed to, or came down to, this rung: from 1 on without the bed, from 2 on without speculation. */
  degrade(rung: RungIndex): void {
    if (!this.#over) this.#leg.bedOn = rung < 1
  }

  /** A stream of this call has ended; one that was replaced before counts no more. */
  streamStopped(cause: 'stop' | 'close' | 'error', stream: CarrierStream | null = null): void {
    if (stream !== null && stream !== this.#stream.current) return
    if (this.#over) return
    this.#line.streamStopped(cause, performance.now())
  }

  /** The carrier has opened another stream for this call, which goes on where it was. */
  streamReplaced(stream: CarrierStream): void {
    if (this.#over) return stream.close()
    const nowMs = performance.now()
    const awayMs = this.#line.streamReplaced(nowMs)
    this.#stream.put(stream)
    this.#watchdog.mediaSeen(nowMs)
    this.#leg.resume(awayMs)
  }

  party(party: Party, mayLeaveMessage: boolean): void {
    const action = this.#screening?.verdict(party, mayLeaveMessage, performance.now())
    if (action) this.#screened(action)
  }

  record(action: RecordingAction): Promise<void> {
    return this.#line.record(action)
  }

  /** Ends the call now; idempotent, the first reason stays. */
  hangup(reason: EndReason): void {
    const ending = advance(this.#phase, 'ending', reason)
    if (!ending) return
    this.#phase = ending
    this.#over = isOver(ending)
    void this.#end(reason)
  }

  turn(nowMs: number): void {
    if (this.#over) return
    this.#leg.turn(nowMs)
    if (++this.#turns % WATCHDOG_EVERY_TURNS === 0) {
      this.#tally()
      if (this.#mediaSeen) this.#watchdog.mediaSeen(nowMs)
      this.#mediaSeen = false
      const dead = this.#watchdog.check(nowMs, this.#stream.bufferedBytes)
      if (dead) return this.hangup(dead)
      this.#line.tick(nowMs)
      if (this.#screening) this.#screened(this.#screening.tick(nowMs))
    }
    const goodbye = this.#hangupAfterPlayback
    if (goodbye && (!this.#leg.playout.busy || nowMs >= goodbye.latestMs))
      this.hangup(goodbye.reason)
  }

  get lookRow(): NumberRow {
    return this.#leg.playout.lookRow
  }

  look(nowMs: number): void {
    if (!this.#over) this.#leg.look(nowMs)
  }

  #tally(): void {
    const { framesSent, framesRefused, underruns } = this.#leg.playout.counters
    const missed = framesRefused + underruns
    this.#deps.tally.sent += framesSent - this.#tallied.sent
    this.#deps.tally.missed += missed - this.#tallied.missed
    this.#tallied = { sent: framesSent, missed }
  }

  #converse(): void {
    this.#phase = advance(this.#phase, 'conversing') ?? this.#phase
    this.#diary.conversing()
    this.#conversation.start()
  }

  #screened(action: ScreeningAction): void {
    if (action.kind === 'none' || this.#over) return
    this.#diary.noted('screening', action, this.#leg.audioTimeMs)
    if (action.kind === 'hangup') return this.hangup(action.reason)
    if (action.kind === 'talk') return this.#converse()
    if (this.#phase.state === 'screening')
      this.#phase = advance(this.#phase, 'conversing') ?? this.#phase
    const { settings } = this.#facts
    if (this.#conversation instanceof Conversation) {
      this.#conversation.leaveMessage(settings.voicemailMessage)
    }
  }

  #openLine(line: LineControl): CallLine {
    const { start, settings } = this.#facts
    return new CallLine({
      ...{ callId: this.id, start, settings, line, phone: this.#phone },
      onAway: () => {
        this.#stream.empty()
        // Nothing is said into the gap: what was not heard waits for the next stream.
        this.#leg.pause()
      },
      hangup: (reason) => this.hangup(reason),
      noted: (name, data) => this.#diary.noted(name, data, this.#leg.audioTimeMs),
      fault: (what) => this.#diary.fault(what),
    })
  }

  #openLeg(): Leg {
    const { settings, start, recordingPath } = this.#facts
    return new Leg({
      pool: this.#deps.pool,
      stream: this.#stream,
      format: start.format,
      sttRateHz: this.#echoRateHz ?? this.#ear.rateHz,
      ttsRateHz: this.#echoRateHz ?? this.#voice.sampleRateHz,
      settings: {
        vadSensitivity: settings.vadSensitivity,
        suppressNoise: settings.noiseSuppression,
        // A browser has neither a network's tones nor a keypad in its audio.
        tones: this.#stream.carrier !== 'browser',
        bed: this.#deps.echo ? 'none' : settings.backgroundSound,
        loopback: this.#deps.echo,
        bedGain: settings.backgroundVolume,
      },
      levels: !this.#deps.echo,
      recordingPath,
      playback: {
        onSegmentStarted: (id, atMs) => this.#conversation.onSegmentStarted(id, atMs),
        onAudioPrepared: () => this.#conversation.onAudioPrepared(),
        onSegmentHeard: (id, at, ms) => this.#conversation.onSegmentHeard(id, at, ms),
      },
      user: this,
      onDigit: start.digitsInBand ? (digit) => this.digit(digit) : undefined,
      onTone: (tone, atMs) => this.onTone?.(tone, atMs),
      onFault: (status) => {
        this.#diary.fault(`audio core status ${status}`)
        this.hangup('internalError')
      },
      onDropped: (queue, count) => this.#diary.dropped(queue, count),
    })
  }

  /** An echo is heard and comes at the rate at which a telephone line or a wider one has both; null for a conversation. */
  get #echoRateHz(): SttRateHz | null {
    if (!this.#deps.echo) return null
    return this.#facts.start.format.sampleRateHz <= 8_000 ? 8_000 : 16_000
  }

  #openConversation(): Conversation | EchoConversation {
    if (this.#deps.echo) return new EchoConversation()
    const { agent, settings } = this.#facts
    return new Conversation({
      callId: this.id,
      settings,
      llm: this.#deps.providers.llm,
      tts: this.#voice,
      playback: this.#leg.playout,
      control: this.#control(),
      emit: (event) => {
        this.#diary.conversationEvent(event)
        this.#stream.sendEvent({ type: 'event', event })
      },
      clockMs: () => this.#leg.audioTimeMs,
      monotonicMs: () => performance.now(),
      agentName: agent.name,
      playedLevelDbfs: () => this.#leg.playedLevelDbfs(performance.now()),
      speculates: () => this.#deps.rung() < 2,
      variables: this.#line.variables,
    })
  }

  #control(): CallControl {
    return {
      hangup: (reason) => {
        const latestMs = performance.now() + GOODBYE_MAX_MS
        this.#hangupAfterPlayback ??= { reason, latestMs }
      },
      transfer: (to) => this.#line.transfer(to),
      sendDigits: (digits) => this.#line.sendDigits(digits),
      switchLanguage: (language) => this.#recogniser?.switchTo(language, this.#leg.audioTimeMs),
      callTool: (tool, args, signal) =>
        callHttpTool({ callId: this.id, tool, args, signal }, this.#deps.httpTools),
    }
  }

  #openRecogniser(): LiveRecogniser {
    return new LiveRecogniser(this.#ear, this.#facts, {
      onPartial: (transcript) => this.#conversation.partial(transcript),
      onFinal: (transcript) => this.#conversation.final(transcript),
      onError: (error) => this.#recogniserFailed(error),
    })
  }

  #recogniserFailed(error: ProviderError): void {
    this.#diary.providerFailed('stt', error, this.#leg.audioTimeMs)
    this.#stream.sendEvent({ type: 'error', code: error.code, message: error.message })
    // Typed text and digits still work in the browser; a telephone call without ears cannot go on.
    if (this.#stream.carrier === 'browser') return
    if (this.#conversation instanceof Conversation) this.#conversation.giveUp()
    else this.hangup('providerFailed')
  }

  /** From the leg: 20 ms of the user. */
  userFrame(detection: Detection, pcm: Int16Array): void {
    if (this.#over) return
    this.#recogniser?.frame(detection, pcm)
    this.#conversation.userFrame(detection)
    if (++this.#frames % METER_EVERY_FRAMES !== 0 || this.#stream.carrier !== 'browser') return
    const { speech, probability, levelDbfs, atMs } = detection
    this.#stream.sendEvent({ type: 'vad', speech, probability, levelDbfs, atMs })
  }

  async #end(reason: EndReason): Promise<void> {
    this.#deps.wheel.remove(this)
    this.#conversation.close()
    this.#recogniser?.close()
    const usage = this.#deps.providers.accounts.close(this.id)
    const recording = this.#leg.close()
    this.#stream.sendEvent({ type: 'ended', reason })
    await this.#line.close(reason)
    this.#stream.close()
    try {
      const facts = await recording
      if (facts) this.#diary.recorded(facts)
    } catch (error) {
      this.#diary.fault(`recording lost: ${errorText(error)}`)
    }
    this.#phase = advance(this.#phase, 'ended') ?? this.#phase
    this.#diary.closed(reason, this.#leg, this.#deps.echo ? null : usage)
    this.#resolveEnded()
  }
}
