/** What a conversation needs from the call around it. */
import type { FloorDeps } from './floor.ts'

/** callId, settings, llm, tts, playback, control, emit, clockMs, monotonicMs: see AgentTurnDeps and FloorDeps. */
export interface ConversationDeps extends Omit<
  FloorDeps,
  | 'history'
  | 'nextTurnId'
  | 'nextSegmentId'
  | 'switchLanguage'
  | 'actionGate'
  | 'beforeRecord'
  | 'beforeEnd'
> {
  agentName: string
  /** Level of the agent audio that the line has played since the last frame, dBFS; left out where nobody can echo it. */
  playedLevelDbfs?(): number
  /** False under load: no answer is begun on a partial, which a final might undo. Default: true. */
  speculates?(): boolean
  /** Values for {{name}} in the prompt and the greeting. */
  variables: Record<string, string>
}
