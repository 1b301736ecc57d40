/** Thread of one upload: a file becomes a loop. Five minutes of audio are a second of work, which calls must not wait for. */
import { parentPort, workerData } from 'node:worker_threads'
import { loopsOf, LONGEST_BED_SEC, makeLoop } from './bed-loop.ts'
import type { BedTask, BedTaskResult } from './prepare-bed.ts'
import { BedError, readWav } from './wav-file.ts'

function run(task: BedTask): BedTaskResult {
  if (task.kind === 'loops') return { ok: true, loops: loopsOf(task.loop) }
  try {
    const { samples, rateHz } = readWav(task.file, LONGEST_BED_SEC)
    return { ok: true, loops: loopsOf(makeLoop(samples, rateHz)) }
  } catch (error) {
    if (!(error instanceof BedError)) throw error
    return { ok: false, code: error.code, message: error.message, hint: error.hint }
  }
}

parentPort?.postMessage(run(workerData as BedTask))
