/**
 * The user's audio from the carrier into the lane: order, gaps and bursts.
 *
 *   payload + stream time ─► in order? ─► [ backlog ≤ 2 s ] ─► lane (0.5 s of L16, 1.9 s of PCMU)
 *                                └─► tap (recorder): the same 20 ms pieces of audio time
 *
 * The carriers run over TCP: a payload is late only where the carrier itself repeats or reorders. After a stall of the
 * network, or while the agent was looked up, a second of audio arrives in one burst, more than the lane may take at once.
 * A jump ahead in stream time is audio that never reached the carrier: short gaps are filled with silence so that audio
 * time keeps pace with the line, long ones (hold, network loss) are skipped.
 *
 * Invariants: never throws for what a stranger sent; what enters the lane is what the tap saw, in the same order.
 */
import type { AudioLane } from '../../workers/pool.ts'
import { FRAME_MS, payloadBytes, silentPayload, type AudioFormat } from './audio-format.ts'

/** Longer gaps are not a lost message or two but another situation; inventing silence for them helps nobody. */
const CONCEAL_MAX_FRAMES = 4
/** Two seconds: a burst longer than that is a dead line, and the watchdog's business. */
const BACKLOG_MAX_PAYLOADS = 100
/** So many late payloads in a row (200 ms) mean that the carrier's clock has jumped back: its new time is taken. */
const RESYNC_AFTER_LATE = 10
/** The lane takes whole multiples of 10 ms up to 100 ms. */
const LANE_STEP_MS = 10
const PAYLOAD_MAX_MS = 100

export interface UserAudioCounters {
  payloads: number
  latePayloads: number
  concealedFrames: number
  refusedPayloads: number
}

/** Follows audio time. Payloads are only valid during the call. */
export interface UserAudioTap {
  /** Audio that is on its way into the lane, the user's or concealment. */
  user(payload: Uint8Array): void
  /** Line time that will never be audio time: a long gap, or a payload that was refused. */
  skipped(ms: number): void
}

export class UserAudio {
  readonly #lane: Pick<AudioLane, 'pushUserPayload'>
  readonly #tap: UserAudioTap | null
  readonly #frameBytes: number
  #expectedMs: number | null = null
  #lateInARow = 0
  readonly counters: UserAudioCounters = {
    payloads: 0,
    latePayloads: 0,
    concealedFrames: 0,
    refusedPayloads: 0,
  }
  readonly #backlog: Uint8Array[] = []
  readonly #silence: Uint8Array

  constructor(
    lane: Pick<AudioLane, 'pushUserPayload'>,
    format: AudioFormat,
    tap: UserAudioTap | null = null,
  ) {
    this.#lane = lane
    this.#tap = tap
    this.#silence = silentPayload(format)
    this.#frameBytes = payloadBytes(format)
  }

  /** False when the payload was dropped: late, of a length that no codec has, or 2 s of audio are waiting already. */
  push(payload: Uint8Array, timestampMs: number): boolean {
    const isFrame = payload.length === this.#frameBytes
    const ms = isFrame ? FRAME_MS : (payload.length * FRAME_MS) / this.#frameBytes
    const aheadFrames = Math.round((timestampMs - (this.#expectedMs ?? timestampMs)) / FRAME_MS)
    if (aheadFrames < 0 && ++this.#lateInARow < RESYNC_AFTER_LATE) {
      this.counters.latePayloads++
      return false
    }
    this.#lateInARow = 0
    this.#expectedMs = timestampMs + ms
    if (aheadFrames > 0) this.#fillGap(aheadFrames)
    const legal = isFrame || (ms > 0 && ms <= PAYLOAD_MAX_MS && ms % LANE_STEP_MS === 0)
    if (!legal || !this.#take(payload)) {
      this.counters.refusedPayloads++
      this.#tap?.skipped(ms)
      return false
    }
    this.counters.payloads++
    return true
  }

  /** The next payload is the first of another stream, `awayMs` later: its timestamps have nothing to do with the old ones. */
  restart(awayMs: number): void {
    this.#expectedMs = null
    this.#lateInARow = 0
    if (awayMs > 0) this.#tap?.skipped(Math.round(awayMs / FRAME_MS) * FRAME_MS)
  }

  /** Moves the backlog into the lane as far as it has room. */
  turn(): void {
    while (this.#backlog.length > 0 && this.#lane.pushUserPayload(this.#backlog[0]!)) {
      this.#backlog.shift()
    }
  }

  #fillGap(frames: number): void {
    let concealed = 0
    while (concealed < Math.min(frames, CONCEAL_MAX_FRAMES) && this.#take(this.#silence))
      concealed++
    this.counters.concealedFrames += concealed
    if (concealed < frames) this.#tap?.skipped((frames - concealed) * FRAME_MS)
  }

  #take(payload: Uint8Array): boolean {
    if (this.#backlog.length > 0 || !this.#lane.pushUserPayload(payload)) {
      if (this.#backlog.length >= BACKLOG_MAX_PAYLOADS) return false
      this.#backlog.push(payload.slice())
    }
    this.#tap?.user(payload)
    return true
  }
}
