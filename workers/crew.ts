/**
 * Crew: the pool's worker threads, Piscina's, each at a bell of its own (doorbell.ts).
 *
 *   pool ─► next() ─► add(lane)… ─► ring() ─► worker … ─► takeAnswers() or a message ─► onBack(lanes) ─► pool
 *
 * A worker serves its bell as one task that has no end. When the worker dies the task is rejected, its batch comes back as it is, and
 * the worker that Piscina has in its place goes to the same bell: nothing is lost but time, because a slot's indices are stored frame
 * by frame.
 *
 * Invariants: a list in shared memory, and the scratch of the same number, belong to one batch from ringing to its return; nobody
 * waits, but drained().
 */
import { Piscina } from 'piscina'
import type { DspShare } from '../dsp/host.ts'
import type { AudioLane } from './audio-lane.ts'
import type { AudioWorkerData } from './audio-worker.ts'
import { bellMemory, Doorbell } from './doorbell.ts'
import { KeptList } from './kept-list.ts'
import { Timings } from './timings.ts'

/** A worker makes next to no garbage, and would fill a young generation of the server's size (8 MB, three times) before it collects any. */
const WORKER_YOUNG_MB = 2

/** One worker's place: its bell, and the lanes of the batch that it has. */
export class Station {
  /** Of its bell, its list and its scratch memory. */
  readonly index: number
  readonly bell: Doorbell
  /** Rung for, and not come back yet. */
  isBusy = false
  rungMs = 0
  /** Lanes of the next batch, or of the one that the worker has. */
  lanes = new KeptList<AudioLane>()
  /** Two lists, used in turn: while the lanes of one are told of their results, the worker may have those of the other. */
  #others = new KeptList<AudioLane>()

  constructor(bells: SharedArrayBuffer, index: number) {
    this.index = index
    this.bell = new Doorbell(bells, index)
  }

  /** The batch has come back: its lanes. */
  takeBack(): KeptList<AudioLane> {
    const lanes = this.lanes
    this.lanes = this.#others
    this.#others = lanes
    this.isBusy = false
    return lanes
  }
}

/** Lanes of a batch that has come back, valid during the call. `nowMs` is monotonic. */
export type OnBack = (lanes: KeptList<AudioLane>, nowMs: number) => void

export class Crew {
  /** Batches whose worker died. */
  lostBatches = 0
  /** From ringing to return, less the run itself, ms. */
  readonly waitMs = new Timings()
  readonly runMs = new Timings()
  readonly #piscina: Piscina<{ bell: number }, never>
  readonly #stations: Station[]
  /** The one that came back last is next: its processor's caches are warm. */
  readonly #idle: Station[] = []
  readonly #onBack: OnBack
  #busy = 0
  #isClosed = false
  /** A look at the end of this turn of the event loop is due. */
  #isLookDue = false
  #onIdle: (() => void) | null = null
  #onDeath: ((error: unknown) => void) | null = null

  /** `threads` workers over the memory `share`, which start() starts. */
  constructor(o: { threads: number; share: DspShare; onBack: OnBack }) {
    const bells = bellMemory(o.threads)
    const workerData: AudioWorkerData = { share: o.share, bells }
    this.#onBack = o.onBack
    this.#stations = Array.from({ length: o.threads }, (_, index) => new Station(bells, index))
    this.#piscina = new Piscina<{ bell: number }, never>({
      filename: new URL('./audio-worker.ts', import.meta.url).href,
      workerData,
      minThreads: o.threads,
      maxThreads: o.threads,
      idleTimeout: Infinity,
      concurrentTasksPerWorker: 1,
      recordTiming: false,
      atomics: 'sync',
      resourceLimits: { maxYoungGenerationSizeMb: WORKER_YOUNG_MB },
    })
    // A worker that dies rejects its task, which is where we count it; without a listener the event
    // would throw.
    this.#piscina.on('error', () => undefined)
    this.#piscina.on('message', () => this.takeAnswers())
  }

  /**
   * Settles when each worker has answered once, so that modules are loaded and compiled before the first call needs them. Rejects when
   * one dies before, and ends the others.
   */
  async start(): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.#onIdle = resolve
        this.#onDeath = reject
        for (const station of this.#stations) void this.#man(station)
      })
    } catch (error) {
      await this.close()
      throw error
    } finally {
      this.#onIdle = this.#onDeath = null
    }
  }

  get idleWorkers(): number {
    return this.#idle.length
  }

  /** An idle worker's station, no longer idle: give it lanes, then ring(). */
  next(): Station | undefined {
    return this.#idle.pop()
  }

  /** The worker has the station's lanes from now on. */
  ring(station: Station): void {
    station.isBusy = true
    station.rungMs = performance.now()
    station.bell.ring(station.index, station.lanes.length)
    this.#busy++
    if (this.#isLookDue) return
    this.#isLookDue = true
    setImmediate(this.#atEndOfTurn)
  }

  /** Brings back what is done. Costs next to nothing when nothing is. */
  takeAnswers(): void {
    if (this.#busy === 0) return
    for (const station of this.#stations) {
      if (station.isBusy && station.bell.isAnswered()) this.#bringBack(station, true)
    }
  }

  /** Settles when no batch is under way. */
  async drained(): Promise<void> {
    if (this.#busy > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve))
  }

  /** Ends the workers. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#piscina.destroy()
  }

  /** The event loop is about to look for other things, or to sleep: who is not done yet must wake it. */
  readonly #atEndOfTurn = (): void => {
    this.#isLookDue = false
    for (const station of this.#stations) {
      if (station.isBusy && station.bell.wantMessage()) this.#bringBack(station, true)
    }
  }

  /** Has a worker serve the station, and the next one when it dies. The batch of no lanes says when it has come. */
  async #man(station: Station): Promise<void> {
    while (!this.#isClosed) {
      this.ring(station)
      try {
        await this.#piscina.run({ bell: station.index })
      } catch (error) {
        if (!this.#isClosed) this.#dead(station, error)
      }
    }
  }

  #dead(station: Station, error: unknown): void {
    this.#onDeath?.(error)
    if (!station.isBusy) {
      this.#idle.splice(this.#idle.indexOf(station), 1)
      return
    }
    if (!station.bell.isAnswered()) this.lostBatches++
    station.bell.abandon()
    this.#bringBack(station, false)
  }

  #bringBack(station: Station, isManned: boolean): void {
    const nowMs = performance.now()
    const lanes = station.takeBack()
    // Of a batch that was lost, or of none, there is nothing to tell.
    if (isManned && lanes.length > 0) {
      this.runMs.record(station.bell.runMs)
      this.waitMs.record(nowMs - station.rungMs - station.bell.runMs)
    }
    this.#busy--
    if (isManned) this.#idle.push(station)
    this.#onBack(lanes, nowMs)
    lanes.clear()
    if (this.#busy === 0) this.#onIdle?.()
  }
}
