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
import { NumberRows, RowHolder, type NumberRow } from './number-rows.ts'

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

/** Places in a clock's row: wall time before which no frame is due to a line that plays, for the wheel; Infinity while it does not, … */
const DUE = 0
/** … wall time at which the carrier has played everything sent so far, … */
const BUSY_UNTIL = 1
/** … when the last frame left, and the position in the agent's audio at its end, … */
const SENT = 2
const SENT_AGENT = 3
/** … the lead; 0 until the first turn behind the burst that filled the line, … */
const LEAD = 4
/** … the position that the frames which are no longer in the ring have played, … */
const PLAYED_AGENT = 5
/** … the ring's oldest entry and their number, … */
const FIRST = 6
const COUNT = 7
/** … the time of the line's last turn or look, and for each entry of the ring when it ends and the position at its end. */
const NOW = 8
const ENTRIES = 9

const rows = new NumberRows(ENTRIES + 2 * RING)

export class LineClock extends RowHolder {
  /** The line was filled, and one frame follows at each turn. */
  #steady = false

  constructor() {
    super(rows)
  }

  /** Its first number is the wall time before which dueWhilePlaying() is false, or nothing is there to be sent. */
  get dueRow(): NumberRow {
    return this.row
  }

  /** Wall time of the line's last turn or look: what is asked between them is answered for it. */
  get nowMs(): number {
    return this.v[this.at + NOW]!
  }

  set nowMs(nowMs: number) {
    this.v[this.at + NOW] = nowMs
  }

  /** Wall time at which the carrier has played everything sent so far. */
  get busyUntilMs(): number {
    return this.v[this.at + BUSY_UNTIL]!
  }

  /** Position in the agent's audio at the end of the last frame that left. */
  get sentAgentMs(): number {
    return this.v[this.at + SENT_AGENT]!
  }

  /** Is it time to send a frame? */
  due(nowMs: number): boolean {
    const aheadMs = this.v[this.at + BUSY_UNTIL]! - nowMs
    return aheadMs <= (nowMs <= this.v[this.at + SENT]! ? SEND_AHEAD_MS : this.#aheadMs())
  }

  /** What lies ahead, at most, when the next frame is due to a look that comes later than the last frame. */
  #aheadMs(): number {
    if (!this.#steady) return SEND_AHEAD_MS
    const leadMs = this.v[this.at + LEAD]!
    return leadMs === 0 ? LEAD_MOST_MS : leadMs + EARLY_MS
  }

  /** Is it time to send a frame to a line that still plays? One that has run dry is no matter of milliseconds. */
  dueWhilePlaying(nowMs: number): boolean {
    if (nowMs < this.v[this.at + BUSY_UNTIL]!) return this.due(nowMs)
    this.v[this.at + DUE] = Infinity
    return false
  }

  /** True when the carrier has nothing left to play. */
  dry(nowMs: number): boolean {
    return this.v[this.at + BUSY_UNTIL]! <= nowMs
  }

  /** No frame is there to be sent: the batch that brings one serves the line itself, and no look need come before. */
  wanting(): void {
    this.v[this.at + DUE] = Infinity
  }

  /** A frame left; `agentMs` is the position in the agent's audio at its end. */
  sent(nowMs: number, agentMs: number): void {
    const v = this.v
    const at = this.at
    this.#settle(nowMs)
    this.#keepLead(nowMs)
    v[at + SENT] = nowMs
    v[at + SENT_AGENT] = agentMs
    if (v[at + COUNT] === RING) this.#settleFirst()
    const busyUntilMs = Math.max(v[at + BUSY_UNTIL]!, nowMs) + FRAME_MS
    v[at + BUSY_UNTIL] = busyUntilMs
    const entry = this.#entry(v[at + FIRST]! + v[at + COUNT]!)
    v[entry] = busyUntilMs
    v[entry + 1] = agentMs
    v[at + COUNT]!++
    v[at + DUE] = busyUntilMs - this.#aheadMs()
  }

  /** A frame is about to leave: what lies ahead is the lead of the line, or tells that it has one from now on. */
  #keepLead(nowMs: number): void {
    const v = this.v
    const at = this.at
    const aheadMs = v[at + BUSY_UNTIL]! - nowMs
    if (aheadMs <= 0) this.#steady = false
    if (!this.#steady) {
      this.#steady = aheadMs > SEND_AHEAD_MS - FRAME_MS
      v[at + LEAD] = 0
    } else if (nowMs > v[at + SENT]!) {
      // The first turn behind a burst sets it: bursts begin when speech does, turns come every 20 ms.
      const nowLeadMs = v[at + LEAD] === 0 ? aheadMs : v[at + LEAD]!
      const stepMs = Math.max(-LEAD_STEP_MS, Math.min(LEAD_STEP_MS, aheadMs - nowLeadMs))
      v[at + LEAD] = Math.max(LEAD_LEAST_MS, Math.min(LEAD_MOST_MS, nowLeadMs + stepMs))
    }
  }

  /** Position in the agent's audio that the line has played at `nowMs`, ms; partial frames count by the clock. */
  playedAgentMs(nowMs: number): number {
    this.#settle(nowMs)
    const v = this.v
    const playedMs = v[this.at + PLAYED_AGENT]!
    if (v[this.at + COUNT] === 0) return playedMs
    const first = this.#entry(v[this.at + FIRST]!)
    const share = (nowMs - (v[first]! - FRAME_MS)) / FRAME_MS
    return playedMs + share * (v[first + 1]! - playedMs)
  }

  /** The carrier's buffer was emptied: position 0, nothing ahead. */
  clear(): void {
    const v = this.v
    v[this.at + DUE] = Infinity
    v[this.at + COUNT] = 0
    v[this.at + BUSY_UNTIL] = 0
    v[this.at + PLAYED_AGENT] = 0
    v[this.at + SENT_AGENT] = 0
    this.#steady = false
  }

  /** Index of the ring's entry `n`, counted from the first of the array. */
  #entry(n: number): number {
    // Whole numbers: a remainder of fractions is a division.
    return this.at + ENTRIES + 2 * ((n | 0) & (RING - 1))
  }

  #settle(nowMs: number): void {
    const v = this.v
    while (v[this.at + COUNT]! > 0 && v[this.#entry(v[this.at + FIRST]!)]! <= nowMs) {
      this.#settleFirst()
    }
  }

  #settleFirst(): void {
    const v = this.v
    const at = this.at
    v[at + PLAYED_AGENT] = Math.max(v[at + PLAYED_AGENT]!, v[this.#entry(v[at + FIRST]!) + 1]!)
    v[at + FIRST] = ((v[at + FIRST]! | 0) + 1) & (RING - 1)
    v[at + COUNT]!--
  }
}
