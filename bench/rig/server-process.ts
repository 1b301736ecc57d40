/**
 * A server of one's own: starts a program on a free port with a data directory that goes away with
 * it, waits until
 * `/ready` says 200, reads its CPU time, and stops it by SIGINT as Ctrl-C would.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../server/main.ts', import.meta.url))
const FLOOR = fileURLToPath(new URL('./floor-server.ts', import.meta.url))
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** V8's flags of `npm start`: what is measured is what users run. */
const START_FLAGS = readStartFlags()
/** A cold start takes 6 s on two cores, minutes while other programs keep them busy. */
const READY_TIMEOUT_MS = 120_000
const READY_POLL_MS = 50
/** After this a process that was asked to stop is killed. */
const STOP_TIMEOUT_MS = 20_000
const OUTPUT_LIMIT_CHARACTERS = 200_000
/** USER_HZ: the unit of CPU times in /proc, 100 on every Linux that Node runs on. */
const TICKS_PER_SEC = 100

export interface ServerOptions {
  program?: 'main' | 'floor'
  env?: Record<string, string>
  /** Flags of node itself, e.g. `--cpu-prof`. */
  nodeFlags?: string[]
  /** Kept after stop when given; else a temporary directory. */
  dataDir?: string
  port?: number
  /** False returns as soon as the child runs: for tests of a start that fails. */
  waitReady?: boolean
}

export interface ExitStatus {
  code: number | null
  signal: NodeJS.Signals | null
}

export class ServerProcess {
  readonly url: string
  readonly port: number
  readonly adminKey: string
  readonly dataDir: string
  readonly exited: Promise<ExitStatus>
  readonly #child: ChildProcess
  readonly #keepData: boolean
  #output = ''

  /** @throws Error with the server's last output when it ends or is not ready within 120 s. */
  static async start(options: ServerOptions = {}): Promise<ServerProcess> {
    const port = options.port ?? (await freePort())
    const dataDir = options.dataDir ?? (await temporaryDir())
    const keepData = options.dataDir !== undefined
    const server = new ServerProcess({ ...options, port, dataDir, keepData })
    if (options.waitReady === false) return server
    try {
      await server.ready()
    } catch (error) {
      await server.stop()
      throw error
    }
    return server
  }

  private constructor(
    options: ServerOptions & { port: number; dataDir: string; keepData: boolean },
  ) {
    this.port = options.port
    this.url = `http://127.0.0.1:${options.port}`
    this.dataDir = options.dataDir
    this.adminKey = options.env?.['ADMIN_API_KEY'] ?? 'rig-key-0123456789abcdef'
    this.#keepData = options.keepData
    const isFloor = options.program === 'floor'
    const flags = [...(isFloor ? [] : START_FLAGS), ...(options.nodeFlags ?? [])]
    const program = isFloor ? [FLOOR, String(options.port)] : [MAIN]
    this.#child = spawn(process.execPath, [...flags, ...program], {
      cwd: ROOT,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: process.env['HOME'] ?? '',
        PORT: String(options.port),
        DATA_DIR: options.dataDir,
        ADMIN_API_KEY: this.adminKey,
        LOG_LEVEL: 'info',
        ...options.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const keep = (part: string): void => {
      this.#output = (this.#output + part).slice(-OUTPUT_LIMIT_CHARACTERS)
    }
    this.#child.stdout?.setEncoding('utf8').on('data', keep)
    this.#child.stderr?.setEncoding('utf8').on('data', keep)
    this.exited = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => resolve({ code, signal }))
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** What the server printed, the last 200 000 characters. */
  get output(): string {
    return this.#output
  }

  /** Waits for `/ready`. @throws Error when the process ends first or 120 s pass. */
  async ready(): Promise<void> {
    const deadlineMs = performance.now() + READY_TIMEOUT_MS
    let exit: ExitStatus | null = null
    void this.exited.then((status) => (exit = status))
    while (performance.now() < deadlineMs) {
      if (exit !== null) break
      const answer = await fetch(`${this.url}/ready`).catch(() => null)
      await answer?.body?.cancel()
      if (answer?.status === 200) return
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS))
    }
    const why = exit === null ? 'was not ready in 120 s' : `ended with ${JSON.stringify(exit)}`
    throw new Error(`The server ${why}. Its last output:\n${this.#output.slice(-4_000)}`)
  }

  /** CPU time used so far by the process with all its threads, without its children, s. */
  cpuSec(): number {
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8')
    // The name in brackets may hold spaces; counted from behind it, utime and stime are fields 11
    // and 12.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SEC
  }

  /** Resident memory, MB. */
  rssMb(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal)
  }

  /** SIGINT, after 20 s SIGKILL; removes a temporary data directory. Idempotent. */
  async stop(): Promise<ExitStatus> {
    this.signal('SIGINT')
    const killer = setTimeout(() => this.signal('SIGKILL'), STOP_TIMEOUT_MS)
    const status = await this.exited
    clearTimeout(killer)
    // Its database may still be writing when a start was broken off.
    const patient = { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }
    if (!this.#keepData) await rm(this.dataDir, patient)
    return status
  }
}

/** The embedded PostgreSQL runs as another account when we are root, and must be able to enter. */
async function temporaryDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'andrea-'))
  await chmod(dir, 0o755)
  return dir
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      probe.close(() => resolve(port))
    })
  })
}

function readStartFlags(): string[] {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: { start: string }
  }
  const flags = scripts.start.split(' ').filter((word) => word.startsWith('--'))
  // The rig gives the environment itself.
  return flags.filter((flag) => !flag.startsWith('--env-file'))
}
