/**
 * What a short conversation leaves behind: opened, heard, answered, spoken to and ended many times over the real SDKs,
 * with the heap weighed after a full collection at both ends.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

export interface Conversations {
  /** One conversation from begin to end. */
  hold(index: number): Promise<void>
}

/** Bytes of heap that each of `count` conversations left. The first `warmUp` fill what is filled once. */
export async function leakPerConversation(
  { hold }: Conversations,
  options: { count: number; warmUp: number; parallel: number },
): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const weigh = async (): Promise<number> => {
    for (let round = 0; round < 3; round++) {
      // Closing handshakes of the last sockets take this long on a busy machine, and hold 20 kB each.
      await new Promise((resolve) => setTimeout(resolve, 2_000))
      collect()
    }
    return process.memoryUsage().heapUsed
  }
  const run = async (from: number, to: number): Promise<void> => {
    let next = from
    const worker = async (): Promise<void> => {
      while (next < to) await hold(next++)
    }
    await Promise.all(Array.from({ length: options.parallel }, worker))
  }
  await run(0, options.warmUp)
  const before = await weigh()
  await run(options.warmUp, options.warmUp + options.count)
  return ((await weigh()) - before) / options.count
}
