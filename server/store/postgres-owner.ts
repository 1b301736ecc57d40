/**
 * Who owns the data directory: one server at a time.
 *
 * `postgres-owner.json` names the owning process. It appears whole or not at all (written aside, then hard-linked), so
 * of two servers that start at once one loses. A process id alone proves nothing after a crash, because ids are used
 * again; with the start time from /proc it does.
 *
 * After kill -9 of the server its PostgreSQL lives on, detached as it is: `reclaimOrphan` stops it. PostgreSQL's own
 * lock (postmaster.pid) remains the last guard; nothing here ever removes it while its process runs in the cluster.
 */
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { StoreError } from '../errors.ts'

export interface Ownership {
  /** Gives the directory back. Idempotent, synchronous: also called while the process exits. */
  release(): void
}

const ownerFile = z.object({ pid: z.int().positive(), startTicks: z.string().nullable() })
type Owner = z.infer<typeof ownerFile>

/** An orphan gets this long for a fast shutdown, then for an immediate one. */
const ORPHAN_FAST_MS = 8_000
const ORPHAN_IMMEDIATE_MS = 5_000

/**
 * Claims `dataDir` for this process.
 *
 * @throws StoreError STORE_DATA_DIR_IN_USE    another live process owns it; the message names the process and the directory
 * @throws StoreError STORE_DATA_DIR_UNUSABLE  the directory cannot be written
 */
export function takeOwnership(dataDir: string): Ownership {
  const file = path.join(dataDir, 'postgres-owner.json')
  const mine: Owner = { pid: process.pid, startTicks: startTicks(process.pid) }
  const draft = `${file}.${process.pid}`
  try {
    fs.writeFileSync(draft, JSON.stringify(mine))
    // Each round either claims the file, refuses, or removes one stale owner.
    while (!linkIfFree(draft, file)) removeStaleOwner(file, dataDir)
  } catch (error) {
    if (error instanceof StoreError) throw error
    throw new StoreError(
      'STORE_DATA_DIR_UNUSABLE',
      `The data directory ${dataDir} cannot be written: ${(error as Error).message}`,
      { cause: error },
    )
  } finally {
    fs.rmSync(draft, { force: true })
  }
  let held = true
  return {
    release() {
      if (held) fs.rmSync(file, { force: true })
      held = false
    },
  }
}

/**
 * Stops a PostgreSQL that an earlier server left running in `clusterDir`, and removes a lock file whose process id
 * meanwhile belongs to something else. Call only while holding the ownership.
 *
 * @throws StoreError STORE_ORPHAN_STUCK when it does not end
 */
export async function reclaimOrphan(
  clusterDir: string,
  onLog: (line: string) => void,
): Promise<void> {
  const lock = path.join(clusterDir, 'postmaster.pid')
  if (!fs.existsSync(lock)) return
  const pid = Number.parseInt(fs.readFileSync(lock, 'utf8'), 10)
  if (!(pid > 0) || !isAlive(pid)) return
  if (!runsIn(pid, clusterDir)) {
    // PostgreSQL only asks whether that id is alive, and would refuse to start because of a stranger.
    fs.rmSync(lock, { force: true })
    return
  }
  onLog(`stopping PostgreSQL ${pid}, left over from a server that did not shut down`)
  process.kill(pid, 'SIGINT')
  if (await gone(pid, ORPHAN_FAST_MS)) return
  process.kill(pid, 'SIGQUIT')
  if (await gone(pid, ORPHAN_IMMEDIATE_MS)) return
  throw new StoreError(
    'STORE_ORPHAN_STUCK',
    `PostgreSQL ${pid} still runs in ${clusterDir} and does not stop. End it with "kill -9 ${pid}" and start again.`,
  )
}

function linkIfFree(draft: string, file: string): boolean {
  try {
    fs.linkSync(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function removeStaleOwner(file: string, dataDir: string): void {
  const seen = readOwner(file)
  if (seen !== null && isOwnerAlive(seen)) throw inUse(seen, dataDir)
  // Moved aside before it is removed: between reading and removing, another server may have replaced it.
  const aside = `${file}.stale-${process.pid}`
  try {
    fs.renameSync(file, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const moved = readOwner(aside)
  if (moved !== null && isOwnerAlive(moved)) {
    linkIfFree(aside, file)
    fs.rmSync(aside, { force: true })
    throw inUse(moved, dataDir)
  }
  fs.rmSync(aside, { force: true })
}

function readOwner(file: string): Owner | null {
  try {
    return ownerFile.parse(JSON.parse(fs.readFileSync(file, 'utf8')))
  } catch {
    // Gone in the meantime, or no owner file of ours: nobody can be named, so nobody holds it.
    return null
  }
}

function inUse(owner: Owner, dataDir: string): StoreError {
  const who = owner.pid === process.pid ? `this process (${owner.pid})` : `process ${owner.pid}`
  return new StoreError(
    'STORE_DATA_DIR_IN_USE',
    `The data directory ${dataDir} is in use by ${who}. Stop that server first, or give this one ` +
      'another directory (DATA_DIR) or a database (DATABASE_URL).',
  )
}

function isOwnerAlive(owner: Owner): boolean {
  return isAlive(owner.pid) && startTicks(owner.pid) === owner.startTicks
}

/** False for a zombie too: in a container whose first process reaps nobody, the dead keep their id. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  return statFields(pid)?.[0] !== 'Z'
}

/** When the process started, in clock ticks since boot; null where /proc does not tell. */
function startTicks(pid: number): string | null {
  return statFields(pid)?.[19] ?? null
}

/** The fields of /proc/<pid>/stat from the state on; null without /proc or without that process. */
function statFields(pid: number): string[] | null {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name and may hold spaces and brackets: count from behind it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null
  }
}

/** A postmaster's working directory is its cluster. Without /proc any live process is taken for one. */
function runsIn(pid: number, clusterDir: string): boolean {
  if (!fs.existsSync('/proc/self/cwd')) return true
  try {
    return fs.readlinkSync(`/proc/${pid}/cwd`) === fs.realpathSync(clusterDir)
  } catch {
    // Another user's process, or one that has just ended: not a postmaster of ours.
    return false
  }
}

async function gone(pid: number, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs
  while (performance.now() < deadline) {
    if (!isAlive(pid)) return true
    await delay(20)
  }
  return !isAlive(pid)
}
