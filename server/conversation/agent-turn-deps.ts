/** What an agent turn needs, and what it tells. */
import type { ProfileSettings } from '../agent-settings.ts'
import type { EndReason } from '../call/call-state.ts'
import type { ProviderError } from '../errors.ts'
import type { Playback } from '../media/playback.ts'
import type { LlmProvider } from '../providers/llm.ts'
import type { LineVoice } from '../providers/tts.ts'
import type { CallControl } from './conversation-events.ts'
import type { History } from './history.ts'
import type { ActionGate } from './tool-hold.ts'

/** What happens when the whole turn was heard. */
export type AfterTurn =
  | { kind: 'listen' }
  | { kind: 'hangup'; reason: EndReason }
  /** `isLastResort`: nobody can go on with the call when it fails. */
  | { kind: 'transfer'; to: string; isLastResort?: true }
  /** Something of the agent's own follows: the greeting behind a legal notice. */
  | { kind: 'goOn'; next(): void }

export interface AgentTurnDeps {
  callId: string
  settings: ProfileSettings
  llm: LlmProvider
  tts: LineVoice
  playback: Playback
  control: CallControl
  history: History
  monotonicMs(): number
  nextSegmentId(): number
  /** Prompt, voice, phrases and recogniser follow. @throws ProviderError, and nothing has changed */
  switchLanguage(language: string): void
  /** For a request that is made now: what the model wants done waits there until it is sure what the user said. */
  actionGate(): ActionGate
}

export interface AgentTurnEvents {
  onTool(call: { name: string; arguments: string; result: string }): void
  /** True = try again (the voice), or apologise and go on (the model). False = give up. */
  onProviderFailed(part: 'llm' | 'tts', error: ProviderError): boolean
  onProviderWorked(part: 'llm' | 'tts'): void
  /** A sentence whose beginning is being spoken is now whole. */
  onGrown(): void
  /** Ask `done`: it may have changed. */
  onProgress(): void
}
