/**
 * What a short conversation leaves behind: opened, heard, answered, spoken to and ended many times over the real SDKs,
 * with the memory weighed after full collections along the way.
 *
 *   warm-up ─► weigh ─► 1/STEPS of them ─► weigh ─► … ─► the median slope, bytes per conversation
 *
 * V8 keeps compiled code, caches and closing sockets for a while, and lets go of megabytes at once: a difference of two
 * weights says little, the median slope between several behind the warm-up says what stays.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { slopePerCall, type MemoryPoint } from './leak.ts'

export interface Conversations {
  /** One conversation from begin to end. */
  hold(index: number): Promise<void>
}

const STEPS = 5
/** Closing handshakes of the last sockets take this long on a busy machine, and hold 20 kB each. */
const SETTLE_MS = 1_000
const ROUNDS = 3
/** V8 throws away the code of what was only run at the start when so many collections found it unused: before we weigh. */
const AGEING_COLLECTIONS = 12

/** Bytes, on the heap and in buffers outside of it, that each of `count` conversations left; `warmUp` more come before. */
export async function leakPerConversation(
  { hold }: Conversations,
  options: { count: number; warmUp: number; parallel: number },
): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const weigh = async (): Promise<number> => {
    let least = Infinity
    for (let round = 0; round < ROUNDS; round++) {
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
      collect()
      const { heapUsed, external } = process.memoryUsage()
      least = Math.min(least, heapUsed + external)
    }
    return least
  }
  let next = 0
  const runTo = async (end: number): Promise<void> => {
    const worker = async (): Promise<void> => {
      while (next < end) await hold(next++)
    }
    await Promise.all(Array.from({ length: options.parallel }, worker))
  }
  await runTo(options.warmUp)
  for (let i = 0; i < AGEING_COLLECTIONS; i++) collect()
  const points: MemoryPoint[] = [{ finishedCalls: next, bytes: await weigh() }]
  for (let step = 1; step <= STEPS; step++) {
    await runTo(options.warmUp + Math.round((options.count * step) / STEPS))
    points.push({ finishedCalls: next, bytes: await weigh() })
  }
  return slopePerCall(points)
}
