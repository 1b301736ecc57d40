/**
 * A PostgreSQL cluster on disk: made once, given a fresh password at each start.
 *
 *   initdb ─► postgres.new/ ─► role and database "andrea" ─► renamed to postgres/
 *
 * The rename comes last, so a power cut in between leaves no half-made cluster behind. Roles and the password are set in
 * single-user mode, before anything listens: there is no moment in which the server accepts a connection without it.
 *
 * Invariants: the superuser cannot log in; the server's own role owns one database and may create others, no more.
 */
import { execFile } from 'node:child_process'
import type { ChildProcess, ExecFileOptions } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { StoreError } from '../errors.ts'
import type { Account } from './postgres-account.ts'

export const ROLE = 'andrea'
export const DATABASE = 'andrea'

export interface ClusterTools {
  binDir: string
  clusterDir: string
  account: Account | null
  /** False: nothing is flushed to disk. For tests, and for nothing else. */
  durable: boolean
}

const HBA = `# Only the server's own role, only from this machine, only with the password of this run.
host all ${ROLE} 127.0.0.1/32 scram-sha-256
`

/** Environment of every PostgreSQL program: messages in English, because readiness is read from them. */
export const POSTGRES_ENV = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' }

/** The major version that made the cluster, or null when there is none yet. */
export function clusterMajor(clusterDir: string): number | null {
  const file = path.join(clusterDir, 'PG_VERSION')
  return fs.existsSync(file) ? Number.parseInt(fs.readFileSync(file, 'utf8'), 10) : null
}

/** A password for one run. Hexadecimal: goes into SQL and into a URL as it is. */
export function newPassword(): string {
  return randomBytes(24).toString('hex')
}

/**
 * Makes the cluster when it does not exist, and sets the password either way. The cluster must not be running.
 *
 * @param password from newPassword(); kept in memory only
 * @throws StoreError STORE_INITDB_FAILED, STORE_START_FAILED with what PostgreSQL said
 */
export async function prepareCluster(tools: ClusterTools, password: string): Promise<void> {
  if (!/^[0-9a-f]+$/.test(password)) throw new TypeError('the password must be hexadecimal')
  if (clusterMajor(tools.clusterDir) === null) await createCluster(tools, password)
  else await runSingleUser(tools, [`ALTER ROLE ${ROLE} PASSWORD '${password}'`])
}

async function createCluster(tools: ClusterTools, password: string): Promise<void> {
  const { clusterDir, account, durable } = tools
  if (fs.existsSync(clusterDir) && fs.readdirSync(clusterDir).length > 0) {
    throw new StoreError(
      'STORE_DATA_DIR_UNUSABLE',
      `${clusterDir} holds files, but no PostgreSQL database. Move them away or choose another data directory.`,
    )
  }
  const half = `${clusterDir}.new`
  fs.rmSync(half, { recursive: true, force: true })
  fs.mkdirSync(half, { mode: 0o700 })
  if (account !== null) fs.chownSync(half, account.uid, account.gid)
  const args = ['-D', half, '-U', 'postgres', '--encoding=UTF8', '--locale=C', '--auth=reject']
  if (!durable) args.push('--no-sync')
  const made = await run(path.join(tools.binDir, 'initdb'), args, { tools, cwd: half })
  if (made.code !== 0) {
    throw new StoreError('STORE_INITDB_FAILED', `initdb failed in ${half}: ${lastLines(made)}`)
  }
  fs.writeFileSync(path.join(half, 'pg_hba.conf'), HBA)
  await runSingleUser({ ...tools, clusterDir: half }, [
    `CREATE ROLE ${ROLE} LOGIN CREATEDB PASSWORD '${password}'`,
    `CREATE DATABASE ${DATABASE} OWNER ${ROLE}`,
  ])
  // Replaces an empty directory, which is all that can be there.
  fs.renameSync(half, clusterDir)
}

/** Runs statements, one a line, without a server. */
async function runSingleUser(tools: ClusterTools, statements: string[]): Promise<void> {
  const args = ['--single', '-D', tools.clusterDir, '-c', 'password_encryption=scram-sha-256']
  if (!tools.durable) args.push('-c', 'fsync=off')
  args.push('postgres')
  const input = `${statements.join('\n')}\n`
  const done = await run(path.join(tools.binDir, 'postgres'), args, {
    tools,
    cwd: tools.clusterDir,
    input,
  })
  // A failed statement is only logged; the program still ends with 0.
  const failure = /(?:ERROR|FATAL|PANIC): .*/.exec(done.stderr)
  if (done.code === 0 && failure === null) return
  throw new StoreError(
    'STORE_START_FAILED',
    `PostgreSQL could not prepare ${tools.clusterDir}: ${failure?.[0] ?? lastLines(done)}`,
    { retryable: done.stderr.includes('pre-existing shared memory block') },
  )
}

interface Finished {
  code: number | null
  stdout: string
  stderr: string
}

interface RunOptions {
  tools: ClusterTools
  cwd: string
  input?: string
}

/** Runs a program to its end as the cluster's account. Never rejects: a program that cannot start has code null. */
async function run(program: string, args: string[], options: RunOptions): Promise<Finished> {
  const { account } = options.tools
  const settings: ExecFileOptions = { cwd: options.cwd, env: POSTGRES_ENV, ...(account ?? {}) }
  return await new Promise((resolve) => {
    const child: ChildProcess = execFile(program, args, settings, (error, stdout, stderr) => {
      const failedToStart = error !== null && typeof error.code !== 'number'
      resolve({
        code: child.exitCode,
        stdout: String(stdout),
        stderr: failedToStart ? `${error.message}\n${String(stderr)}` : String(stderr),
      })
    })
    // The program may be gone before it has read its input; its exit tells the story then.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(options.input ?? '')
  })
}

function lastLines(finished: Finished): string {
  const lines = `${finished.stdout}\n${finished.stderr}`.trim().split('\n')
  return lines.slice(-4).join(' | ')
}
