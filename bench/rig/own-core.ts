/**
 * Own core: keeps the rig on the machine's last processor, so that it does not wander and push the server off the one it is on.
 * The server stays free to use all of them. Linux with util-linux only; elsewhere the rig runs where the system puts it.
 */
import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

/** Pins this process with all its threads, from the next thread on; call it after the server has been started. Null: not possible. */
export function takeOwnCore(): number | null {
  const cores = availableParallelism()
  if (cores < 2) return null
  try {
    execFileSync('taskset', ['-a', '-c', '-p', String(cores - 1), String(process.pid)], {
      stdio: 'ignore',
    })
    return cores - 1
  } catch {
    // No taskset on this machine, or not allowed here: the figures are a little noisier, and say so by `rigCore` null.
    return null
  }
}
