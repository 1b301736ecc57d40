/**
 * One running PostgreSQL: started, watched until it is ready, stopped.
 *
 * It is spawned detached, in a session of its own, so that Ctrl-C reaches only the server, which first ends its calls
 * and writes what is left. Neither the process nor its log keeps the server's event loop alive.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import net from 'node:net'
import path from 'node:path'
import readline from 'node:readline'
import { StoreError } from '../errors.ts'
import { POSTGRES_ENV } from './postgres-cluster.ts'
import type { ClusterTools } from './postgres-cluster.ts'

export interface PostmasterOptions extends ClusterTools {
  port: number
  onLog(line: string): void
  /** The process ended without stop(); called once, after it was ready. */
  onDeath(description: string): void
}

export interface Postmaster {
  readonly pid: number
  /** Fast shutdown (sessions are ended), after 8 s an immediate one. Idempotent. */
  stop(): Promise<void>
  /** Asks for a fast shutdown and does not wait; for use while the process exits. */
  signalStop(): void
}

const FAST_STOP_MS = 8_000
/** Recovery after a power cut replays up to 1 GB of log; slower than this is a fault. */
const READY_MS = 60_000
const READY_LINE = 'database system is ready to accept connections'
/** Said while the sessions of a killed predecessor are still ending: a moment later it works. */
const PREDECESSOR_LINE = 'pre-existing shared memory block'
const PORT_TAKEN_LINE = 'could not bind IPv4 address'

/** Up to 30 connections: two pools of 10, the migration and a person with psql. */
const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=30',
  'shared_buffers=64MB',
  'timezone=UTC',
  'log_timezone=UTC',
  'lc_messages=C',
  'logging_collector=off',
  'log_destination=stderr',
  'log_line_prefix=',
]
const NOT_DURABLE = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']

/**
 * Starts PostgreSQL and resolves when it accepts connections.
 *
 * @throws StoreError STORE_PORT_TAKEN (retryable) or STORE_START_FAILED (retryable while a predecessor is still ending)
 */
export async function startPostmaster(options: PostmasterOptions): Promise<Postmaster> {
  const settings = [
    ...SETTINGS,
    `port=${options.port}`,
    ...(options.durable ? [] : NOT_DURABLE),
  ].flatMap((setting) => ['-c', setting])
  const child = spawn(
    path.join(options.binDir, 'postgres'),
    ['-D', options.clusterDir, ...settings],
    {
      cwd: options.clusterDir,
      env: POSTGRES_ENV,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(options.account ?? {}),
    },
  )
  await untilReady(child, options)
  const postmaster = createPostmaster(child, options)
  child.unref()
  ;(child.stderr as net.Socket).unref()
  return postmaster
}

/** A port that was free a moment ago, on the loopback interface. */
export async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const probe = net.createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as net.AddressInfo
      probe.close(() => resolve(port))
    })
  })
}

function createPostmaster(child: ChildProcess, options: PostmasterOptions): Postmaster {
  let stopping = false
  const ended = new Promise<void>((resolve) => {
    const onExit = (code: number | null, signal: string | null): void => {
      resolve()
      if (!stopping) options.onDeath(signal ?? `exit code ${code}`)
    }
    if (child.exitCode !== null || child.signalCode !== null) {
      onExit(child.exitCode, child.signalCode)
    } else child.once('exit', onExit)
  })
  return {
    pid: child.pid as number,
    async stop() {
      if (!stopping) {
        stopping = true
        child.ref()
        child.kill('SIGINT')
        setTimeout(() => child.kill('SIGQUIT'), FAST_STOP_MS).unref()
      }
      await ended
    },
    signalStop() {
      stopping = true
      child.kill('SIGINT')
    },
  }
}

async function untilReady(child: ChildProcess, options: PostmasterOptions): Promise<void> {
  const recent: string[] = []
  const lines = readline.createInterface({ input: child.stderr as net.Socket })
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGQUIT')
      reject(startFailure(options, recent, `not ready after ${READY_MS / 1_000} s`))
    }, READY_MS)
    lines.on('line', (line) => {
      options.onLog(line)
      if (recent.push(line) > 20) recent.shift()
      if (!line.includes(READY_LINE)) return
      clearTimeout(timer)
      resolve()
    })
    child.once('error', (error) => {
      clearTimeout(timer)
      reject(startFailure(options, recent, error.message))
    })
    // "close" comes after the last line of the log, "exit" may come before it.
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      reject(startFailure(options, recent, `ended with ${signal ?? `code ${code}`}`))
    })
  })
}

function startFailure(options: PostmasterOptions, log: string[], what: string): StoreError {
  const said = log.filter((line) => /ERROR|FATAL|PANIC|HINT|could not/.test(line)).join(' | ')
  const code = said.includes(PORT_TAKEN_LINE) ? 'STORE_PORT_TAKEN' : 'STORE_START_FAILED'
  const retryable = code === 'STORE_PORT_TAKEN' || said.includes(PREDECESSOR_LINE)
  const message = `PostgreSQL in ${options.clusterDir} did not start, ${what}${said && `: ${said}`}`
  return new StoreError(code, message, { retryable })
}
