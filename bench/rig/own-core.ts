/**
 * Own core: the rig on the machine's last processor, the server's main thread on the others.
 *
 *   0 … n-2  main thread of the server (its workers, and the database, go where the system puts them)
 *   n-1      rig, emulated providers
 *
 * A writer on loopback wakes the reader on its own processor. Left to itself the server's main thread is drawn behind the rig that way
 * and waits there, 7 of 14 ms at a time, while the other processor idles. Audio that comes from a network card has no such writer.
 *
 * Linux with util-linux only; elsewhere everything runs where the system puts it.
 */
import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

/**
 * Call it when the server is ready: threads that a thread starts later stay where that one is. `emulators` are processes that belong to
 * the rig. Returns the rig's processor; null: not possible here.
 */
export function takeOwnCore(serverPid: number, emulators: number[] = []): number | null {
  const last = availableParallelism() - 1
  if (last < 1) return null
  try {
    for (const pid of [process.pid, ...emulators]) keepOn(String(last), pid, ['-a'])
    // Without -a: the main thread alone.
    keepOn(last === 1 ? '0' : `0-${last - 1}`, serverPid)
    return last
  } catch (error) {
    console.error(`No processor of its own for the rig; figures are noisier: ${String(error)}`)
    return null
  }
}

function keepOn(cores: string, pid: number, flags: string[] = []): void {
  execFileSync('taskset', [...flags, '-c', '-p', cores, String(pid)], { stdio: 'ignore' })
}
