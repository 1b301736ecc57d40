/**
 * A call without sockets: the real Conversation in audio time, on the line that it is given (rig-line.ts), with a model and a
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
import { FRAME_MS, TTS_RATE_HZ } from './user-line.ts'

/** The agent's mouth, and how loud what it plays is, dBFS. */
export interface CallLine extends Playback {
  events: PlaybackEvents | null
  playedLevelDbfs(): number
}

/** A text of the agent and the audio of each of its sentences. */
export interface AgentSpeech {
  text: string
  pcmOf: ReadonlyMap<string, Int16Array>
}

export interface SimulatedCallOptions {
  settings: Partial<ProfileSettings>
  /** What the agent answers to the first turn; null: never. */
  answer: AgentSpeech | null
  line: CallLine
}

export class SimulatedCall {
  readonly events: ConversationEvent[] = []
  readonly line: CallLine
  readonly conversation: Conversation
  nowMs = 0

  constructor(options: SimulatedCallOptions) {
    this.line = options.line
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
      playedLevelDbfs: () => this.line.playedLevelDbfs(),
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
    // No promise is at work while audio plays.
    if (!this.line.busy) await new Promise(setImmediate)
  }
}

/** A line for calls in which the agent says nothing. */
export class SilentLine implements CallLine {
  events: PlaybackEvents | null = null
  readonly paused = false
  readonly busy = false
  append(): void {}
  finish(): void {}
  clear(): void {}
  setDucked(): void {}
  setPaused(): void {}
  heardMs(): number {
    return 0
  }
  playedLevelDbfs(): number {
    return -90
  }
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
    sampleRateHz: TTS_RATE_HZ,
    warm: async () => {},
    close: async () => {},
    voices: async () => [],
    async *synthesize({ text }: TtsRequest): AsyncGenerator<TtsEvent> {
      const pcm = pcmOf.get(text)
      if (pcm) yield { kind: 'audio', pcm }
    },
  }
}
