/**
 * Embedded PostgreSQL: a database without installing one. Binaries from npm, data below the data directory.
 *
 *   own the directory ─► stop an orphan ─► place ─► binaries ─► initdb once ─► new password ─► postmaster on a free port
 *
 * The surprising part is who survives whom: the postmaster is detached, so Ctrl-C and even kill -9 of the server leave
 * it running. The first is wanted (calls end in order before the database does), the second is mended at the next start.
 * When the postmaster itself dies, it is started again on the same port with the same password, so that pools recover.
 *
 * Invariants: one server per data directory; reachable from this machine only; the event loop is not kept alive.
 * Used by: main.ts, migrate.ts, tests/support/postgres.ts.   Decision: docs/adr/0003.
 */
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { StoreError, errorText } from '../errors.ts'
import { accountForPostgres, placeCluster } from './postgres-account.ts'
import { findBinaries } from './postgres-binaries.ts'
import { DATABASE, ROLE, clusterMajor, newPassword, prepareCluster } from './postgres-cluster.ts'
import type { ClusterTools } from './postgres-cluster.ts'
import { reclaimOrphan, takeOwnership } from './postgres-owner.ts'
import { freePort, startPostmaster } from './postmaster.ts'
import type { Postmaster } from './postmaster.ts'

export interface EmbeddedPostgresOptions {
  /** Where the cluster goes, as `<dataDir>/postgres`; created when missing. One server at a time. */
  dataDir: string
  /** False turns off every flush to disk: fast, and lost with the machine. For tests. */
  durable: boolean
  /** PostgreSQL's log, line by line, and what the runner itself does. */
  onLog?(line: string): void
  /** Port and password of an earlier start, to come back at the same address. By default both are new. */
  address?: { port: number; password: string }
}

export interface EmbeddedPostgres {
  /** `postgres://…@127.0.0.1:<port>/andrea`; holds the password: never log it. */
  readonly url: string
  readonly port: number
  readonly password: string
  /** The cluster's real place; differs from `<dataDir>/postgres` when that could not be reached. */
  readonly clusterDir: string
  /** Process id of the running postmaster. */
  readonly pid: number
  /** Ends all sessions and shuts down; at most 8 s, then by force. Idempotent. */
  stop(): Promise<void>
}

const START_ATTEMPTS = 20
const RETRY_MS = 200
/** Pause before a postmaster that died is started again; doubles up to the limit. */
const REVIVE_MS = 250
const REVIVE_LIMIT_MS = 10_000

/**
 * Starts the database: about 1 s the first time, a fraction of that later.
 *
 * @throws StoreError STORE_DATA_DIR_IN_USE  another server has the directory; the message names its process
 * @throws StoreError STORE_NO_BINARIES      neither npm nor Debian brought PostgreSQL
 * @throws StoreError STORE_VERSION_MISMATCH, STORE_NO_ACCOUNT, STORE_DATA_DIR_UNUSABLE, STORE_START_FAILED, …
 */
export async function startEmbeddedPostgres(o: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = path.resolve(o.dataDir)
  try {
    fs.mkdirSync(dataDir, { recursive: true })
  } catch (error) {
    const message = `The data directory ${dataDir} cannot be made: ${errorText(error)}`
    throw new StoreError('STORE_DATA_DIR_UNUSABLE', message, { cause: error })
  }
  const ownership = takeOwnership(dataDir)
  try {
    const onLog = o.onLog ?? (() => undefined)
    const tools = await prepareTools(dataDir, o.durable, onLog)
    const password = o.address?.password ?? newPassword()
    await retrying(() => prepareCluster(tools, password))
    const supervisor = new Supervisor(tools, { ownership, onLog })
    await supervisor.start(o.address?.port ?? null)
    return supervisor.describe(password)
  } catch (error) {
    ownership.release()
    throw error
  }
}

async function prepareTools(
  dataDir: string,
  durable: boolean,
  onLog: (line: string) => void,
): Promise<ClusterTools> {
  const account = accountForPostgres(path.join(dataDir, 'postgres'))
  // Before placing: a cluster that has to move must not be running.
  await reclaimOrphan(path.join(dataDir, 'postgres'), onLog)
  const { clusterDir, privateDir } = await placeCluster(dataDir, account)
  if (privateDir !== dataDir) onLog(`data lies in ${clusterDir}, where the database account can go`)
  const { binDir } = findBinaries(account, privateDir, clusterMajor(clusterDir))
  return { binDir, clusterDir, account, durable }
}

/** Keeps the postmaster running until it is told to stop. */
class Supervisor {
  readonly #tools: ClusterTools
  readonly #onLog: (line: string) => void
  readonly #ownership: { release(): void }
  readonly #abandon = (): void => {
    // The process exits without stop(), by process.exit or a crash: leave no orphan if it can be helped.
    this.#postmaster?.signalStop()
    this.#ownership.release()
  }
  #postmaster: Postmaster | null = null
  #port = 0
  #reviving: Promise<void> = Promise.resolve()
  #stopped: Promise<void> | null = null

  constructor(
    tools: ClusterTools,
    context: { ownership: { release(): void }; onLog(line: string): void },
  ) {
    this.#tools = tools
    this.#ownership = context.ownership
    this.#onLog = context.onLog
  }

  async start(port: number | null): Promise<void> {
    await retrying(async () => {
      this.#port = port ?? (await freePort())
      await this.#launch()
    })
    process.once('exit', this.#abandon)
  }

  describe(password: string): EmbeddedPostgres {
    const pid = (): number => this.#postmaster?.pid ?? 0
    return {
      url: `postgres://${ROLE}:${password}@127.0.0.1:${this.#port}/${DATABASE}`,
      port: this.#port,
      password,
      clusterDir: this.#tools.clusterDir,
      get pid() {
        return pid()
      },
      stop: () => (this.#stopped ??= this.#stop()),
    }
  }

  async #launch(): Promise<void> {
    this.#postmaster = await startPostmaster({
      ...this.#tools,
      port: this.#port,
      onLog: this.#onLog,
      onDeath: (description) => this.#revive(description),
    })
  }

  #revive(description: string): void {
    this.#postmaster = null
    this.#onLog(`PostgreSQL died (${description}); starting it again`)
    let pauseMs = REVIVE_MS
    const attempt = (): void => {
      if (this.#stopped !== null) return
      this.#reviving = this.#launch().catch((error: unknown) => {
        this.#onLog(`PostgreSQL did not come back: ${errorText(error)}`)
        pauseMs = Math.min(pauseMs * 2, REVIVE_LIMIT_MS)
        setTimeout(attempt, pauseMs).unref()
      })
    }
    setTimeout(attempt, pauseMs).unref()
  }

  async #stop(): Promise<void> {
    process.off('exit', this.#abandon)
    await this.#reviving
    await this.#postmaster?.stop()
    this.#ownership.release()
  }
}

/** Repeats while the failure is one that passes: a port just taken, sessions of a killed predecessor still ending. */
async function retrying<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start()
    } catch (error) {
      if (!(error instanceof StoreError) || !error.retryable || attempt === START_ATTEMPTS)
        throw error
      await delay(RETRY_MS)
    }
  }
}
