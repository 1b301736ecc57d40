/**
 * Self-check: is it the server that is measured, or the rig? Asked before (clock, echo floor), during (own CPU, own
 * punctuality) and after (did the mocks keep their latencies); a bench whose rig fails prints no figure.
 *
 *   clock ─► 2 ms deadlines on an idle loop          floor ─► echo from a server that does nothing
 *   load  ─► CPU of rig and server between two snapshots; event loop of the rig; lateness of its pacer
 */
import { performance } from 'node:perf_hooks'
import { Histogram } from './histogram.ts'
import type { BenchFigures } from './report.ts'

/** The rig's event loop may be busy for this share of the time; beyond it the rig measures itself. */
export const RIG_BUSY_LIMIT = 0.8
/** The rig's own turns must come this punctually, or a late frame may be its own. */
export const RIG_LATE_P99_LIMIT_MS = 10
/** No frame of a user is left out, only late: up to here the server still had the load that the result says. */
export const LOAD_GIVEN_LATE_P99_MS = 100
/** On an idle machine a timer fires within 1-2 ms; a clock worse than this cannot judge 20 ms. */
export const CLOCK_LATE_P99_LIMIT_MS = 8
/** An echo by a server that does nothing, with a tenth of the calls. */
export const FLOOR_LATE_P99_LIMIT_MS = 15
/** What a mock may add to the latency it was told to have: a quarter of it, or this, whichever is more. */
const MOCK_SLACK_MS = 25
const MOCK_SLACK_SHARE = 0.25

/**
 * The rig was the bottleneck: there is no result. What was seen is kept for whoever looks for the
 * cause.
 */
export class RigUnreliable extends Error {
  override readonly name = 'RigUnreliable'
  readonly seen: BenchFigures

  constructor(message: string, seen: BenchFigures) {
    super(message)
    this.seen = seen
  }
}

export interface Snapshot {
  atMs: number
  /** CPU time of the server, s. */
  serverSec: number
  rig: NodeJS.CpuUsage
  loop: ReturnType<typeof performance.eventLoopUtilization>
}

export interface Load {
  wallSec: number
  serverCores: number
  rigCores: number
  /** Share of the time in which the rig's event loop was not idle. */
  rigBusy: number
}

export function snapshot(server: { cpuSec(): number }): Snapshot {
  return {
    atMs: performance.now(),
    serverSec: server.cpuSec(),
    rig: process.cpuUsage(),
    loop: performance.eventLoopUtilization(),
  }
}

export function loadBetween(before: Snapshot, after: Snapshot): Load {
  const wallSec = (after.atMs - before.atMs) / 1_000
  const rigMicros = after.rig.user + after.rig.system - before.rig.user - before.rig.system
  return {
    wallSec,
    serverCores: (after.serverSec - before.serverSec) / wallSec,
    rigCores: rigMicros / 1e6 / wallSec,
    rigBusy: performance.eventLoopUtilization(after.loop, before.loop).utilization,
  }
}

/** Why the rig cannot be believed, or null when it can. `lateness` is its pacer's. */
export function rigDoubt(load: Load, lateness: Histogram): string | null {
  const lateMs = lateness.percentileMs(0.99)
  const seen =
    `rig busy ${(load.rigBusy * 100).toFixed(0)} % of the time, p99 ${lateMs} ms late; ` +
    `CPU: rig ${load.rigCores.toFixed(2)} cores, server ${load.serverCores.toFixed(2)} cores`
  if (load.rigBusy > RIG_BUSY_LIMIT) {
    return `The rig was the bottleneck (limit ${RIG_BUSY_LIMIT * 100} % busy): ${seen}`
  }
  if (lateMs > RIG_LATE_P99_LIMIT_MS) {
    return `The rig was not punctual (limit ${RIG_LATE_P99_LIMIT_MS} ms): ${seen}`
  }
  return null
}

/**
 * Whether a result may be quoted. Whatever the rig does badly counts against the server: frames that it reads late are late,
 * answers of a slow emulator make slow turns. So limits that were kept (`proven`) were kept, and only one that was missed may
 * have been missed by the rig. A doubt that did not matter is told in the settings. @throws RigUnreliable
 */
export function judged(
  result: BenchFigures,
  { doubt, proven, lateness }: { doubt: string | null; proven: boolean; lateness: Histogram },
): BenchFigures {
  if (doubt === null) return result
  if (!proven || !loadGiven(lateness)) throw new RigUnreliable(doubt, result)
  return { ...result, settings: { ...result.settings, rigDoubt: doubt } }
}

/** The server had the load: the rig's turns came so late that it matters to a latency, but they came. */
export function loadGiven(lateness: Histogram): boolean {
  return lateness.percentileMs(0.99) <= LOAD_GIVEN_LATE_P99_MS
}

/** How late a mock answered, against what it was told. */
export interface MockLatency {
  name: string
  toldMs: number
  seenP50Ms: number
  seenP99Ms: number
}

/** Why the mocks cannot be believed, or null. A median that is off makes every turn latency wrong. */
export function mockDoubt(mocks: readonly MockLatency[]): string | null {
  const wrong = mocks.filter(({ toldMs, seenP50Ms }) => {
    return Math.abs(seenP50Ms - toldMs) > Math.max(MOCK_SLACK_MS, toldMs * MOCK_SLACK_SHARE)
  })
  if (wrong.length === 0) return null
  const each = wrong.map((mock) => `${mock.name} ${mock.seenP50Ms} ms instead of ${mock.toldMs} ms`)
  return `The emulated providers did not keep their latencies (median): ${each.join('; ')}`
}

/** The clock as it is at its best of three: another program's burst of work says nothing about the minutes that follow. */
export async function settledClockMs(): Promise<number> {
  let leastMs = Infinity
  for (let i = 0; i < 3 && leastMs > CLOCK_LATE_P99_LIMIT_MS; i++) {
    leastMs = Math.min(leastMs, await clockLateP99Ms())
  }
  return leastMs
}

/** Lateness of 2 ms deadlines on this loop for `forMs`, p99 in ms. */
export async function clockLateP99Ms(forMs = 1_000): Promise<number> {
  const lateness = new Histogram()
  const beganMs = performance.now()
  for (let dueMs = beganMs + 2; dueMs < beganMs + forMs; dueMs += 2) {
    const waitMs = dueMs - performance.now()
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
    lateness.add(performance.now() - dueMs)
  }
  return lateness.percentileMs(0.99)
}
