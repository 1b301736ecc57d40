/**
 * Host stalls: time in which the machine beneath a virtual one gives its processors to somebody else. Where the host does not report it
 * as steal no counter of Linux shows it, and a server is no more punctual than its processors.
 *
 *   a process on each processor ─► reads the clock without pause ─► gaps of 1 ms and more
 *
 * Measured before the load: a limit that the server misses beside long stalls may have been missed by the host. Other programs of this
 * machine show as well. Linux with util-linux only.
 */
import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'

const FOR_MS = 2_000
const PROBE = fileURLToPath(new URL('./host-stalls-probe.ts', import.meta.url))
const run = promisify(execFile)

const seen = z.object({ longestMs: z.number(), lostPct: z.number() })

export interface HostStalls {
  /** The longest of any processor, ms. */
  longestMs: number
  /** Of the time of the processor that lost most, 0…100. */
  lostPct: number
}

/** All processors at the same time for 2 s. Null where a process cannot be kept on one. */
export async function hostStalls(): Promise<HostStalls | null> {
  const cores = Array.from({ length: availableParallelism() }, (_, core) => String(core))
  try {
    const outputs = await Promise.all(
      cores.map((core) => run('taskset', ['-c', core, process.execPath, PROBE, String(FOR_MS)])),
    )
    return worstOf(outputs.map(({ stdout }) => seen.parse(JSON.parse(stdout))))
  } catch (error) {
    console.error(`Stalls of the host are not measured: ${String(error)}`)
    return null
  }
}

export function worstOf(processors: readonly HostStalls[]): HostStalls {
  return {
    longestMs: Math.max(...processors.map(({ longestMs }) => longestMs)),
    lostPct: Math.max(...processors.map(({ lostPct }) => lostPct)),
  }
}
