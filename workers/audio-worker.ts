/**
 * Audio worker: runs the DSP chains over batches of slots: one task of Piscina's, from its start to the pool's end. While it waits for
 * the next batch the thread sleeps in Atomics.wait, so a timer or a promise in here would never fire.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { bindKernel, type DspShare } from '../dsp/host.ts'
import { answerBell } from './doorbell.ts'

/** What all workers of a pool have. */
export interface AudioWorkerData {
  share: DspShare
  bells: SharedArrayBuffer
}

const { share, bells } = workerData as AudioWorkerData
const kernel = bindKernel(share)

/** Serves the bell of number `bell`. */
export default function serve({ bell }: { bell: number }): never {
  return answerBell(bells, bell, {
    run: (list, count) => kernel.run(list, count),
    // What it says does not matter: it wakes the main thread, which looks.
    tell: () => parentPort?.postMessage(bell),
  })
}
