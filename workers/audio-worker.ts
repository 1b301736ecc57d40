/**
 * Audio worker: runs the DSP chains over one batch of slots. Synchronous and bounded: while it
 * waits for the next batch the thread sleeps in Atomics.wait, so a timer or a promise in here would
 * never fire.
 */
import { workerData } from 'node:worker_threads'
import { bindKernel } from '../dsp/host.ts'
import type { AudioBatch, AudioBatchResult, AudioWorkerData } from './audio-batch.ts'

const kernel = bindKernel(workerData as AudioWorkerData)

export default function runBatch(batch: AudioBatch): AudioBatchResult {
  const startedMs = performance.now()
  kernel.run(batch.list, batch.count)
  return { runMs: performance.now() - startedMs }
}
