/**
 * Server watch: what the server says about itself while it is measured, once every 2 s: its load signals, its memory.
 */
import { z } from 'zod'
import type { MemoryPoint } from './leak.ts'
import type { ServerApi } from './server-api.ts'
import type { ServerProcess } from './server-process.ts'

const status = z.object({
  calls: z.object({ live: z.number() }),
  load: z.object({ rung: z.string(), signals: z.record(z.string(), z.number()) }),
})

export interface Watched {
  /** The worst 3 s median of each signal. */
  signals: Record<string, number>
  /** Highest rung of the degradation ladder. */
  rungs: Set<string>
  rssMaxMb: number
  /** Heap, and memory outside of it that the heap holds, with the calls finished by then. */
  memory: MemoryPoint[]
  /** Open sockets, timers and the like. */
  handles: number[]
}

export class ServerWatch {
  readonly seen: Watched = {
    signals: {},
    rungs: new Set(),
    rssMaxMb: 0,
    memory: [],
    handles: [],
  }
  readonly #server: ServerProcess
  readonly #api: ServerApi
  readonly #finishedCalls: () => number
  #timer: NodeJS.Timeout | null = null
  #failed = 0

  constructor(server: ServerProcess, api: ServerApi, finishedCalls: () => number = () => 0) {
    this.#server = server
    this.#api = api
    this.#finishedCalls = finishedCalls
  }

  /** Readings that the server did not answer. */
  get failed(): number {
    return this.#failed
  }

  start(everyMs = 2_000): void {
    this.#timer = setInterval(() => {
      this.#read().catch(() => this.#failed++)
    }, everyMs)
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  async #read(): Promise<void> {
    const { seen } = this
    const { load } = status.parse(await this.#api.get('/api/v1/status'))
    for (const [name, value] of Object.entries(load.signals)) {
      seen.signals[name] = Math.max(seen.signals[name] ?? 0, value)
    }
    seen.rungs.add(load.rung)
    seen.rssMaxMb = Math.max(seen.rssMaxMb, this.#server.rssMb())
    const metrics = await this.#api.metrics()
    const bytes =
      metricOf(metrics, 'nodejs_heap_size_used_bytes') +
      metricOf(metrics, 'nodejs_external_memory_bytes')
    seen.memory.push({ finishedCalls: this.#finishedCalls(), bytes })
    seen.handles.push(metricOf(metrics, 'nodejs_active_resources_total'))
  }
}

/** The value of a metric without labels; 0 when it is not there. */
export function metricOf(exposition: string, name: string): number {
  const line = exposition.split('\n').find((text) => text.startsWith(`${name} `))
  return line === undefined ? 0 : Number(line.slice(name.length + 1))
}
