/** What a conversation tells the outside: stored by the journal, shown live by the dashboard, measured by metrics. */
import type { EndReason } from '../call/call-state.ts'
import type { HttpTool } from '../tools/http-tool.ts'

export interface TurnLatency {
  /** All ms, all durations; together with ownMs they add up to responseMs. The wait after the last voiced sample. */
  endpointingMs: number
  /** How much longer we waited for the transcript; null when nothing was spoken. */
  sttMs: number | null
  llmFirstTokenMs: number | null
  firstSentenceMs: number | null
  ttsFirstAudioMs: number | null
  /** Commit → request to the model. Part of ownMs. */
  queueMs?: number | null | undefined
  /** First audio handed to the audio core → first frame resampled, mixed and coded. Part of ownMs. */
  dspMs?: number | null | undefined
  /** The rest of first audio from the voice → first frame on the line: hold and pacing. Part of ownMs. */
  pacingMs?: number | null | undefined
  /** From the last voiced sample to the first agent audio sent to the line: the figure to quote. */
  responseMs: number
  /** Part of responseMs that no provider is responsible for (our own share). */
  ownMs: number
  /**
   * The way through the carrier and back: a mark's return − the moment at which what precedes it had been played by our
   * clock. Comes on top of responseMs: the user's words came one way, the answer goes the other. Of the turn's first mark,
   * else of the call's last one; null while the carrier has confirmed nothing.
   */
  carrierMs?: number | null | undefined
}

export interface Turn {
  turnId: number
  role: 'user' | 'agent'
  textSpoken: string
  /** For the agent: what the line played before the user took the floor. Equals textSpoken when nothing was cut. */
  textHeard: string
  truncated: boolean
  kind: 'reply' | 'greeting' | 'idle' | 'goodbye' | 'speech' | 'typed' | 'digits'
  startMs: number
  endMs: number
  latency: TurnLatency | null
}

export type ConversationState = 'listening' | 'thinking' | 'speaking' | 'yielding' | 'ended'

export type BargeInReason = 'words' | 'stopWord' | 'digit' | 'typed'

/** Why words of the user were no turn; `overlap`: too few to take the floor, and too old when the agent had finished. */
export type IgnoredReason =
  'blacklist' | 'tooShort' | 'tooQuiet' | 'backchannel' | 'echo' | 'overlap'

export type ConversationEvent =
  | { kind: 'state'; state: ConversationState; atMs: number }
  | { kind: 'partial'; text: string; atMs: number }
  /**
   * A finished turn, or (`final: false`) one that may still change: the agent's sentences as they begin to play, the
   * user's words while they can be corrected. The same `turnId` comes again; `final: true` comes once.
   */
  | { kind: 'turn'; turn: Turn; final: boolean }
  | { kind: 'bargeIn'; atMs: number; reason: BargeInReason; onsetMs: number }
  | { kind: 'ignored'; atMs: number; text: string; reason: IgnoredReason }
  | { kind: 'tool'; atMs: number; name: string; arguments: string; result: string }
  | { kind: 'providerError'; atMs: number; provider: string; code: string; message: string }
  /** Another provider serves this part of the call from now on; `code` is why. */
  | {
      kind: 'providerSwitch'
      atMs: number
      part: 'stt' | 'llm' | 'tts'
      from: string
      to: string
      code: string
    }

/** What the conversation asks of the call that owns it. */
export interface CallControl {
  /** Ends the call after everything appended to the playback was heard. */
  hangup(reason: EndReason): void
  transfer(to: string): Promise<void>
  sendDigits(digits: string): Promise<void>
  /** From now on the user speaks this language (BCP 47): the recogniser changes. @throws ProviderError */
  switchLanguage(language: string): void
  /** Asks a service of the user's own. @returns what the model is told, failures too; never rejects. */
  callTool(tool: HttpTool, args: string, signal: AbortSignal): Promise<string>
}
