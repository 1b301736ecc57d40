/**
 * Load meter: reads this process once a second and hands the ladder its sample.
 *
 *   event loop (utilisation, delay) ─┐
 *   wheel lateness, per turn ────────┤
 *   audio pool, wait per batch ──────┼─► LoadSample, 1/s ─► LoadLadder
 *   frames sent and missed, per call ┘
 *
 * The pool's percentiles are over its last 1 024 batches, which is 5 s of a busy wheel. Everything else is exactly the
 * last second.
 */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import type { LoadLadder } from './load.ts'

const SAMPLE_MS = 1_000
const DELAY_RESOLUTION_MS = 5
/** A wheel turns 200 times a second; more lateness than this is not kept. */
const LATENESS_MAX = 1_024

/** Frames of all calls since the start of the process. */
export class FrameTally {
  sent = 0
  missed = 0
}

export interface LoadMeterDeps {
  ladder: LoadLadder
  tally: FrameTally
  liveCalls(): number
  poolWaitP99Ms(): number
}

export class LoadMeter {
  readonly #deps: LoadMeterDeps
  readonly #delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })
  readonly #lateness = new Float64Array(LATENESS_MAX)
  #turns = 0
  #utilisation = performance.eventLoopUtilization()
  #last = { sent: 0, missed: 0 }
  #timer: NodeJS.Timeout | null = null

  constructor(deps: LoadMeterDeps) {
    this.#deps = deps
  }

  /** For the wheel: how late this turn began, ms. */
  wheelLate(ms: number): void {
    if (this.#turns < LATENESS_MAX) this.#lateness[this.#turns++] = ms
  }

  start(): void {
    if (this.#timer) return
    this.#delay.enable()
    this.#timer = setInterval(() => this.read(), SAMPLE_MS)
    this.#timer.unref()
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer)
    this.#timer = null
    this.#delay.disable()
  }

  /** Closes the second: one sample to the ladder. */
  read(): void {
    const { ladder, tally, liveCalls, poolWaitP99Ms } = this.#deps
    const now = performance.eventLoopUtilization()
    ladder.sample({
      liveCalls: liveCalls(),
      loopUtilisation: performance.eventLoopUtilization(now, this.#utilisation).utilization,
      // The histogram measures its own timer: what exceeds its resolution is delay.
      loopDelayP99Ms: Math.max(0, this.#delay.percentile(99) / 1e6 - DELAY_RESOLUTION_MS),
      wheelLateP99Ms: this.#wheelP99Ms(),
      poolWaitP99Ms: poolWaitP99Ms(),
      framesSent: tally.sent - this.#last.sent,
      framesMissed: tally.missed - this.#last.missed,
    })
    this.#utilisation = now
    this.#last = { sent: tally.sent, missed: tally.missed }
    this.#delay.reset()
    this.#turns = 0
  }

  #wheelP99Ms(): number {
    const sorted = this.#lateness.slice(0, this.#turns).sort()
    return sorted[Math.floor(0.99 * (sorted.length - 1))] ?? 0
  }
}
