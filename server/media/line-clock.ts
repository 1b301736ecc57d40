/**
 * Line clock: what the carrier still has to play, by our own watch. A carrier plays one frame after the other and says
 * nothing between marks, so the moment at which each frame ends follows from when it was sent.
 *
 *   now ──► |▓▓▓ 20 ms|▓▓▓|▓▓▓|▓▓▓|            a frame is due while what lies ahead is 120 ms or less
 *                                 └ busyUntilMs
 *
 * Pacing and position are the same fact: the schedule is absolute as long as the line has audio, and begins anew when it
 * has run dry. A schedule of its own beside it would let the carrier's buffer grow by every stall.
 *
 * Invariants: no allocation per frame; the position never runs backwards between two clear().
 */
import { FRAME_MS } from './audio-format.ts'

/**
 * Frames sent before their time, so that a late timer, a busy second or a worker's replacement (70-165 ms) is rarely heard. With
 * 60 ms a stall of 100 ms delayed every later frame of a line that is fed in real time, because the line was full behind it.
 */
export const SEND_AHEAD_MS = 120
/**
 * A line that was filled keeps its lead: what lies ahead when it is served. It is looked at every 5 ms by the wheel while it plays, and
 * behind each batch of its user's audio; if whichever came first after a fixed moment served it, a look that came a little early or
 * late would let the next frame leave beside its place. The lead follows the looks this much a frame, so that one late look does not
 * move it; where they come every 5 ms it grows to its most, and stays.
 */
const LEAD_STEP_MS = 0.2
const LEAD_LEAST_MS = 95
const LEAD_MOST_MS = 130
/**
 * So much before its place a turn serves the line: half of the 5 ms between two looks. The lead follows the look that serves, so that
 * one stands in the middle, 2.5 ms from being too early and from coming too late. With the whole 5 ms the look before was always at
 * the edge of serving, and every one that came a moment early or late moved a frame by 5 ms.
 */
const EARLY_MS = 2.5
/** At most 8 frames lie ahead (the lead of a steady line, 5 ms, the one that plays); the rest is slack. */
const RING = 16

export class LineClock {
  readonly #endMs = new Float64Array(RING)
  readonly #agentMs = new Float64Array(RING)
  #first = 0
  #count = 0
  #busyUntilMs = 0
  #playedAgentMs = 0
  /** The line was filled, and one frame follows at each turn. */
  #steady = false
  #sentMs = 0
  /** null until the first turn behind the burst that filled it. */
  #leadMs: number | null = null

  /** Wall time at which the carrier has played everything sent so far. */
  get busyUntilMs(): number {
    return this.#busyUntilMs
  }

  /** Is it time to send a frame? */
  due(nowMs: number): boolean {
    const aheadMs = this.#busyUntilMs - nowMs
    if (!this.#steady || nowMs <= this.#sentMs) return aheadMs <= SEND_AHEAD_MS
    return aheadMs <= (this.#leadMs === null ? LEAD_MOST_MS : this.#leadMs + EARLY_MS)
  }

  /** Is it time to send a frame to a line that still plays? One that has run dry is no matter of milliseconds. */
  dueWhilePlaying(nowMs: number): boolean {
    return nowMs < this.#busyUntilMs && this.due(nowMs)
  }

  /** True when the carrier has nothing left to play. */
  dry(nowMs: number): boolean {
    return this.#busyUntilMs <= nowMs
  }

  /** A frame left; `agentMs` is the position in the agent's audio at its end. */
  sent(nowMs: number, agentMs: number): void {
    this.#settle(nowMs)
    this.#keepLead(nowMs)
    this.#sentMs = nowMs
    if (this.#count === RING) this.#settleFirst()
    this.#busyUntilMs = Math.max(this.#busyUntilMs, nowMs) + FRAME_MS
    const slot = (this.#first + this.#count) % RING
    this.#endMs[slot] = this.#busyUntilMs
    this.#agentMs[slot] = agentMs
    this.#count++
  }

  /** A frame is about to leave: what lies ahead is the lead of the line, or tells that it has one from now on. */
  #keepLead(nowMs: number): void {
    const aheadMs = this.#busyUntilMs - nowMs
    if (aheadMs <= 0) this.#steady = false
    if (!this.#steady) {
      this.#steady = aheadMs > SEND_AHEAD_MS - FRAME_MS
      this.#leadMs = null
    } else if (nowMs > this.#sentMs) {
      // The first turn behind a burst sets it: bursts begin when speech does, turns come every 20 ms.
      const offMs = aheadMs - (this.#leadMs ?? aheadMs)
      const stepMs = Math.max(-LEAD_STEP_MS, Math.min(LEAD_STEP_MS, offMs))
      const leadMs = (this.#leadMs ?? aheadMs) + stepMs
      this.#leadMs = Math.max(LEAD_LEAST_MS, Math.min(LEAD_MOST_MS, leadMs))
    }
  }

  /** Position in the agent's audio that the line has played at `nowMs`, ms; partial frames count by the clock. */
  playedAgentMs(nowMs: number): number {
    this.#settle(nowMs)
    if (this.#count === 0) return this.#playedAgentMs
    const startMs = this.#endMs[this.#first]! - FRAME_MS
    const share = (nowMs - startMs) / FRAME_MS
    return this.#playedAgentMs + share * (this.#agentMs[this.#first]! - this.#playedAgentMs)
  }

  /** The carrier's buffer was emptied: position 0, nothing ahead. */
  clear(): void {
    this.#count = 0
    this.#busyUntilMs = 0
    this.#playedAgentMs = 0
    this.#steady = false
  }

  #settle(nowMs: number): void {
    while (this.#count > 0 && this.#endMs[this.#first]! <= nowMs) this.#settleFirst()
  }

  #settleFirst(): void {
    this.#playedAgentMs = Math.max(this.#playedAgentMs, this.#agentMs[this.#first]!)
    this.#first = (this.#first + 1) % RING
    this.#count--
  }
}
