/**
 * Audio lane: one call's way through the audio pool. A thin, counted face of its slot; batching is
 * the pool's.
 */
import { Slot, type Detection, type OutboundFrame } from '../dsp/slot.ts'

/**
 * What the pool reports about one lane; always on the main thread, never from within a lane's own
 * method.
 */
export interface LaneEvents {
  /** Each 20 ms of user audio, in order. Both arguments are reused: copy what you keep. */
  onUserFrame(detection: Detection, pcm: Int16Array): void
  /** Frames for the line are prepared, behind the results of a batch. `nowMs` is monotonic. */
  onPrepared?(nowMs: number): void
  /** The lane is dead; comes once, and the call must end. FAULT_TRAP or FAULT_OWNER says why. */
  onFault(status: number): void
}

/** The DSP core trapped in this slot. */
export const FAULT_TRAP = 1
/** onUserFrame threw: a bug of the owner, which must not reach the other calls of the batch. */
export const FAULT_OWNER = 2

/** What all lanes of a pool have in common: one object, the pool's. */
export interface LaneOwner {
  readonly counters: LaneCounters
  /** Set when a line waits for agent audio that is there: the next batch must not wait for the next tick. */
  hasStarving: boolean
  release(lane: AudioLane): void
  /** Something has changed that a worker may have to act on. */
  wake(lane: AudioLane): void
}

/** Counters of all lanes together; the pool's, written here. */
export interface LaneCounters {
  framesOut: number
  inboundOverflows: number
  agentOverflows: number
  badPayloads: number
  /** Audio, either way, for a lane that was closed or has faulted. */
  deadPushes: number
  /** Lanes that died of a trap or of their owner. */
  faults: number
}

/**
 * A sentence's tail shorter than a frame waits this long for more audio, then goes out padded with
 * silence.
 */
const TAIL_PATIENCE_MS = 40

export class AudioLane {
  readonly slot: number
  /** The pool's field. */
  faulted = false
  /** On the pool's list of lanes to look at. The pool's field. */
  isWaiting = false
  readonly events: LaneEvents
  readonly #slot: Slot
  readonly #owner: LaneOwner
  #closed = false
  #pushedSeen = 0
  #pushedAtMs = 0

  constructor(slot: Slot, events: LaneEvents, owner: LaneOwner) {
    this.slot = slot.index
    this.#slot = slot
    this.events = events
    this.#owner = owner
  }

  /** In a batch: the slot must not be cleared now. The pool's to set. */
  get inFlight(): boolean {
    return this.#slot.isHeld
  }

  set inFlight(isHeld: boolean) {
    this.#slot.isHeld = isHeld
  }

  get closed(): boolean {
    return this.#closed
  }

  /**
   * One carrier payload: a whole multiple of 10 ms up to 100 ms. False when it was dropped and
   * counted: another length, the ring is full (1.9 s of PCMU wait already), or the lane is dead.
   */
  pushUserPayload(payload: Uint8Array): boolean {
    if (this.#isDead()) return false
    const result = this.#slot.pushPayload(payload)
    if (result === 'taken') {
      this.#wakeUp()
      return true
    }
    if (result === 'full') this.#owner.counters.inboundOverflows++
    else this.#owner.counters.badPayloads++
    return false
  }

  /**
   * PCM at the lane's TTS rate from index `from` on; returns the samples taken (the ring holds 320
   * ms). None is counted: the ring is full, or the lane is dead.
   */
  pushAgentPcm(pcm: Int16Array, from: number): number {
    if (this.#isDead()) return 0
    const taken = this.#slot.pushPcm(pcm, from)
    if (taken > 0) {
      this.#wakeUp()
      if (this.#slot.isStarving) this.#owner.hasStarving = true
    } else if (pcm.length > from) this.#owner.counters.agentOverflows++
    return taken
  }

  get agentSpaceSamples(): number {
    return this.#closed ? 0 : this.#slot.agentSpaceSamples
  }

  /**
   * What was pushed is complete: its last, partial frame goes out now instead of after 40 ms
   * without news.
   */
  flushAgent(): void {
    if (this.#closed) return
    this.#slot.flushAgent()
    this.#wakeUp()
  }

  /** Drops agent audio and prepared frames at once; the bed goes on without a click. */
  clearAgent(): void {
    if (this.#closed) return
    this.#slot.clearAgent()
    this.#wakeUp()
  }

  /** Gain of the agent's own voice: 0 is normal, −12 ducked. Reached along a ramp of 20 ms. */
  setAgentGainDb(db: number): void {
    if (!this.#closed) this.#slot.setAgentGain(10 ** (Math.min(db, 12) / 20))
  }

  /** Background bed off, and on again where the lane was opened with one. */
  set bedOn(isOn: boolean) {
    if (this.#closed) return
    this.#slot.setBedOn(isOn)
    this.#wakeUp()
  }

  /** Prepare frames of silence too when there is neither voice nor bed. */
  set wantFrames(want: boolean) {
    if (this.#closed) return
    this.#slot.wantFrames = want
    this.#wakeUp()
  }

  get wantFrames(): boolean {
    return !this.#closed && this.#slot.wantFrames
  }

  /**
   * The next prepared frame, or null. The object is reused: send or copy it before the next call.
   */
  nextOutbound(): OutboundFrame | null {
    if (this.#closed || this.faulted) return null
    const frame = this.#slot.nextOutbound()
    if (frame === null) return null
    this.#owner.counters.framesOut++
    // Where it is needed, room for one more frame is work; elsewhere the next tick need not look.
    if (this.mayHaveWork) this.#wakeUp()
    return frame
  }

  /** A frame is prepared and waits for nextOutbound(). */
  get hasPrepared(): boolean {
    return !this.#closed && this.#slot.preparedFrames > 0
  }

  /** Idempotent. The slot is reused only when no batch holds it, and cleared before. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#slot.close()
    this.#owner.release(this)
  }

  /**
   * For the pool: flushes a tail that has waited long enough, and says whether a worker has
   * something to do.
   */
  prepareTick(nowMs: number): boolean {
    const slot = this.#slot
    const pushed = slot.agentPushed
    if (pushed !== this.#pushedSeen) {
      this.#pushedSeen = pushed
      this.#pushedAtMs = nowMs
    } else if (slot.hasUnflushedTail && nowMs - this.#pushedAtMs >= TAIL_PATIENCE_MS) {
      slot.flushAgent()
    }
    return slot.hasWork()
  }

  /** For the pool: a tick is to look at the lane. Asked where the slot was just read, while it is in the processor's caches. */
  get mayHaveWork(): boolean {
    return this.#slot.hasWork() || this.#slot.hasUnflushedTail
  }

  /** For the pool: a tail waits for more audio, and is to be looked at again. */
  get hasTail(): boolean {
    return this.#slot.hasUnflushedTail
  }

  /** For the pool: hands results to the owner; returns frames. */
  drain(): number {
    if (this.#closed || this.faulted) return 0
    if (this.#slot.fault !== 0) return this.#fail(FAULT_TRAP)
    const slot = this.#slot
    let frames = 0
    try {
      // The owner may close the lane while it takes a frame; frames behind it are void then.
      for (let pcm = slot.nextUserFrame(); pcm !== null; pcm = slot.nextUserFrame()) {
        this.events.onUserFrame(slot.detection, pcm)
        frames++
        if (this.#closed) break
      }
    } catch {
      return this.#fail(FAULT_OWNER)
    }
    return frames
  }

  /** For the pool: tells the owner of frames for the line, once the whole batch was drained. */
  announce(nowMs: number): void {
    if (this.faulted || this.#closed) return
    try {
      if (this.#slot.preparedFrames > 0) this.events.onPrepared?.(nowMs)
    } catch {
      this.#fail(FAULT_OWNER)
    }
    if (this.#slot.isStarving) this.#owner.hasStarving = true
  }

  #isDead(): boolean {
    const isDead = this.#closed || this.faulted
    if (isDead) this.#owner.counters.deadPushes++
    return isDead
  }

  #wakeUp(): void {
    if (!this.isWaiting) this.#owner.wake(this)
  }

  #fail(status: number): number {
    this.faulted = true
    this.#owner.counters.faults++
    this.events.onFault(status)
    return 0
  }
}
