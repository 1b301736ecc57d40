/**
 * Host: the only TypeScript that knows an address in the DSP core's memory.
 *
 *   main thread   createDspMemory() ─► DspMemory ─► openSlot() ─► Slot        writes what the chains read, reads results
 *   worker        bindKernel()      ─► Kernel.run(list)                       runs the chains over a list of slots
 *
 * Both sides look at one shared WebAssembly.Memory of a fixed size; it never grows, so a view never
 * goes stale.
 *
 * Invariants: one writer per field (assembly/slot.ts says who); bytes first, then the index by
 * Atomics.store.
 */
import { DspError } from '../server/errors.ts'
import { BED_NAMES, bedLoop, LOOP_SEC } from './beds.ts'
import { FILTER_KEYS, LINE_RATES_HZ, planBytes, planTable, STRICT_KEYS } from './filters.ts'
import { HandedOut } from './handed-out.ts'
import { abort, constant, layoutOf, type Layout } from './layout.ts'
import { moduleBytes } from './module.ts'
import { slotOffsets, type SlotOffsets } from './slot-offsets.ts'
import { suppressorTable } from './suppressor-tables.ts'
import {
  bandEdges,
  bandLeast,
  bandMasks,
  bandQuietest,
  dtmfTable,
  fftTables,
  highPassBlock,
  lagGains,
  NUMBERS,
  POWERS_OF_TWO,
} from './tables.ts'
import { UploadedBeds } from './uploaded-beds.ts'
import { vadWeights } from './vad-weights.ts'

export { constant, type Layout } from './layout.ts'

/** What a worker needs to join: structured-cloneable. */
export interface DspShare {
  module: WebAssembly.Module
  memory: WebAssembly.Memory
  slots: number
  lists: number
}

/** Functions of the module that tests and benches call directly. */
export interface DspFunctions {
  processSlot(slot: number, scratch: number): number
  decodeMulaw(payload: number, out: number, count: number): void
  decodeAlaw(payload: number, out: number, count: number): void
  encodeMulaw(samples: number, payload: number, count: number): void
  encodeAlaw(samples: number, payload: number, count: number): void
  encodeMulawPcm(pcm: number, payload: number, count: number): void
  decodeMulawPcm(payload: number, pcm: number, count: number): void
  pcmToFloat(pcm: number, out: number, count: number): void
  floatToPcm(samples: number, pcm: number, count: number): void
  resample(plan: number, input: number, out: number, count: number, work: number): void
  windowedPower(samples: number, work: number, power: number): void
  autocorrelation(spectrum: number, work: number, out: number): void
  measureLevel(samples: number, count: number, detection: number): number
  limit(samples: number, count: number): void
  addBed(
    samples: number,
    count: number,
    bed: number,
    length: number,
    position: number,
    from: number,
    to: number,
  ): number
  detect(slot: number, scratch: number, samples: number, level: number, detection: number): void
  scoreFeatures(slot: number, scratch: number): number
  suppressNoise(slot: number, table: number, samples: number, work: number): void
}

/** Where the variable regions lie; both threads compute the same from slots and lists. */
export interface Regions {
  filters: ReadonlyMap<string, number>
  highPass: ReadonlyMap<number, number>
  beds: ReadonlyMap<string, number>
  bedSec: number
  scratch: number
  lists: number
  slots: number
  end: number
}

const PAGE_BYTES = 65_536
/** 4 GiB less a page: the address space of WebAssembly. */
const MEMORY_LIMIT_BYTES = 4 * 1024 ** 3 - PAGE_BYTES

function instantiate(share: Pick<DspShare, 'module' | 'memory'>): {
  layout: Layout
  functions: DspFunctions
} {
  const { exports } = new WebAssembly.Instance(share.module, {
    env: { memory: share.memory, abort },
  })
  return { layout: layoutOf(exports), functions: exports as unknown as DspFunctions }
}

function placeRegions(layout: Layout, slots: number, lists: number): Regions {
  let at = constant(layout, 'TABLES_END')
  const take = (bytes: number): number => {
    const start = (at + 63) & ~63
    at = start + bytes
    return start
  }
  const filters = new Map<string, number>()
  for (const [from, to] of FILTER_KEYS) {
    const key = `${from}-${to}`
    filters.set(key, take(planBytes(key)))
  }
  for (const key of STRICT_KEYS) filters.set(key, take(planBytes(key)))
  const highPass = new Map(LINE_RATES_HZ.map((rateHz) => [rateHz, take(192)] as const))
  const beds = new Map<string, number>()
  for (const name of BED_NAMES) {
    for (const rateHz of LINE_RATES_HZ) {
      beds.set(`${name}-${rateHz}`, take(LOOP_SEC * rateHz * 2))
    }
  }
  const scratch = take(lists * constant(layout, 'SCRATCH_BYTES'))
  const listStart = take(lists * slots * 4)
  const slotStart = take(slots * constant(layout, 'SLOT_BYTES'))
  return {
    filters,
    highPass,
    beds,
    bedSec: LOOP_SEC,
    scratch,
    lists: listStart,
    slots: slotStart,
    end: at,
  }
}

function writeTables(memory: WebAssembly.Memory, layout: Layout, regions: Regions): void {
  const bytes = new Uint8Array(memory.buffer)
  const put = (at: number, data: ArrayBufferView): void =>
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at)
  const fft = fftTables()
  put(constant(layout, 'NUMBERS'), NUMBERS)
  put(constant(layout, 'POWERS_OF_TWO'), POWERS_OF_TWO)
  put(constant(layout, 'FFT_WINDOW'), fft.window)
  put(constant(layout, 'FFT_ORDER'), fft.order)
  put(constant(layout, 'FFT_COS'), fft.cos)
  put(constant(layout, 'FFT_SIN'), fft.sin)
  put(constant(layout, 'FFT_SPLIT_COS'), fft.splitCos)
  put(constant(layout, 'FFT_SPLIT_SIN'), fft.splitSin)
  put(constant(layout, 'FFT_DOWN'), fft.down)
  put(constant(layout, 'FFT_ACROSS'), fft.across)
  put(constant(layout, 'DTMF_TABLE'), dtmfTable())
  put(constant(layout, 'BAND_EDGES'), bandEdges())
  put(constant(layout, 'BAND_QUIETEST'), bandQuietest())
  put(constant(layout, 'BAND_LEAST'), bandLeast())
  put(constant(layout, 'BAND_MASKS'), bandMasks())
  put(constant(layout, 'LAG_GAIN'), lagGains())
  put(constant(layout, 'VAD_WEIGHTS'), vadWeights())
  put(constant(layout, 'SUPPRESSOR_8K'), suppressorTable(8_000))
  put(constant(layout, 'SUPPRESSOR_16K'), suppressorTable(16_000))
  for (const [key, at] of regions.filters) put(at, planTable(key, layout))
  for (const [rateHz, at] of regions.highPass) put(at, highPassBlock(rateHz))
  for (const name of BED_NAMES) {
    for (const rateHz of LINE_RATES_HZ) {
      const at = regions.beds.get(`${name}-${rateHz}`)
      if (at !== undefined) put(at, bedLoop(name, rateHz))
    }
  }
}

/** The whole memory, in the shapes that slots use, and where their fields lie. */
export interface SlotViews {
  words: Int32Array
  floats: Float32Array
  samples: Int16Array
  bytes: Uint8Array
  offsets: SlotOffsets
  handedOut: HandedOut
}

/** The main thread's half: memory, layout, and where everything lies. */
export interface DspMemory {
  share: DspShare
  layout: Layout
  regions: Regions
  functions: DspFunctions
  /** One set of views and offsets for all slots: objects of their own would take each other out of the processor's caches. */
  views: SlotViews
  /** Behind the slots; the workers need not know. */
  uploadedBeds: UploadedBeds
  /** Writes a batch's slot list. */
  writeList(list: number, slots: readonly number[]): void
  /** Writes one place of it. */
  setListed(list: number, at: number, slot: number): void
  slotAddress(slot: number): number
}

/**
 * Allocates the shared memory for `slots` calls and `lists` batches in flight, and writes the
 * constant tables. 74 KiB per slot, and a quarter of a second for the beds the first time in
 * a process.
 * Throws DspError DSP_NOT_BUILT, or DSP_TOO_MANY_SLOTS above the 4 GiB that WebAssembly can
 * address.
 */
export async function createDspMemory(o: {
  slots: number
  lists: number
  /** Room for uploaded beds: none unless said. Untouched, it costs no memory. */
  uploadedBedBytes?: number
}): Promise<DspMemory> {
  const module = await WebAssembly.compile(moduleBytes())
  const probe = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
  const { layout } = instantiate({ module, memory: probe })
  const regions = placeRegions(layout, o.slots, o.lists)
  const bedsFrom = Math.ceil(regions.end / 64) * 64
  const end = bedsFrom + (o.uploadedBedBytes ?? 0)
  if (end > MEMORY_LIMIT_BYTES) {
    throw new DspError('DSP_TOO_MANY_SLOTS', `${o.slots} slots need more than 4 GiB`)
  }
  const pages = Math.ceil(end / PAGE_BYTES)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  const { functions } = instantiate({ module, memory })
  writeTables(memory, layout, regions)
  const words = new Int32Array(memory.buffer)
  return {
    share: { module, memory, slots: o.slots, lists: o.lists },
    layout,
    regions,
    functions,
    views: {
      words,
      floats: new Float32Array(memory.buffer),
      samples: new Int16Array(memory.buffer),
      bytes: new Uint8Array(memory.buffer),
      offsets: slotOffsets(layout),
      handedOut: new HandedOut(),
    },
    uploadedBeds: new UploadedBeds({
      ...{ memory, layout, from: bedsFrom, to: end },
      ...{ slots: regions.slots, slotCount: o.slots },
    }),
    writeList: (list, slots) => words.set(slots, (regions.lists >> 2) + list * o.slots),
    setListed: (list, at, slot) => void (words[(regions.lists >> 2) + list * o.slots + at] = slot),
    slotAddress: (slot) => regions.slots + slot * constant(layout, 'SLOT_BYTES'),
  }
}

/** The worker's half. */
export interface Kernel {
  /**
   * Runs both chains of the first `count` slots of a list. A trap faults its slot only.
   * Synchronous, bounded.
   */
  run(list: number, count: number): void
}

/** Joins a worker to the shared memory. */
export function bindKernel(share: DspShare): Kernel {
  const { layout, functions } = instantiate(share)
  const regions = placeRegions(layout, share.slots, share.lists)
  const words = new Int32Array(share.memory.buffer)
  const slotBytes = constant(layout, 'SLOT_BYTES')
  const scratchBytes = constant(layout, 'SCRATCH_BYTES')
  const fault = constant(layout, 'FAULT')
  return {
    run(list, count) {
      const first = (regions.lists >> 2) + list * share.slots
      const scratch = regions.scratch + list * scratchBytes
      for (let i = 0; i < count; i++) {
        const slot = regions.slots + (words[first + i] ?? 0) * slotBytes
        try {
          functions.processSlot(slot, scratch)
        } catch {
          // A WebAssembly trap: the slot's state is damaged. Reported by the main thread, which
          // ends this call alone.
          Atomics.store(words, (slot + fault) >> 2, 1)
        }
      }
    },
  }
}
