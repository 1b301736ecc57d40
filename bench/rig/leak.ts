/**
 * Leak: how much memory stays behind per finished call. Pure.
 *
 *   (calls finished, bytes) once a second ─► without the first quarter ─► least of each window ─► median slope
 *
 * A heap swings by tens of megabytes between collections; what does not come back shows in its low points alone. The
 * slope is Theil-Sen's (the median over all pairs), so that one late collection does not make a leak.
 */
export interface MemoryPoint {
  finishedCalls: number
  bytes: number
}

const WARM_UP_SHARE = 0.25
const WINDOWS = 12

/** Bytes per finished call, negative when memory shrank; 0 when there are too few points to say. */
export function leakPerCall(points: readonly MemoryPoint[]): number {
  const settled = points.slice(Math.floor(points.length * WARM_UP_SHARE))
  return medianSlope(lowPoints(settled))
}

/** The point of least memory in each of 12 equal windows. */
export function lowPoints(points: readonly MemoryPoint[]): MemoryPoint[] {
  const size = Math.max(1, Math.ceil(points.length / WINDOWS))
  const windows = Array.from({ length: Math.ceil(points.length / size) }, (_, i) =>
    points.slice(i * size, (i + 1) * size),
  )
  return windows.map((window) => window.reduce((low, p) => (p.bytes < low.bytes ? p : low)))
}

/** The same for points that were each read after a collection of garbage: nothing to leave out. */
export function slopePerCall(points: readonly MemoryPoint[]): number {
  return medianSlope(points)
}

function medianSlope(points: readonly MemoryPoint[]): number {
  const slopes = points.flatMap((from, i) =>
    points.slice(i + 1).flatMap((to) => {
      const calls = to.finishedCalls - from.finishedCalls
      return calls === 0 ? [] : [(to.bytes - from.bytes) / calls]
    }),
  )
  slopes.sort((a, b) => a - b)
  return slopes[slopes.length >> 1] ?? 0
}
