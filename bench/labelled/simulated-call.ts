/**
 * A call without sockets: the real Conversation in audio time, a line that plays at the speed of the clock, a model and a
 * voice that answer at once with what they are given. Runs as fast as the processor goes; nothing in it waits.
 */
import {
  DEFAULT_SETTINGS,
  resolveProfile,
  type ProfileSettings,
} from '../../server/agent-settings.ts'
import { Conversation } from '../../server/conversation/conversation.ts'
import type { ConversationEvent } from '../../server/conversation/conversation-events.ts'
import type { Playback, PlaybackEvents } from '../../server/media/playback.ts'
import type { LlmEvent, LlmProvider } from '../../server/providers/llm.ts'
import type { TtsEvent, TtsProvider, TtsRequest } from '../../server/providers/tts.ts'
import type { Detection } from '../../dsp/slot.ts'
import type { RecognitionEvent } from './scripted-recogniser.ts'
import { FRAME_MS } from './user-line.ts'

/** The agent's voice comes at the line's rate: what is played is what the user's echo is made of. */
const RATE_HZ = 8_000
const FRAME_SAMPLES = (RATE_HZ * FRAME_MS) / 1_000
const DUCK_GAIN = 10 ** (-12 / 20)

/** A text of the agent and the audio of each of its sentences. */
export interface AgentSpeech {
  text: string
  pcmOf: ReadonlyMap<string, Int16Array>
}

export interface SimulatedCallOptions {
  settings: Partial<ProfileSettings>
  /** What the agent answers to the first turn; null: never. */
  answer: AgentSpeech | null
}

export class SimulatedCall {
  readonly events: ConversationEvent[] = []
  readonly line = new SimulatedLine()
  readonly conversation: Conversation
  nowMs = 0

  constructor(options: SimulatedCallOptions) {
    this.conversation = new Conversation({
      callId: 'bench',
      settings: {
        ...resolveProfile(DEFAULT_SETTINGS, 'twilio'),
        firstMessageMode: 'wait-for-user',
        ...options.settings,
      },
      llm: modelOf(options.answer?.text ?? null),
      tts: voiceOf(options.answer?.pcmOf ?? new Map()),
      playback: this.line,
      control: {
        hangup: () => {},
        transfer: async () => {},
        sendDigits: async () => {},
        switchLanguage: () => {},
        callTool: async () => 'ok',
      },
      emit: (event) => void this.events.push(structuredClone(event)),
      clockMs: () => this.nowMs,
      monotonicMs: () => this.nowMs,
      agentName: 'Andrea',
      sentLevelDbfs: () => this.line.sentLevelDbfs(),
      variables: {},
    })
    this.line.events = this.conversation
  }

  /** 20 ms: what the user said in them, then what the recogniser says by their end. */
  async frame(detection: Detection, recognised: readonly RecognitionEvent[]): Promise<void> {
    this.nowMs = detection.atMs + FRAME_MS
    this.conversation.userFrame(detection)
    for (const { isFinal, transcript } of recognised) {
      if (isFinal) this.conversation.final(transcript)
      else this.conversation.partial(transcript)
    }
    this.line.advance(this.nowMs)
    if (!this.line.settled) await new Promise(setImmediate)
  }
}

interface Played {
  id: number
  pcm: Int16Array
  at: number
  finished: boolean
  confirmed: boolean
}

/** Plays 160 samples with every advance(); the user hears them at once. */
export class SimulatedLine implements Playback {
  events: PlaybackEvents | null = null
  paused = false
  /** The frame just played; silence when there was none. */
  readonly frame = new Int16Array(FRAME_SAMPLES)
  pauses = 0
  /** How long the agent was silenced, and how long it was only softer, ms. */
  pausedMs = 0
  duckedMs = 0
  /** Audio of the agent that was played in all, ms. */
  playedMs = 0
  #queue: Played[] = []
  readonly #heard = new Map<number, number>()
  #gain = 1
  #levelDbfs = -90

  append(segmentId: number, pcm: Int16Array): void {
    const known = this.#queue.find((one) => one.id === segmentId)
    if (!known) {
      this.#queue.push({ id: segmentId, pcm, at: 0, finished: false, confirmed: false })
      return
    }
    const joined = new Int16Array(known.pcm.length + pcm.length)
    joined.set(known.pcm)
    joined.set(pcm, known.pcm.length)
    known.pcm = joined
  }

  finish(segmentId: number): void {
    const segment = this.#queue.find((one) => one.id === segmentId)
    if (segment) segment.finished = true
  }

  clear(): void {
    this.#queue = []
    this.paused = false
  }

  setDucked(ducked: boolean): void {
    this.#gain = ducked ? DUCK_GAIN : 1
  }

  setPaused(paused: boolean): void {
    if (paused && !this.paused) this.pauses += 1
    this.paused = paused
  }

  heardMs(segmentId: number): number {
    return this.#heard.get(segmentId) ?? 0
  }

  get busy(): boolean {
    return this.#queue.some((one) => !one.confirmed)
  }

  /** True when no promise is at work: while audio plays, or while nothing was asked. */
  get settled(): boolean {
    return this.#queue.length > 0
  }

  sentLevelDbfs(): number {
    return this.#levelDbfs
  }

  get isSounding(): boolean {
    return this.#levelDbfs > -60
  }

  advance(atMs: number): void {
    this.frame.fill(0)
    this.#levelDbfs = -90
    if (this.paused) this.pausedMs += FRAME_MS
    else if (this.#gain < 1) this.duckedMs += FRAME_MS
    if (this.paused) return
    const segment = this.#queue.find((one) => !one.confirmed)
    if (!segment) return
    const isFirst = segment.at === 0
    const piece = segment.pcm.subarray(segment.at, segment.at + FRAME_SAMPLES)
    for (let i = 0; i < piece.length; i++) this.frame[i] = Math.round((piece[i] ?? 0) * this.#gain)
    this.#levelDbfs = levelDbfs(this.frame)
    segment.at += piece.length
    this.playedMs += (piece.length * 1_000) / RATE_HZ
    this.#heard.set(segment.id, (segment.at * 1_000) / RATE_HZ)
    if (isFirst && piece.length > 0) this.events?.onSegmentStarted(segment.id, atMs)
    if (segment.finished && segment.at >= segment.pcm.length) {
      segment.confirmed = true
      this.events?.onSegmentHeard(segment.id, atMs)
    }
  }
}

export function levelDbfs(pcm: Int16Array): number {
  let power = 0
  for (const sample of pcm) power += sample * sample
  const level = 10 * Math.log10(power / Math.max(1, pcm.length) / 32_768 ** 2)
  return Math.max(-90, level)
}

function modelOf(text: string | null): LlmProvider {
  return {
    name: 'bench-llm',
    scripted: true,
    warm: async () => {},
    close: async () => {},
    async *stream(_request, signal): AsyncGenerator<LlmEvent> {
      if (text === null) {
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        return
      }
      yield { kind: 'text', text }
      yield { kind: 'done', finishReason: 'stop', usage: null }
    },
  }
}

function voiceOf(pcmOf: ReadonlyMap<string, Int16Array>): TtsProvider {
  return {
    name: 'bench-tts',
    sampleRateHz: RATE_HZ,
    warm: async () => {},
    close: async () => {},
    voices: async () => [],
    async *synthesize({ text }: TtsRequest): AsyncGenerator<TtsEvent> {
      const pcm = pcmOf.get(text)
      if (pcm) yield { kind: 'audio', pcm }
    },
  }
}
