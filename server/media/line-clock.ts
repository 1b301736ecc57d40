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
 * Once it runs, a line is served at every turn that comes so much too early. Without, a turn 1 ms early finds no frame due, and every
 * later frame of the line leaves 20 ms behind the first ones.
 */
const STEADY_MS = 10
/** At most 8 frames lie ahead (send-ahead, a steady line's 10 ms, the one that plays); the rest is slack. */
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

  /** Wall time at which the carrier has played everything sent so far. */
  get busyUntilMs(): number {
    return this.#busyUntilMs
  }

  /** Is it time to send a frame? */
  due(nowMs: number): boolean {
    const aheadMs = SEND_AHEAD_MS + (this.#steady && nowMs > this.#sentMs ? STEADY_MS : 0)
    return this.#busyUntilMs - aheadMs <= nowMs
  }

  /** True when the carrier has nothing left to play. */
  dry(nowMs: number): boolean {
    return this.#busyUntilMs <= nowMs
  }

  /** A frame left; `agentMs` is the position in the agent's audio at its end. */
  sent(nowMs: number, agentMs: number): void {
    this.#settle(nowMs)
    const aheadMs = this.#busyUntilMs - nowMs
    const isFull = aheadMs > SEND_AHEAD_MS - FRAME_MS && nowMs > this.#sentMs
    this.#steady = aheadMs > 0 && (this.#steady || isFull)
    this.#sentMs = nowMs
    if (this.#count === RING) this.#settleFirst()
    this.#busyUntilMs = Math.max(this.#busyUntilMs, nowMs) + FRAME_MS
    const slot = (this.#first + this.#count) % RING
    this.#endMs[slot] = this.#busyUntilMs
    this.#agentMs[slot] = agentMs
    this.#count++
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
