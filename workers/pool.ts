/**
 * Audio pool: all calls' audio through a few worker threads, in batches of slots.
 *
 *   wheel ─ tick() ─► slots with work ─► a list in shared memory per idle worker ─► one Piscina task each
 *                                                                                        │
 *   LaneEvents ◄─ drain ◄──────────────────── results, already in the slots ◄────────────┘
 *
 * A task per frame collapses at 300-500 calls; a task per worker and tick costs about 2 µs a frame
 * at any load (docs/adr/0002). A list, and the scratch of the same number, belong to one batch from
 * dispatch to its result.
 *
 * Invariants: a slot is in at most one batch; a slot in a batch is never cleared; tick() never
 * waits.
 */
import { Piscina } from 'piscina'
import { createDspMemory, type DspMemory } from '../dsp/host.ts'
import { Slot } from '../dsp/slot.ts'
import { isBuiltInBed } from '../dsp/beds.ts'
import type { TtsRateHz } from '../dsp/filters.ts'
import type { UploadedBeds } from '../dsp/uploaded-beds.ts'
import { DspError } from '../server/errors.ts'
import type { AudioFormat } from '../server/media/audio-format.ts'
import type { AudioBatch, AudioBatchResult } from './audio-batch.ts'
import { AudioLane, type LaneEvents, type LaneOwner } from './audio-lane.ts'
import { KeptList } from './kept-list.ts'
import { Timings, type Percentiles } from './timings.ts'

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
 * A list in shared memory, and the lanes that are on it. Two objects per worker, used again and again: while the lanes of one are told
 * of its results, the worker may have the other.
 */
class Batch {
  readonly list: number
  readonly lanes = new KeptList<AudioLane>()
  readonly twin: Batch

  constructor(list: number, twin: Batch | null = null) {
    this.list = list
    this.twin = twin ?? new Batch(list, this)
  }
}

/**
 * So many lanes that wait when a batch comes back are the next one at once: the worker then works while this thread sends what the last
 * one brought. Fewer wait for the wheel, since a batch costs this thread as much as ten frames, whatever is in it.
 */
const FOLLOWING_LANES = 64

export class AudioPool {
  readonly #dsp: DspMemory
  readonly #piscina: Piscina<AudioBatch, AudioBatchResult>
  readonly #slots: Slot[]
  /** The slot that was given back last is taken first: its memory is resident, and what was never needed stays away. */
  readonly #free: number[]
  readonly #idle: Batch[]
  readonly #lanes = new Set<AudioLane>()
  /** Lanes in which something has changed since a tick looked at them, each once (`isWaiting`). */
  #waiting = new KeptList<AudioLane>()
  #looked = new KeptList<AudioLane>()
  /** Lanes with work that the tick under way has found. */
  readonly #due = new KeptList<AudioLane>()
  #inFlight = 0
  #onDrained: (() => void) | null = null
  readonly #wait = new Timings()
  readonly #run = new Timings()
  readonly #counters = {
    batches: 0,
    lostBatches: 0,
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
    const piscina = new Piscina<AudioBatch, AudioBatchResult>({
      filename: new URL('./audio-worker.ts', import.meta.url).href,
      workerData: dsp.share,
      minThreads: o.threads,
      maxThreads: o.threads,
      idleTimeout: Infinity,
      concurrentTasksPerWorker: 1,
      recordTiming: false,
      atomics: 'sync',
    })
    const pool = new AudioPool(dsp, piscina)
    await pool.#warmUp()
    return pool
  }

  private constructor(dsp: DspMemory, piscina: Piscina<AudioBatch, AudioBatchResult>) {
    this.#dsp = dsp
    this.#piscina = piscina
    this.#slots = Array.from({ length: dsp.share.slots }, (_, i) => new Slot(dsp, i))
    this.#free = this.#slots.map((slot) => slot.index).reverse()
    this.#idle = Array.from({ length: dsp.share.lists }, (_, list) => new Batch(list))
    // A worker that dies rejects its task, which is where we count it; without a listener the event
    // would throw.
    piscina.on('error', () => undefined)
  }

  /**
   * An empty batch per worker: modules are loaded and compiled before the first call needs them.
   */
  async #warmUp(): Promise<void> {
    await Promise.all(this.#idle.map(({ list }) => this.#piscina.run({ list, count: 0 })))
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
   * Collects the slots with work and gives each idle worker a batch; returns at once. Results reach
   * LaneEvents later, on this thread, as soon as a batch is done. `nowMs` is monotonic and only
   * measures how long a tail has waited.
   */
  tick(nowMs: number): void {
    this.#tickedMs = nowMs
    if (this.#closed || this.#idle.length === 0) return
    this.#owner.hasStarving = false
    this.#collectDue(nowMs)
    const due = this.#due.length
    const share = Math.ceil(due / this.#idle.length)
    for (let first = 0; first < due; first += share) {
      this.#dispatch(first, Math.min(due, first + share))
    }
    this.#due.clear()
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
      waitMs: this.#wait.percentiles(),
      runMs: this.#run.percentiles(),
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
      lostBatch: c.lostBatches,
    }
  }

  /** Waits for batches in flight, then stops the workers. Lanes report nothing more. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const lane of [...this.#lanes]) lane.close()
    if (this.#inFlight > 0) await new Promise<void>((resolve) => (this.#onDrained = resolve))
    await this.#piscina.destroy()
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
    const batch = this.#idle.pop()
    if (batch === undefined) return
    for (let i = from; i < to; i++) {
      const lane = this.#due.at(i)
      this.#dsp.setListed(batch.list, i - from, lane.slot)
      lane.inFlight = true
      batch.lanes.push(lane)
    }
    this.#counters.batches++
    this.#inFlight++
    void this.#finish(batch)
  }

  async #finish(batch: Batch): Promise<void> {
    const startedMs = performance.now()
    const { list, lanes } = batch
    try {
      const { runMs } = await this.#piscina.run({ list, count: lanes.length })
      this.#run.record(runMs)
      this.#wait.record(performance.now() - startedMs - runMs)
    } catch {
      // The worker died and Piscina replaces it. Nothing of the batch is lost but time: indices are
      // stored frame by frame.
      this.#counters.lostBatches++
    }
    const nowMs = performance.now()
    // Step by step for all lanes, not lane by lane: a write to a socket takes the processor's caches away from everything else.
    for (let i = 0; i < lanes.length; i++) this.#settle(lanes.at(i))
    this.#idle.push(batch.twin)
    this.#inFlight--
    if (this.#waiting.length >= FOLLOWING_LANES) this.tick(this.#tickedMs)
    for (let i = 0; i < lanes.length; i++) lanes.at(i).announce(nowMs)
    lanes.clear()
    if (this.#inFlight === 0) this.#onDrained?.()
    // An answer to what the batch brought need not wait for the next turn of the wheel.
    if (this.#owner.hasStarving) this.tick(this.#tickedMs)
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
  }

  #release(lane: AudioLane): void {
    this.#lanes.delete(lane)
    if (!lane.inFlight) this.#recycle(lane)
  }

  #recycle(lane: AudioLane): void {
    this.#free.push(lane.slot)
  }
}
