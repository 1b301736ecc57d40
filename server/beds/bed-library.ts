/**
 * The beds of this server: those that come with it, and those that somebody uploaded.
 *
 *   upload ─► thread: loop ─► shared memory ─► database         restart: database ─► shared memory
 *   delete ─► refused while a published configuration names it
 *
 * One change at a time: what the memory holds and what the database holds are the same after each.
 */
import { bedLoop, BED_NAMES, isBuiltInBed } from '../../dsp/beds.ts'
import type { BedLoops, UploadedBeds } from '../../dsp/uploaded-beds.ts'
import { DspError } from '../errors.ts'
import type { BedRow } from '../store/beds.ts'
import { BED_RATE_HZ } from './bed-loop.ts'
import { prepareBed } from './prepare-bed.ts'
import { BedError } from './wav-file.ts'

export interface BedStore {
  all(): Promise<readonly BedRow[]>
  pcm(name: string): Promise<Int16Array | null>
  insert(bed: { name: string; pcm: Int16Array; author: string }): Promise<BedRow | null>
  delete(name: string): Promise<boolean>
  /** Agents whose published configuration plays it. */
  usedBy(name: string): Promise<readonly string[]>
}

export interface BedInfo {
  name: string
  builtIn: boolean
  durationMs: number
  /** null of a built-in one. */
  author: string | null
  createdAt: number | null
}

type Shelf = Pick<UploadedBeds, 'add' | 'remove' | 'has' | 'usedBytes' | 'limitBytes'>

export class BedLibrary {
  readonly #shelf: Shelf
  readonly #store: BedStore
  #queue: Promise<unknown> = Promise.resolve()

  constructor(shelf: Shelf, store: BedStore) {
    this.#shelf = shelf
    this.#store = store
  }

  /** Puts what was uploaded before into memory. Returns the names that did not fit. */
  async load(): Promise<string[]> {
    const left: string[] = []
    for (const { name } of await this.#store.all()) {
      const loop = await this.#store.pcm(name)
      if (loop === null) continue
      try {
        this.#shelf.add(name, await prepareBed({ kind: 'loops', loop }))
      } catch (error) {
        if (!isFull(error)) throw error
        left.push(name)
      }
    }
    return left
  }

  async list(): Promise<BedInfo[]> {
    const builtIn = BED_NAMES.map((name) => ({
      name,
      builtIn: true,
      durationMs: (bedLoop(name, BED_RATE_HZ).length * 1_000) / BED_RATE_HZ,
      author: null,
      createdAt: null,
    }))
    const uploaded = await this.#store.all()
    return [...builtIn, ...uploaded.map((row) => ({ ...row, builtIn: false }))]
  }

  get memory(): { usedBytes: number; limitBytes: number } {
    return { usedBytes: this.#shelf.usedBytes, limitBytes: this.#shelf.limitBytes }
  }

  /** Whether a configuration may name it. */
  has(name: string): boolean {
    return name === 'none' || isBuiltInBed(name) || this.#shelf.has(name)
  }

  /** The loop at 16 kHz; null when there is none. */
  async pcm(name: string): Promise<Int16Array | null> {
    return isBuiltInBed(name) ? bedLoop(name, BED_RATE_HZ) : await this.#store.pcm(name)
  }

  /**
   * @throws BedError what is wrong with the file (prepare-bed.ts), BED_NAME_TAKEN, BED_MEMORY_FULL
   */
  async add(bed: { name: string; file: Uint8Array; author: string }): Promise<BedInfo> {
    return await this.#inTurn(async () => {
      if (this.has(bed.name)) throw nameTaken(bed.name)
      const loops = await prepareBed({ kind: 'file', file: bed.file })
      this.#place(bed.name, loops)
      try {
        const row = await this.#store.insert({ ...bed, pcm: loops[16_000] })
        if (row === null) throw nameTaken(bed.name)
        return { ...row, builtIn: false }
      } catch (error) {
        this.#shelf.remove(bed.name)
        throw error
      }
    })
  }

  /**
   * Live calls play it to their end. @returns false when there is no such bed
   *
   * @throws BedError BED_BUILT_IN, BED_IN_USE
   */
  async remove(name: string): Promise<boolean> {
    return await this.#inTurn(async () => {
      if (isBuiltInBed(name)) {
        throw new BedError(
          'BED_BUILT_IN',
          `${name} comes with Andrea and stays.`,
          'Only uploaded beds can be deleted.',
        )
      }
      const agents = await this.#store.usedBy(name)
      if (agents.length > 0) {
        throw new BedError(
          'BED_IN_USE',
          `${name} is the background of ${agents.join(', ')}.`,
          'Choose another background sound there, publish, and delete it then.',
        )
      }
      const existed = await this.#store.delete(name)
      this.#shelf.remove(name)
      return existed
    })
  }

  #place(name: string, loops: BedLoops): void {
    try {
      this.#shelf.add(name, loops)
    } catch (error) {
      if (!isFull(error)) throw error
      const { usedBytes, limitBytes } = this.memory
      throw new BedError(
        'BED_MEMORY_FULL',
        `There is no room for it: ${megabytes(usedBytes)} of ${megabytes(limitBytes)} MB are taken by other beds.`,
        'Delete one, upload a shorter file, or raise BED_MEMORY_MB and restart.',
      )
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work)
    this.#queue = turn.catch(() => undefined)
    return await turn
  }
}

function nameTaken(name: string): BedError {
  return new BedError(
    'BED_NAME_TAKEN',
    `There is a bed called ${name} already.`,
    'Choose another name, or delete that one.',
  )
}

function isFull(error: unknown): boolean {
  return error instanceof DspError && error.code === 'DSP_BEDS_FULL'
}

function megabytes(bytes: number): string {
  return (bytes / 1_048_576).toFixed(1)
}
