/**
 * Which account runs the embedded PostgreSQL, and where that account can reach the files.
 *
 * PostgreSQL refuses to run as root, so a server started by root hands it to `postgres` or `nobody`. Such an account
 * cannot enter a project below a 0700 directory (/root, a private home): then data and binaries live in a directory
 * of their own, named after the project, and `<data dir>/postgres` is a link to it.
 *
 * Invariant: nothing here changes the mode or the owner of a directory that already existed.
 */
import { createHash } from 'node:crypto'
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { StoreError } from '../errors.ts'

/** A user id and group id to drop to; null where the server's own account will do. */
export interface Account {
  uid: number
  gid: number
}

export interface ClusterPlace {
  /** The cluster itself (PGDATA), with links resolved. It may not exist yet. */
  clusterDir: string
  /** Where copies of the binaries may go when those in node_modules cannot be used. */
  privateDir: string
}

/** /var/lib first: what lies in /var/tmp may be cleaned away after 30 days. */
const PRIVATE_PARENTS = ['/var/lib', '/var/tmp']

/**
 * The account for PostgreSQL: null unless this process is root. A cluster that exists keeps the account that owns it,
 * so `sudo npm start` after `npm start` works.
 *
 * @throws StoreError STORE_NO_ACCOUNT when root finds neither `postgres` nor `nobody` in /etc/passwd
 */
export function accountForPostgres(clusterDir: string): Account | null {
  if (process.getuid?.() !== 0) return null
  const owner = fs.statSync(clusterDir, { throwIfNoEntry: false })
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid }
  const passwd = fs.readFileSync('/etc/passwd', 'utf8')
  for (const name of ['postgres', 'nobody']) {
    const fields = passwd
      .split('\n')
      .find((line) => line.startsWith(`${name}:`))
      ?.split(':')
    const account = { uid: Number(fields?.[2]), gid: Number(fields?.[3]) }
    if (account.uid > 0 && account.gid >= 0) return account
  }
  throw new StoreError(
    'STORE_NO_ACCOUNT',
    'PostgreSQL does not run as root, and this machine has no user "postgres" or "nobody". ' +
      'Start the server as an ordinary user, or set DATABASE_URL.',
  )
}

/** True when the account may pass through `dir` and everything above it. Access lists are not looked at. */
export function canEnter(dir: string, account: Account): boolean {
  for (let at = path.resolve(dir); ; at = path.dirname(at)) {
    const stat = fs.statSync(at)
    const bit =
      stat.uid === account.uid ? 0o100 : stat.gid === account.gid ? 0o010 : /* others */ 0o001
    if ((stat.mode & bit) === 0) return false
    if (at === path.dirname(at)) return true
  }
}

/**
 * Decides where the cluster of `dataDir` lives. Below a directory the account cannot enter, the cluster is moved to a
 * private directory once and `<dataDir>/postgres` becomes a link; a link that exists is followed.
 *
 * @param dataDir absolute and existing
 * @throws StoreError STORE_DATA_DIR_UNUSABLE when no private directory can be made
 */
export async function placeCluster(
  dataDir: string,
  account: Account | null,
): Promise<ClusterPlace> {
  const here = path.join(dataDir, 'postgres')
  const kind = fs.lstatSync(here, { throwIfNoEntry: false })
  const reachable = account === null || canEnter(fs.realpathSync(dataDir), account)
  if (reachable && !kind?.isSymbolicLink()) {
    return { clusterDir: path.join(fs.realpathSync(dataDir), 'postgres'), privateDir: dataDir }
  }
  if (kind?.isSymbolicLink()) {
    const clusterDir = path.resolve(dataDir, fs.readlinkSync(here))
    fs.mkdirSync(path.dirname(clusterDir), { recursive: true, mode: 0o711 })
    return { clusterDir, privateDir: path.dirname(clusterDir) }
  }
  const privateDir = makePrivateDir(fs.realpathSync(dataDir))
  const clusterDir = path.join(privateDir, 'postgres')
  if (kind !== undefined) await move(here, clusterDir)
  fs.symlinkSync(clusterDir, here)
  return { clusterDir, privateDir }
}

/** Creates (or finds) the project's directory outside the project: root's own, open to pass through, closed to list. */
function makePrivateDir(dataDir: string): string {
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 12)
  const failures: string[] = []
  for (const parent of PRIVATE_PARENTS) {
    const dir = path.join(parent, `andrea-pg-${process.getuid?.() ?? 0}-${hash}`)
    try {
      fs.mkdirSync(dir, { mode: 0o711 })
      return dir
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      // A directory of that name in a world-writable parent counts only when it is ours.
      if (code === 'EEXIST' && fs.lstatSync(dir).isDirectory() && fs.lstatSync(dir).uid === 0) {
        return dir
      }
      failures.push(`${dir}: ${code ?? String(error)}`)
    }
  }
  throw new StoreError(
    'STORE_DATA_DIR_UNUSABLE',
    `The database account cannot reach ${dataDir}, and no other place could be made ` +
      `(${failures.join('; ')}). Put the data directory where other users may enter, or set DATABASE_URL.`,
  )
}

/** Renames, or copies with owner and mode when the target lies on another file system. */
async function move(from: string, to: string): Promise<void> {
  try {
    fs.renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    await promisify(execFile)('cp', ['-a', from, to])
    fs.rmSync(from, { recursive: true, force: true })
  }
}
