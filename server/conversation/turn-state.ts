/**
 * Who has the floor, as one table.
 *
 *               commit              voice               duck
 *   listening ─────────► thinking ─────────► speaking ◄──────► yielding
 *       ▲  ▲   withdraw      │      finished     │     resume       │
 *       │  └─────────────────┘                   │                  │
 *       └────────────────────────────────────────┴──────────────────┘  finished, takeFloor
 *   any ─► ended (end)
 *
 * `yielding` means: the user makes a sound over the agent, the agent is ducked, and it is not yet known whether the
 * user takes the floor. Pure: no clock, no I/O.
 */
import type { ConversationState } from './conversation-events.ts'

export type FloorEvent =
  /** The agent begins to prepare a turn: an answer, a greeting, an idle prompt. */
  | 'commit'
  /** The prepared turn is given up before anything was heard. */
  | 'withdraw'
  /** The first audio of the agent's turn went to the line. */
  | 'voice'
  | 'duck'
  | 'resume'
  | 'takeFloor'
  /** Everything the agent had to say was heard. */
  | 'finished'
  | 'end'

const TABLE: Record<ConversationState, Partial<Record<FloorEvent, ConversationState>>> = {
  listening: { commit: 'thinking', end: 'ended' },
  thinking: { withdraw: 'listening', voice: 'speaking', finished: 'listening', end: 'ended' },
  speaking: { duck: 'yielding', takeFloor: 'listening', finished: 'listening', end: 'ended' },
  yielding: { resume: 'speaking', takeFloor: 'listening', finished: 'listening', end: 'ended' },
  ended: {},
}

/** The state after `event`, or null when the table has no such step (the caller stays where it was). */
export function nextState(state: ConversationState, event: FloorEvent): ConversationState | null {
  return TABLE[state][event] ?? null
}

/** True while agent audio is on the line. */
export function agentHasFloor(state: ConversationState): boolean {
  return state === 'speaking' || state === 'yielding'
}
