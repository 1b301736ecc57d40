/**
 * The life of a call, as one table.
 *
 *   inbound   ringing ─────────────► answered ───────────────► conversing ─► ending ─► ended
 *   outbound  dialing ─► ringing ──► answered ─► screening ──► conversing ─► ending ─► ended
 *
 * Any state may go to ending, always with one EndReason, and the first reason stays; ended is final. Pure: no I/O, no clock.
 */

export const CALL_STATES = [
  'dialing',
  'ringing',
  'answered',
  'screening',
  'conversing',
  'ending',
  'ended',
] as const
export type CallState = (typeof CALL_STATES)[number]

/** Why a call ended: a closed list, stored with the call and translated by the dashboard. */
export const END_REASONS = [
  'userHangup',
  'agentHangup',
  'adminHangup',
  'idle',
  'maxDuration',
  'transferred',
  'voicemail',
  'fax',
  'busy',
  'noAnswer',
  'noStream',
  'noMedia',
  'streamLost',
  'socketStalled',
  'providerFailed',
  'carrierFailed',
  'refused',
  'serverStopped',
  'internalError',
] as const
export type EndReason = (typeof END_REASONS)[number]

const LEGAL: Record<CallState, readonly CallState[]> = {
  dialing: ['ringing', 'answered', 'ending'],
  ringing: ['answered', 'ending'],
  answered: ['screening', 'conversing', 'ending'],
  screening: ['conversing', 'ending'],
  conversing: ['ending'],
  ending: ['ended'],
  ended: [],
}

export interface CallPhase {
  state: CallState
  endReason: EndReason | null
}

/** The phase after `next`, or null when the step is not legal (the caller counts it and stays where it was). */
export function advance(phase: CallPhase, next: CallState, reason?: EndReason): CallPhase | null {
  if (!LEGAL[phase.state].includes(next)) return null
  const endReason = phase.endReason ?? (next === 'ending' ? (reason ?? 'internalError') : null)
  return { state: next, endReason }
}

/** True once nothing more may be said on the call. */
export function isOver(phase: CallPhase): boolean {
  return phase.state === 'ending' || phase.state === 'ended'
}
