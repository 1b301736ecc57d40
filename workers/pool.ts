/**
 * Audio pool: all calls' audio through a few worker threads, in batches of slots.
 *
 *   wheel ─ tick() ─► slots with work ─► a list in shared memory per idle worker ─► crew.ts ─► worker
 *                                                                                              │
 *   LaneEvents ◄─ drain ◄──────────────────── results, already in the slots ◄─────────────────┘
 *
 * Work in frames collapses at 300-500 calls; a batch per worker and tick costs about 2 µs a frame at any load (docs/adr/0002, 0010).
 *
 * Invariants: a slot is in at most one batch; a slot in a batch is never cleared; tick() never
 * waits.
 */
import { createDspMemory, type DspMemory } from '../dsp/host.ts'
import { Slot } from '../dsp/slot.ts'
import { isBuiltInBed } from '../dsp/beds.ts'
import type { TtsRateHz } from '../dsp/filters.ts'
import type { UploadedBeds } from '../dsp/uploaded-beds.ts'
import { DspError } from '../server/errors.ts'
import type { AudioFormat } from '../server/media/audio-format.ts'
import { AudioLane, type LaneEvents, type LaneOwner } from './audio-lane.ts'
import { Crew } from './crew.ts'
import { KeptList } from './kept-list.ts'
import type { Percentiles } from './timings.ts'

export type { Detection, OutboundFrame, ProgressTone } from '../dsp/slot.ts'
export type { TtsRateHz } from '../dsp/filters.ts'
export type { LaneEvents } from './audio-lane.ts'
export { AudioLane } from './audio-lane.ts'

export interface LaneFormat {
  /** The line, both directions. */
  line: AudioFormat
  ttsRateHz: TtsRateHz
  /** What speech-to-text wants; 16 kHz unless said. */
  sttRateHz?: 8_000 | 16_000
  /** Strict filters between 8 and 16 kHz: dsp/slot-setup.ts, SlotFormat. */
  strictRates?: boolean
}

export interface LaneSettings {
  /** 0 (only loud, clear speech) … 1 (the faintest voice). */
  vadSensitivity: number
  /** One that is not there (any more) is none: a call without its bed is still a call. */
  bed: string
  /** 0…1. */
  bedGain: number
  /** Take steady noise out of what speech-to-text gets; not unless said. */
  suppressNoise?: boolean
  /** Look for DTMF and call-progress tones in the user's audio; not unless said. */
  tones?: boolean
  /** RMS of comfort noise under everything the agent sends, dBFS; none unless said. */
  comfortNoiseDbfs?: number
  /** The user's own voice comes back as the agent's, which nothing else may then be; not unless said. */
  loopback?: boolean
}

export interface AudioPoolStats {
  batches: number
  /** Batches whose worker died; their slots are processed again at the next tick. */
  lostBatches: number
  framesIn: number
  framesOut: number
  inboundOverflows: number
  agentOverflows: number
  badPayloads: number
  deadPushes: number
  /** Lanes refused for their codec, rate or bed, or because every slot was taken. */
  refusedLanes: number
  faults: number
  /** Calls whose bed was not there. */
  missingBeds: number
  /** Dispatch to result, less the run itself, ms. */
  waitMs: Percentiles
  runMs: Percentiles
  liveLanes: number
  slots: number
}

/**
 * So many lanes that wait are a batch at once, if a worker is free: it works while this thread reads on, or sends what the last batch
 * brought. Fewer wait for the wheel: each batch takes the processor from whoever has it, and half as many lanes made frames late that
 * were on their way (docs/adr/0010).
 */
const PROMPT_LANES = 200
/** Fewer are not worth a second worker: a batch has its price whatever is in it. */
const SPLIT_LANES = 96
/** While more wait and no worker is free, the pool looks for answers at every so many lanes. */
const LOOK_EVERY_LANES = 8

export class AudioPool {
  readonly #dsp: DspMemory
  readonly #crew: Crew
  readonly #slots: Slot[]
  /** The slot that was given back last is taken first: its memory is resident, and what was never needed stays away. */
  readonly #free: number[]
  readonly #lanes = new Set<AudioLane>()
  /** Lanes in which something has changed since a tick looked at them, each once (`isWaiting`). */
  #waiting = new KeptList<AudioLane>()
  #looked = new KeptList<AudioLane>()
  /** Lanes with work that the tick under way has found. */
  readonly #due = new KeptList<AudioLane>()
  /** A look at what waits is due behind the callback under way. */
  #isLookDue = false
  readonly #counters = {
    batches: 0,
    framesIn: 0,
    framesOut: 0,
    inboundOverflows: 0,
    agentOverflows: 0,
    badPayloads: 0,
    deadPushes: 0,
    refusedLanes: 0,
    faults: 0,
    missingBeds: 0,
  }
  readonly #owner: LaneOwner = {
    counters: this.#counters,
    hasStarving: false,
    release: (lane) => this.#release(lane),
    wake: (lane) => this.#wake(lane),
  }
  /** The wheel's time at its last tick. */
  #tickedMs = 0
  #closed = false

  /**
   * Starts `threads` workers over memory for `slots` calls (about 74 KiB each).
   * Throws DspError DSP_NOT_BUILT when the WASM module is missing, DSP_TOO_MANY_SLOTS above 4 GiB.
   */
  static async create(o: {
    slots: number
    threads: number
    /** Room for uploaded beds: none unless said. */
    uploadedBedBytes?: number
  }): Promise<AudioPool> {
    const dsp = await createDspMemory({
      slots: o.slots,
      lists: o.threads,
      uploadedBedBytes: o.uploadedBedBytes ?? 0,
    })
    const pool = new AudioPool(dsp, o.threads)
    await pool.#crew.start()
    return pool
  }

  private constructor(dsp: DspMemory, threads: number) {
    this.#dsp = dsp
    this.#crew = new Crew({
      threads,
      share: dsp.share,
      onBack: (lanes, nowMs) => this.#takeBack(lanes, nowMs),
    })
    this.#slots = Array.from({ length: dsp.share.slots }, (_, i) => new Slot(dsp, i))
    this.#free = this.#slots.map((slot) => slot.index).reverse()
  }

  /**
   * Throws DspError DSP_NO_SLOT when every slot is taken (admission should have refused the call), and
   * DSP_BAD_CODEC, DSP_BAD_RATE or DSP_NO_BED for what the core does not know; each is counted.
   */
  openLane(format: LaneFormat, settings: LaneSettings, events: LaneEvents): AudioLane {
    const index = this.#free.pop()
    const slot = index === undefined ? undefined : this.#slots[index]
    if (index === undefined || slot === undefined || this.#closed) {
      this.#counters.refusedLanes++
      throw new DspError('DSP_NO_SLOT', `all ${this.#slots.length} audio slots are in use`, {
        retryable: true,
      })
    }
    try {
      slot.open(
        {
          codec: format.line.codec,
          byteOrder: format.line.byteOrder,
          lineRateHz: format.line.sampleRateHz,
          ttsRateHz: format.ttsRateHz,
          sttRateHz: format.sttRateHz,
          strictRates: format.strictRates,
        },
        { ...settings, bed: this.#knownBed(settings.bed, format.line.sampleRateHz) },
      )
    } catch (error) {
      this.#free.push(index)
      this.#counters.refusedLanes++
      throw error
    }
    const lane = new AudioLane(slot, events, this.#owner)
    this.#lanes.add(lane)
    this.#wake(lane)
    return lane
  }

  /**
   * Takes what has come back, collects the slots with work, and gives it to idle workers; never waits. Results reach LaneEvents on this
   * thread, as soon as a batch is seen to be done. `nowMs` is monotonic and only measures how long a tail has waited.
   */
  tick(nowMs: number): void {
    this.#tickedMs = nowMs
    this.#crew.takeAnswers()
    this.#dispatchDue()
  }

  #dispatchDue(): void {
    const { idleWorkers } = this.#crew
    if (this.#closed || idleWorkers === 0) return
    this.#owner.hasStarving = false
    this.#collectDue(this.#tickedMs)
    const due = this.#due.length
    const workers = Math.min(idleWorkers, Math.ceil(due / SPLIT_LANES))
    const share = Math.ceil(due / workers)
    for (let first = 0; first < due; first += share) {
      this.#dispatch(first, Math.min(due, first + share))
    }
    this.#due.clear()
  }

  /** A batch at once, of the lanes that wait, when they are enough for one. */
  #dispatchPrompt(): void {
    if (this.#waiting.length >= PROMPT_LANES) this.#dispatchDue()
  }

  #collectDue(nowMs: number): void {
    const waiting = this.#waiting
    this.#waiting = this.#looked
    this.#looked = waiting
    for (let i = 0; i < waiting.length; i++) {
      const lane = waiting.at(i)
      lane.isWaiting = false
      if (lane.closed || lane.faulted) continue
      // A lane in a batch is looked at again when the batch is done.
      if (lane.inFlight) continue
      if (lane.prepareTick(nowMs)) this.#due.push(lane)
      else if (lane.hasTail) this.#wake(lane)
    }
    waiting.clear()
  }

  stats(): AudioPoolStats {
    return {
      ...this.#counters,
      lostBatches: this.#crew.lostBatches,
      waitMs: this.#crew.waitMs.percentiles(),
      runMs: this.#crew.runMs.percentiles(),
      liveLanes: this.#lanes.size,
      slots: this.#slots.length,
    }
  }

  /** What was refused or lost, for metrics: reasons are a closed list. */
  faultCounts(): Readonly<Record<string, number>> {
    const c = this.#counters
    return {
      badPayload: c.badPayloads,
      userAudioFull: c.inboundOverflows,
      agentAudioFull: c.agentOverflows,
      deadLane: c.deadPushes,
      refusedLane: c.refusedLanes,
      trap: c.faults,
      lostBatch: this.#crew.lostBatches,
    }
  }

  /** Waits for batches in flight, then stops the workers. Lanes report nothing more. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const lane of [...this.#lanes]) lane.close()
    await this.#crew.drained()
    await this.#crew.close()
  }

  /** Beds can be added and removed while calls run. */
  get uploadedBeds(): UploadedBeds {
    return this.#dsp.uploadedBeds
  }

  #knownBed(name: string, rateHz: number): string {
    if (name === 'none' || isBuiltInBed(name)) return name
    if (this.#dsp.uploadedBeds.find(name, rateHz) !== null) return name
    this.#counters.missingBeds++
    return 'none'
  }

  /** Gives the lanes `#due[from…to)` to an idle worker. */
  #dispatch(from: number, to: number): void {
    const station = this.#crew.next()
    if (station === undefined) return
    for (let i = from; i < to; i++) {
      const lane = this.#due.at(i)
      this.#dsp.setListed(station.index, i - from, lane.slot)
      lane.inFlight = true
      station.lanes.push(lane)
    }
    this.#counters.batches++
    this.#crew.ring(station)
  }

  /** A batch has come back. */
  #takeBack(lanes: KeptList<AudioLane>, nowMs: number): void {
    // Step by step for all lanes, not lane by lane: a write to a socket takes the processor's caches away from everything else.
    for (let i = 0; i < lanes.length; i++) this.#settle(lanes.at(i))
    this.#dispatchPrompt()
    for (let i = 0; i < lanes.length; i++) lanes.at(i).announce(nowMs)
    // An answer to what the batch brought need not wait for the next turn of the wheel.
    if (this.#owner.hasStarving) this.#dispatchDue()
  }

  readonly #look = (): void => {
    this.#isLookDue = false
    this.#crew.takeAnswers()
    this.#dispatchPrompt()
  }

  /** A lane comes out of its batch: results to its owner, or its slot to the free list. */
  #settle(lane: AudioLane): void {
    lane.inFlight = false
    if (lane.closed) {
      this.#recycle(lane)
      return
    }
    this.#counters.framesIn += lane.drain()
    // What was pushed meanwhile has no other witness: a tick passes over a lane in a batch.
    if (!lane.faulted && lane.mayHaveWork) this.#wake(lane)
  }

  #wake(lane: AudioLane): void {
    if (lane.isWaiting) return
    lane.isWaiting = true
    this.#waiting.push(lane)
    const { length } = this.#waiting
    if (length >= PROMPT_LANES && length % LOOK_EVERY_LANES === 0) this.#lookSoon()
  }

  /** Behind the callback that is under way: a lane's owner is never told of something from within a lane's own method. */
  #lookSoon(): void {
    if (this.#isLookDue) return
    this.#isLookDue = true
    queueMicrotask(this.#look)
  }

  #release(lane: AudioLane): void {
    this.#lanes.delete(lane)
    if (!lane.inFlight) this.#recycle(lane)
  }

  #recycle(lane: AudioLane): void {
    this.#free.push(lane.slot)
  }
}
