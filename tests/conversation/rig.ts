/**
 * A conversation with its surroundings under the test's control: a clock that only rig.run() moves, a user whose voice
 * the VAD sees with 200 ms of hangover, a model and a voice that say what the test tells them, a line that plays in
 * audio time. Nothing waits: run() lets pending promises finish after each frame of 20 ms.
 */
import {
  DEFAULT_SETTINGS,
  resolveProfile,
  type ProfileSettings,
} from '../../server/agent-settings.ts'
import { Conversation } from '../../server/conversation/conversation.ts'
import type {
  CallControl,
  ConversationEvent,
  Turn,
} from '../../server/conversation/conversation-events.ts'
import { ProviderError } from '../../server/errors.ts'
import type { Playback, PlaybackEvents } from '../../server/media/playback.ts'
import type { LlmEvent, LlmProvider, LlmRequest } from '../../server/providers/llm.ts'
import type { Transcript } from '../../server/providers/stt.ts'
import type {
  TtsEvent,
  TtsProvider,
  TtsRequest,
  TtsStreamRequest,
  Voice,
} from '../../server/providers/tts.ts'

const FRAME_MS = 20
const HANGOVER_MS = 200
/** The voice speaks 20 characters per second. */
export const MS_PER_CHARACTER = 50

/** One request to the model; the test feeds it. */
export class Answer {
  readonly request: LlmRequest
  readonly signal: AbortSignal
  readonly #events: (LlmEvent | Error)[] = []
  #wake: (() => void) | null = null

  constructor(request: LlmRequest, signal: AbortSignal) {
    this.request = request
    this.signal = signal
    signal.addEventListener('abort', () => this.#wake?.())
  }

  say(text: string): this {
    return this.#push({ kind: 'text', text })
  }

  tool(name: string, args = '{}'): this {
    return this.#push({ kind: 'toolCall', call: { id: `t-${name}`, name, arguments: args } })
  }

  done(): this {
    return this.#push({ kind: 'done', finishReason: 'stop', usage: null })
  }

  restart(): this {
    return this.#push({ kind: 'restart' })
  }

  fail(code = 'LLM_UNAVAILABLE'): this {
    return this.#push(new ProviderError(code, 'down'))
  }

  async *stream(): AsyncGenerator<LlmEvent> {
    while (!this.signal.aborted) {
      const event = this.#events.shift()
      if (event instanceof Error) throw event
      if (event) yield event
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  #push(event: LlmEvent | Error): this {
    this.#events.push(event)
    this.#wake?.()
    return this
  }
}

class Model implements LlmProvider {
  readonly name = 'test-llm'
  readonly scripted = true
  readonly answers: Answer[] = []
  async warm(): Promise<void> {}
  async close(): Promise<void> {}

  stream(request: LlmRequest, signal: AbortSignal): AsyncIterable<LlmEvent> {
    const answer = new Answer(request, signal)
    this.answers.push(answer)
    return answer.stream()
  }
}

class Speaker implements TtsProvider {
  readonly name = 'test-tts'
  readonly sampleRateHz = 16_000
  readonly spoken: string[] = []
  readonly voicesUsed: Voice[] = []
  /** So many of the next sentences fail. */
  failures = 0
  /** Speaks each word as soon as it is written. */
  isStreaming = false
  /** What was written, of each sentence that was spoken so. */
  readonly streamed: string[] = []

  streamsText(): boolean {
    return this.isStreaming
  }

  async *synthesizeStream(
    request: TtsStreamRequest,
    signal: AbortSignal,
  ): AsyncGenerator<TtsEvent> {
    const index = this.streamed.push('') - 1
    let at = 0
    for await (const piece of request.text) {
      if (signal.aborted) return
      if (this.failures > 0) {
        this.failures -= 1
        throw new ProviderError('TTS_UNAVAILABLE', 'down')
      }
      this.streamed[index] += piece
      for (const word of piece.matchAll(/\S+/g)) {
        const textOffset = at + word.index
        const offsetMs = textOffset * MS_PER_CHARACTER
        yield { kind: 'word', text: word[0], offsetMs, textOffset }
      }
      at += piece.length
      yield { kind: 'audio', pcm: new Int16Array(piece.length * MS_PER_CHARACTER * 16) }
    }
  }

  async warm(): Promise<void> {}
  async close(): Promise<void> {}

  async voices(): Promise<[]> {
    return []
  }

  async *synthesize(request: TtsRequest, signal: AbortSignal): AsyncGenerator<TtsEvent> {
    await Promise.resolve()
    if (signal.aborted) return
    if (this.failures > 0) {
      this.failures -= 1
      throw new ProviderError('TTS_UNAVAILABLE', 'down')
    }
    this.spoken.push(request.text)
    this.voicesUsed.push(request.voice)
    for (const word of request.text.matchAll(/\S+/g)) {
      const offsetMs = word.index * MS_PER_CHARACTER
      yield { kind: 'word', text: word[0], offsetMs, textOffset: word.index }
    }
    yield { kind: 'audio', pcm: new Int16Array(request.text.length * MS_PER_CHARACTER * 16) }
  }
}

interface PlayedSegment {
  id: number
  ms: number
  playedMs: number
  finished: boolean
  confirmed: boolean
}

/** Plays in audio time; confirms a segment with its last sample, unless the test loses the marks. */
export class Line implements Playback {
  readonly #heard = new Map<number, number>()
  #queue: PlayedSegment[] = []
  events: PlaybackEvents | null = null
  ducked = false
  clears = 0
  losesMarks = false
  paused = false
  /** While false nothing plays: the carrier has not started. */
  open = true

  append(segmentId: number, pcm: Int16Array): void {
    const segment = this.#queue.find((s) => s.id === segmentId)
    const ms = pcm.length / 16
    if (segment) segment.ms += ms
    else this.#queue.push({ id: segmentId, ms, playedMs: 0, finished: false, confirmed: false })
  }

  finish(segmentId: number): void {
    const segment = this.#queue.find((s) => s.id === segmentId)
    if (segment) segment.finished = true
  }

  clear(): void {
    this.#queue = []
    this.paused = false
    this.clears += 1
  }

  setDucked(ducked: boolean): void {
    this.ducked = ducked
  }

  setPaused(paused: boolean): void {
    this.paused = paused
  }

  heardMs(segmentId: number): number {
    return this.#heard.get(segmentId) ?? 0
  }

  get busy(): boolean {
    return this.losesMarks ? this.#queue.length > 0 : this.#queue.some((s) => !s.confirmed)
  }

  advance(atMs: number): void {
    if (!this.open || this.paused) return
    const segment = this.#queue.find((s) => !s.confirmed && (s.playedMs < s.ms || s.finished))
    if (!segment) return
    const first = segment.playedMs === 0
    segment.playedMs = Math.min(segment.ms, segment.playedMs + FRAME_MS)
    this.#heard.set(segment.id, segment.playedMs)
    if (first) this.events?.onSegmentStarted(segment.id, atMs)
    if (segment.finished && segment.playedMs >= segment.ms) {
      segment.confirmed = true
      if (!this.losesMarks) this.events?.onSegmentHeard(segment.id, atMs)
    }
  }
}

export class Rig {
  readonly llm = new Model()
  readonly tts = new Speaker()
  readonly line = new Line()
  readonly events: ConversationEvent[] = []
  readonly hangups: string[] = []
  readonly digitsSent: string[] = []
  readonly transfers: string[] = []
  readonly languages: string[] = []
  speculates = true
  /** Level of the user's voice. */
  voiceDbfs = -20
  readonly toolCalls: { name: string; args: string; signal: AbortSignal }[] = []
  /** Answers the newest HTTP tool. */
  toolAnswers: (result: string) => void = () => undefined
  transferFails = false
  nowMs = 0
  readonly conversation: Conversation
  #voice = false
  #speech = false
  #speechStartMs = 0
  #lastVoicedMs = 0

  constructor(settings: Partial<ProfileSettings> = {}) {
    const control: CallControl = {
      hangup: (reason) => void this.hangups.push(reason),
      transfer: async (to) => {
        this.transfers.push(to)
        if (this.transferFails) throw new Error('busy')
      },
      sendDigits: async (digits) => void this.digitsSent.push(digits),
      switchLanguage: (language) => void this.languages.push(language),
      callTool: (tool, args, signal) => {
        this.toolCalls.push({ name: tool.name, args, signal })
        return new Promise((resolve) => (this.toolAnswers = resolve))
      },
    }
    this.conversation = new Conversation({
      callId: 'call-1',
      settings: {
        ...resolveProfile(DEFAULT_SETTINGS, 'browser'),
        firstMessageMode: 'wait-for-user',
        ...settings,
      },
      llm: this.llm,
      tts: this.tts,
      playback: this.line,
      control,
      emit: (event) => void this.events.push(structuredClone(event)),
      clockMs: () => this.nowMs,
      monotonicMs: () => this.nowMs,
      agentName: 'Andrea',
      speculates: () => this.speculates,
      variables: { name: 'Luis' },
    })
    this.line.events = this.conversation
  }

  /** Lets the call go on for `ms` of audio time; the user's voice is on or off as said last. */
  async run(ms: number): Promise<void> {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs;) {
      await new Promise(setImmediate)
      this.nowMs += FRAME_MS
      this.line.advance(this.nowMs)
      this.conversation.userFrame(this.#detect())
    }
    await new Promise(setImmediate)
  }

  /** The user makes sound for `ms`. */
  async sound(ms: number): Promise<void> {
    this.#voice = true
    await this.run(ms)
    this.#voice = false
  }

  /** Without times: of the newest sound, up to its last voiced sample. */
  partial(text: string, startMs = this.#speechStartMs, endMs = this.#lastVoicedMs): void {
    this.conversation.partial(transcript(text, startMs, endMs))
  }

  final(text: string, startMs = this.#speechStartMs, endMs = this.#lastVoicedMs): void {
    this.conversation.final(transcript(text, startMs, endMs))
  }

  /** The user says `text` in `ms`; the final comes 300 ms after the sound, as Azure's do at best. */
  async user(text: string, ms = 600): Promise<void> {
    await this.sound(ms)
    await this.run(300)
    this.final(text)
    await this.run(20)
  }

  /** The newest request to the model. */
  get answer(): Answer {
    const answer = this.llm.answers.at(-1)
    if (!answer) throw new Error('the model was not asked')
    return answer
  }

  /** The model answers with `text` at once; runs until the first audio is on the line. */
  async reply(text: string): Promise<void> {
    this.answer.say(text).done()
    await this.run(60)
  }

  /** The finished turns. */
  get turns(): Turn[] {
    return this.events.flatMap((event) =>
      event.kind === 'turn' && event.final ? [event.turn] : [],
    )
  }

  of<K extends ConversationEvent['kind']>(kind: K): Extract<ConversationEvent, { kind: K }>[] {
    return this.events.filter((event) => event.kind === kind) as Extract<
      ConversationEvent,
      { kind: K }
    >[]
  }

  get states(): string[] {
    return this.of('state').map((event) => event.state)
  }

  #detect() {
    const wasSpeech = this.#speech
    if (this.#voice) {
      if (!wasSpeech) this.#speechStartMs = this.nowMs - FRAME_MS
      this.#speech = true
      this.#lastVoicedMs = this.nowMs
    } else if (this.nowMs - this.#lastVoicedMs >= HANGOVER_MS) this.#speech = false
    return {
      atMs: this.nowMs,
      speech: this.#speech,
      probability: this.#voice ? 1 : 0,
      levelDbfs: this.#voice ? this.voiceDbfs : -60,
      voicedLevelDbfs: this.#voice ? this.voiceDbfs : -90,
      onset: this.#speech && !wasSpeech,
      offset: wasSpeech && !this.#speech,
      speechStartMs: this.#speechStartMs,
      lastVoicedMs: this.#lastVoicedMs,
    }
  }
}

function transcript(text: string, startMs: number, endMs: number): Transcript {
  const times = { startMs, endMs: Math.max(startMs, endMs) }
  return { text, language: 'es-MX', ...times, confidence: null, words: [] }
}

export const LONG_REPLY =
  'Con mucho gusto le explico todos los beneficios. Son tres y los vemos uno por uno con calma.'

/** A call in which the agent has just begun to say `text`. */
export async function speaking(
  settings: Partial<ProfileSettings> = {},
  text = LONG_REPLY,
): Promise<Rig> {
  const rig = new Rig(settings)
  rig.conversation.start()
  await rig.user('Quiero información.')
  await rig.reply(text)
  if (rig.conversation.state !== 'speaking') throw new Error(`state is ${rig.conversation.state}`)
  return rig
}
