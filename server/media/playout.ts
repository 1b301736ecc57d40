/**
 * Playout: sends the agent's audio to the line, one frame every 20 ms, and knows what the user has heard.
 *
 *   append(segment) ─► [ segment queue, JS heap ] ─► lane (worker: resample, mix, encode) ─► pacer ─► message ─► carrier
 *
 * Frames that are due together travel in one message.
 *
 * The carrier buffers too, so "sent" is not "heard". A mark behind each segment proves that it was played; between marks
 * the position is what was sent minus what must still lie in the carrier's buffer. A mark that comes back after clear()
 * proves nothing, so every mark belongs to an epoch and clear() begins a new one.
 *
 * Invariants: never blocks; the position of a segment never runs backwards; nothing of an old epoch is reported.
 * Used by: call.ts (wiring, wheel), conversation (append, clear, heardMs).   Decision: docs/adr/0004.
 */
import type { AudioLane, OutboundFrame } from '../../workers/pool.ts'
import type { CarrierStream } from '../carriers/carrier.ts'
import { FRAME_MS } from './audio-format.ts'
import { LineClock } from './line-clock.ts'
import type { NumberRow } from './number-rows.ts'
import { OutboundMessage } from './outbound-message.ts'
import type { Playback, PlaybackEvents } from './playback.ts'
import { SegmentQueue, type Segment } from './segment-queue.ts'

/** A mark that is this late will not come (a frozen browser tab, a lost message): the clock decides. */
const MARK_PATIENCE_MS = 3_000

export interface PlayoutCounters {
  framesSent: number
  /** Frames that the socket was too far behind to take: a hole of 20 ms each. */
  framesRefused: number
  /** Gaps that the user heard inside a sentence because its audio came too late. */
  underruns: number
}

export interface SentFrames {
  /** `endMs`: when the line will have played it, on the scale of turn(). */
  frameSent(payload: Uint8Array, endMs: number): void
}

export interface PlayoutDeps {
  lane: Pick<
    AudioLane,
    | 'pushAgentPcm'
    | 'agentSpaceSamples'
    | 'flushAgent'
    | 'hasPrepared'
    | 'nextOutbound'
    | 'clearAgent'
    | 'setAgentGainDb'
  >
  stream: CarrierStream
  ttsRateHz: number
  events: PlaybackEvents
  /** Audio time of the call, ms: goes into the events. */
  clockMs(): number
  /** Told of every frame that left. */
  sent: SentFrames
  onCleared(nowMs: number): void
  onDropped(samples: number): void
}

export class Playout implements Playback {
  readonly #queue: SegmentQueue
  readonly #line = new LineClock()
  readonly #lane: PlayoutDeps['lane']
  readonly #stream: CarrierStream
  readonly #sent: SentFrames
  #paused = false
  /** Audio was handed over while nothing played, and no batch has come back since. */
  #awaitsFrames = false
  /** The last frame carried the agent's voice. */
  #voiced = false
  /** Some of it has gone out since the last clear(). */
  #spoken = false
  readonly counters: PlayoutCounters = { framesSent: 0, framesRefused: 0, underruns: 0 }
  readonly #message = new OutboundMessage()
  readonly #deps: PlayoutDeps

  constructor(deps: PlayoutDeps) {
    this.#deps = deps
    this.#lane = deps.lane
    this.#stream = deps.stream
    this.#sent = deps.sent
    this.#queue = new SegmentQueue(deps.ttsRateHz, deps.onDropped)
  }

  /** The line is over; what is still called does nothing that anybody hears. */
  release(): void {
    this.#line.release()
  }

  /** Its first number is the wall time before which look() does nothing. */
  get lookRow(): NumberRow {
    return this.#line.dueRow
  }

  get busy(): boolean {
    return this.#queue.busy
  }

  append(segmentId: number, pcm: Int16Array): void {
    if (!this.#queue.busy) this.#awaitsFrames = true
    this.#queue.append(segmentId, pcm)
    if (!this.#paused) this.#queue.pump(this.#lane)
  }

  finish(segmentId: number): void {
    this.#queue.finish(segmentId)
    // The tail of a sentence is rarely a whole frame: it need not wait for more audio when none can come.
    if (this.#queue.drained && !this.#paused) this.#lane.flushAgent()
  }

  setDucked(ducked: boolean): void {
    this.#lane.setAgentGainDb(ducked ? -12 : 0)
  }

  get paused(): boolean {
    return this.#paused
  }

  setPaused(paused: boolean): void {
    if (paused === this.#paused) return
    this.#paused = paused
    if (!paused) return this.#queue.pump(this.#lane)
    const heardWhole = this.#queue.rewind(this.#line.playedAgentMs(this.#line.nowMs))
    this.#emptyLine()
    for (const segment of heardWhole) {
      this.#deps.events.onSegmentHeard(segment.id, this.#deps.clockMs())
    }
  }

  clear(): void {
    this.#paused = false
    this.#lane.setAgentGainDb(0)
    // Between replies only the bed is on the line, and clearing that would be heard as a hole.
    if (!this.#queue.busy && !this.#spoken) return
    this.#queue.clear(this.#line.playedAgentMs(this.#line.nowMs))
    this.#emptyLine()
  }

  /** Takes the agent's voice off the lane and out of the carrier's buffer: a new epoch begins at position 0. */
  #emptyLine(): void {
    this.#lane.clearAgent()
    // The owner may call from within a turn: what it does not want any more must not follow the clear.
    this.#message.discard()
    this.#stream.clear()
    this.#deps.onCleared(this.#line.nowMs)
    this.#line.clear()
    this.#voiced = false
    this.#spoken = false
  }

  heardMs(segmentId: number): number {
    return this.#queue.heardMs(segmentId, this.#line.playedAgentMs(this.#line.nowMs))
  }

  /**
   * A mark came back: its segment and those before it, whose marks were lost, have been played. Marks of an old epoch, or
   * never sent, are ignored.
   */
  markPlayed(name: string): void {
    this.#confirm(name, true)
  }

  #confirm(name: string, isFromCarrier: boolean): void {
    for (const segment of this.#queue.confirm(name)) {
      const isMeasured = isFromCarrier && segment.mark === name
      const playedAtMs = segment.markDeadlineMs - MARK_PATIENCE_MS
      const carrierMs = isMeasured ? Math.max(0, this.#line.nowMs - playedAtMs) : null
      this.#deps.events.onSegmentHeard(segment.id, this.#deps.clockMs(), carrierMs)
    }
  }

  /** A batch has come back: what is due of it leaves at once. */
  prepared(nowMs: number): void {
    if (this.#awaitsFrames) this.#deps.events.onAudioPrepared?.()
    this.#awaitsFrames = false
    this.turn(nowMs)
  }

  /** One turn of the wheel; `nowMs` is monotonic wall time. Sends what is due and feeds the lane. */
  turn(nowMs: number): void {
    this.#line.nowMs = nowMs
    const speaking = this.#queue.busy
    if (speaking && !this.#paused) this.#queue.pump(this.#lane)
    this.#sendDue(nowMs)
    if (!speaking) return
    if (this.#line.dry(nowMs)) this.#silence()
    // A segment may be finished after its last frame has left; its mark is due then.
    this.#sendMarks()
    const overdue = this.#queue.overdue(nowMs)
    if (overdue) this.#confirm(overdue.mark, false)
  }

  /** Between two turns: sends what is due to a line that plays. */
  look(nowMs: number): void {
    if (!this.#line.dueWhilePlaying(nowMs)) return
    this.#line.nowMs = nowMs
    this.#sendDue(nowMs)
  }

  #sendDue(nowMs: number): void {
    while (this.#line.due(nowMs)) {
      if (!this.#lane.hasPrepared) {
        this.#line.wanting()
        break
      }
      // The lane may use the bytes of the last frame again.
      this.#message.own()
      const frame = this.#lane.nextOutbound()
      if (!frame) break
      if (this.#message.isFull) this.#flush()
      this.#message.add(frame.payload)
      try {
        this.#leaves(frame, nowMs)
      } catch (error) {
        // Nothing may stay behind: other lines' frames will come to lie where this one does.
        this.#message.discard()
        throw error
      }
    }
    this.#flush()
  }

  /** What the frame that was added to the message means to the line and to the segments. */
  #leaves(frame: OutboundFrame, nowMs: number): void {
    const agentMs = frame.hasAgent ? frame.agentMs : this.#line.sentAgentMs
    // A frame that will be refused is gone too: it takes its 20 ms, or everything behind it would be thrown away at once.
    this.#line.sent(nowMs, agentMs)
    if (!frame.hasAgent) return this.#silence()
    this.#voiced = true
    this.#spoken = true
    for (const segment of this.#queue.startedBefore(agentMs)) {
      this.#deps.events.onSegmentStarted(segment.id, this.#deps.clockMs())
    }
    this.#sendMarks()
  }

  /** The frames that were added leave as one payload. */
  #flush(): void {
    const frames = this.#message.count
    const payload = this.#message.take()
    if (!payload) return
    if (!this.#stream.sendPayload(payload)) {
      this.counters.framesRefused += frames
      return
    }
    this.counters.framesSent += frames
    for (let i = 0; i < frames; i++) {
      const behind = frames - 1 - i
      this.#sent.frameSent(this.#message.frame(i), this.#line.busyUntilMs - behind * FRAME_MS)
    }
  }

  /** The agent's voice has stopped. Between sentences that is rest; within one it is an underrun. */
  #silence(): void {
    if (this.#voiced && this.#queue.insideSegment(this.#line.sentAgentMs)) this.counters.underruns++
    this.#voiced = false
  }

  #sendMarks(): void {
    let segment: Segment | null
    while ((segment = this.#queue.nextToMark(this.#line.sentAgentMs)) !== null) {
      segment.markDeadlineMs = Math.max(this.#line.busyUntilMs, this.#line.nowMs) + MARK_PATIENCE_MS
      // It must not overtake the audio that it proves.
      this.#flush()
      this.#stream.sendMark(segment.mark)
    }
  }
}
