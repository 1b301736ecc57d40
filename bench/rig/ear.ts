/**
 * Ear: what a user in a load test hears, from arrivals alone. The cheap sister of play-out.ts: no timeline, no memory.
 *
 *   payload ─► plays from max(arrival, end of the queue) ─► audible? onset, last sound
 *           └► its place in the run ─► late by …, spacing          clear ─► the queue is gone, a new run begins
 *
 * A run is agent audio without a hole. Frame k of a run is owed k·20 ms after the frame that was earliest by that
 * measure, so a server that sends ahead is on time as long as it keeps its lead, and loses it visibly when it is late.
 * The frame behind a hole of less than 200 ms is late; a longer hole is a pause of the agent. Both begin a new run,
 * because the server's schedule begins anew there as well: one hole is one late frame, not a late rest of the call.
 */
import { DECODED, SILENCE_BYTE } from './mulaw.ts'
import type { Histogram } from './histogram.ts'

const FRAME_MS = 20
const FRAME_BYTES = 160
const BYTES_PER_MS = 8
const PAUSE_MS = 200
/** A run begins with the frames that are sent ahead, all at once: their spacing is no jitter. */
const BURST_FRAMES = 8
/** −45 dBFS as in voice-activity.ts, as mean magnitude: far above idle noise, below ducked speech. */
const AUDIBLE_MAGNITUDE = 150
/** Every 4th sample is enough to tell speech from silence. */
const STRIDE = 4

/** Shared by all ears of a bench. */
export interface EarCounts {
  /** How much later than owed each frame came, ms. */
  lateness: Histogram
  /** |time since the message before − how long that one plays| within a run, ms. */
  jitter: Histogram
  frames: number
  /** Later than 20 ms. */
  lateFrames: number
  /** Holes of less than 200 ms at the user's ear. */
  holes: number
  /** Nothing is counted: the rig itself has just stopped the server, or hangs up. */
  paused?: boolean
}

export class Ear {
  readonly #counts: EarCounts
  #endMs = 0
  #lastArrivalMs = 0
  #lastFrames = 1
  #runFrames = 0
  #runLeastMs = 0
  #onsetMs: number | null = null
  #listenFromMs = 0
  #lastAudibleMs: number | null = null

  constructor(counts: EarCounts) {
    this.#counts = counts
  }

  /** From now on, the first audible sound that plays after `fromMs` is the onset. */
  listenFrom(fromMs: number): void {
    this.#listenFromMs = fromMs
    this.#onsetMs = null
  }

  /** When the agent was first heard after listenFrom(), or null. */
  get onsetMs(): number | null {
    return this.#onsetMs
  }

  /** End of the last audible frame that will have played, or null. */
  get lastAudibleMs(): number | null {
    return this.#lastAudibleMs
  }

  /** Audio that waits to be played, ms. */
  aheadMs(nowMs: number): number {
    return Math.max(0, this.#endMs - nowMs)
  }

  payload(payload: Uint8Array, nowMs: number): void {
    this.#judge(nowMs, Math.max(1, Math.round(payload.length / FRAME_BYTES)))
    const startMs = Math.max(nowMs, this.#endMs)
    this.#endMs = startMs + payload.length / BYTES_PER_MS
    if (!isAudible(payload)) return
    this.#lastAudibleMs = this.#endMs
    if (this.#onsetMs === null && startMs >= this.#listenFromMs) this.#onsetMs = startMs
  }

  /** The queue was emptied: what had not played is never heard. */
  clear(nowMs: number): void {
    this.#endMs = Math.min(this.#endMs, nowMs)
    if (this.#lastAudibleMs !== null) this.#lastAudibleMs = Math.min(this.#lastAudibleMs, nowMs)
    this.#runFrames = 0
  }

  #beginRun(nowMs: number): void {
    this.#runFrames = 0
    this.#runLeastMs = nowMs
  }

  /** `frames` came in one message: each is as late as the first. */
  #judge(nowMs: number, frames: number): void {
    const counts = this.#counts
    const holeMs = nowMs - this.#endMs
    if (holeMs > PAUSE_MS) this.#runFrames = 0
    else if (holeMs > 0 && this.#runFrames > 0 && !counts.paused) counts.holes++
    const offsetMs = nowMs - this.#runFrames * FRAME_MS
    if (this.#runFrames === 0) this.#runLeastMs = offsetMs
    this.#runLeastMs = Math.min(this.#runLeastMs, offsetMs)
    if (!counts.paused) this.#count({ nowMs, lateMs: offsetMs - this.#runLeastMs, frames })
    this.#lastArrivalMs = nowMs
    this.#lastFrames = frames
    if (holeMs > 0 && this.#runFrames > 0) this.#beginRun(nowMs)
    this.#runFrames += frames
  }

  #count({ nowMs, lateMs, frames }: { nowMs: number; lateMs: number; frames: number }): void {
    const counts = this.#counts
    if (this.#runFrames >= BURST_FRAMES) {
      const owedMs = this.#lastFrames * FRAME_MS
      counts.jitter.add(Math.abs(nowMs - this.#lastArrivalMs - owedMs))
    }
    for (let i = 0; i < frames; i++) counts.lateness.add(lateMs)
    counts.frames += frames
    if (lateMs > FRAME_MS) counts.lateFrames += frames
  }
}

function isAudible(payload: Uint8Array): boolean {
  let sum = 0
  let count = 0
  for (let i = 0; i < payload.length; i += STRIDE, count++) {
    sum += Math.abs(DECODED[payload[i] ?? SILENCE_BYTE] ?? 0)
  }
  return count > 0 && sum / count > AUDIBLE_MAGNITUDE
}
