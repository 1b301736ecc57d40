import { describe, expect, it } from 'vitest'
import { leakPerCall, lowPoints, type MemoryPoint } from '../../../bench/rig/leak.ts'
import { driftFrames } from '../../../bench/soak.ts'

const MB = 2 ** 20

/** A heap that swings by 20 MB between collections and keeps `leak` bytes of each call. */
function swinging(leak: number, seconds = 600): MemoryPoint[] {
  return Array.from({ length: seconds }, (_, second) => ({
    finishedCalls: second * 4,
    bytes: 80 * MB + (second % 25) * 0.8 * MB + second * 4 * leak,
  }))
}

describe('leak per call', () => {
  it('is 0 for a heap that only swings', () => {
    expect(Math.abs(leakPerCall(swinging(0)))).toBeLessThan(600)
  })

  it('finds 5 000 bytes per call under a swing of 20 MB', () => {
    expect(leakPerCall(swinging(5_000))).toBeGreaterThan(4_400)
    expect(leakPerCall(swinging(5_000))).toBeLessThan(5_600)
  })

  it('forgives what is taken while the server warms up', () => {
    const points = Array.from({ length: 400 }, (_, i) => ({
      finishedCalls: i,
      bytes: i < 90 ? 50 * MB + i * MB : 140 * MB,
    }))
    expect(leakPerCall(points)).toBe(0)
  })

  it('is 0 without points, and without finished calls', () => {
    expect(leakPerCall([])).toBe(0)
    expect(leakPerCall([{ finishedCalls: 1, bytes: 5 }])).toBe(0)
    expect(leakPerCall(Array(40).fill({ finishedCalls: 3, bytes: 5 }))).toBe(0)
  })

  it('looks at the least of each of 12 windows', () => {
    const points = swinging(0, 120)
    expect(lowPoints(points)).toHaveLength(12)
    expect(lowPoints([])).toEqual([])
  })
})

describe('drift', () => {
  it('is 0 while the audio ahead jitters by less than half a frame', () => {
    expect(driftFrames(Array.from({ length: 100 }, (_, i) => 60 + (i % 3)))).toBe(0)
  })

  it('is +2 when the line gained 40 ms, −1 when it lost 20 ms', () => {
    const from60To = (lastMs: number) =>
      Array.from({ length: 100 }, (_, i) => (i < 50 ? 60 : lastMs))
    expect([driftFrames(from60To(100)), driftFrames(from60To(40))]).toEqual([2, -1])
  })
})
