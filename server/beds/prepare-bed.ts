/** Prepares beds in a thread of their own, one at a time: an upload is rare, and the audio of calls comes first. */
import { Worker } from 'node:worker_threads'
import type { BedLoops } from '../../dsp/uploaded-beds.ts'
import { BedError } from './wav-file.ts'

/** A file as it was uploaded, or a loop as it was stored (16 kHz). */
export type BedTask = { kind: 'file'; file: Uint8Array } | { kind: 'loops'; loop: Int16Array }
export type BedTaskResult =
  { ok: true; loops: BedLoops } | { ok: false; code: string; message: string; hint: string }

/** @throws BedError BED_NOT_WAV, BED_BAD_FORMAT, BED_TOO_LONG, BED_TOO_SHORT, BED_SILENT */
export async function prepareBed(task: BedTask): Promise<BedLoops> {
  const worker = new Worker(new URL('./bed-thread.ts', import.meta.url), {
    workerData: task,
    execArgv: [],
  })
  const result = await new Promise<BedTaskResult>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error('the thread ended without a bed')))
  })
  if (result.ok) return result.loops
  throw new BedError(result.code, result.message, result.hint)
}
