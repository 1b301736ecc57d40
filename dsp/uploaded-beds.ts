/**
 * Uploaded beds: a region of fixed size behind the slots, in which loops are put while calls run.
 *
 *   add(name, loops) ─► a gap that is free and that no live call plays from ─► find(name, rate) for slots that open
 *   remove(name)     ─► no new call finds it; its place is taken again when the last call that plays it is over
 *
 * The workers never look here: a slot holds the address and the length of its bed. So whether a
 * place is free is asked of the slots themselves.
 */
import { DspError } from '../server/errors.ts'
import { constant, type Layout } from './layout.ts'

/** The rates that carriers' lines and browsers have. */
export const UPLOADED_RATES_HZ = [8_000, 16_000] as const

/** The same loop at each rate, a multiple of 8 samples. */
export type BedLoops = Readonly<Record<(typeof UPLOADED_RATES_HZ)[number], Int16Array>>

interface Place {
  at: number
  samples: number
}

interface Span {
  from: number
  to: number
}

export interface UploadedBedsRegion {
  memory: WebAssembly.Memory
  layout: Layout
  /** The region, bytes. */
  from: number
  to: number
  slots: number
  slotCount: number
}

const LINE_BYTES = 64

export class UploadedBeds {
  readonly #region: UploadedBedsRegion
  readonly #words: Int32Array
  readonly #beds = new Map<string, { span: Span; places: ReadonlyMap<number, Place> }>()
  /** Removed, and perhaps still played. */
  #removed: Span[] = []

  constructor(region: UploadedBedsRegion) {
    this.#region = region
    this.#words = new Int32Array(region.memory.buffer)
  }

  get usedBytes(): number {
    return [...this.#beds.values()].reduce((sum, { span }) => sum + span.to - span.from, 0)
  }

  get limitBytes(): number {
    return this.#region.to - this.#region.from
  }

  /** Throws DspError DSP_BEDS_FULL when no gap is large enough. A name that is there already is replaced. */
  add(name: string, loops: BedLoops): void {
    const bytes = UPLOADED_RATES_HZ.reduce((sum, hz) => sum + room(loops[hz]), 0)
    const from = this.#gap(bytes)
    const places = new Map<number, Place>()
    let at = from
    for (const rateHz of UPLOADED_RATES_HZ) {
      const loop = loops[rateHz]
      new Int16Array(this.#region.memory.buffer, at, loop.length).set(loop)
      places.set(rateHz, { at, samples: loop.length })
      at += room(loop)
    }
    this.remove(name)
    this.#beds.set(name, { span: { from, to: from + bytes }, places })
  }

  remove(name: string): void {
    const bed = this.#beds.get(name)
    if (bed === undefined) return
    this.#beds.delete(name)
    this.#removed.push(bed.span)
  }

  has(name: string): boolean {
    return this.#beds.has(name)
  }

  find(name: string, rateHz: number): Place | null {
    return this.#beds.get(name)?.places.get(rateHz) ?? null
  }

  /** First fit. */
  #gap(bytes: number): number {
    this.#removed = this.#removed.filter((span) => this.#isPlayed(span))
    const taken = [...[...this.#beds.values()].map(({ span }) => span), ...this.#removed].sort(
      (a, b) => a.from - b.from,
    )
    let from = this.#region.from
    for (const span of taken) {
      if (span.from - from >= bytes) return from
      from = span.to
    }
    if (this.#region.to - from >= bytes) return from
    throw new DspError(
      'DSP_BEDS_FULL',
      `${bytes} bytes do not fit: ${this.usedBytes} of ${this.limitBytes} are taken by other beds`,
    )
  }

  #isPlayed(span: Span): boolean {
    const { layout, slots, slotCount } = this.#region
    const stride = constant(layout, 'SLOT_BYTES')
    const live = constant(layout, 'LIVE')
    const bed = constant(layout, 'BED_PTR')
    for (let slot = slots; slot < slots + slotCount * stride; slot += stride) {
      const at = this.#words[(slot + bed) >> 2] ?? 0
      if (at >= span.from && at < span.to && this.#words[(slot + live) >> 2] !== 0) return true
    }
    return false
  }
}

function room(loop: Int16Array): number {
  return Math.ceil(loop.byteLength / LINE_BYTES) * LINE_BYTES
}
