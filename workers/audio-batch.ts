/**
 * What the pool and its workers say to each other: a batch names a list in the shared memory, the
 * answer says how long it ran. Everything else is already where both can see it (docs/adr/0002).
 */
import type { DspShare } from '../dsp/host.ts'

export interface AudioBatch {
  /** Which list: a batch in flight owns its list, and the scratch memory of the same number. */
  list: number
  /** Slots in the list. */
  count: number
}

export interface AudioBatchResult {
  runMs: number
}

export type AudioWorkerData = DspShare
