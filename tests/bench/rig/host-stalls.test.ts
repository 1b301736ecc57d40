import { describe, expect, it } from 'vitest'
import { GapMeter } from '../../../bench/rig/gap-meter.ts'
import { hostStalls, worstOf } from '../../../bench/rig/host-stalls.ts'

describe('host stalls', () => {
  it('counts gaps of 1 ms and more: 12 and 3 ms of 100, the longest 12', () => {
    const gaps = new GapMeter(1_000)
    let nowMs = 1_000
    const run = (steps: number): void => {
      for (let i = 0; i < steps; i++) gaps.see((nowMs += 0.5))
    }
    run(100)
    gaps.see((nowMs += 12))
    run(70)
    gaps.see((nowMs += 3))
    expect(gaps.longestMs).toBe(12)
    expect(gaps.lostPct).toBeCloseTo(15)
  })

  it('loses 0 % before any time has passed', () => {
    expect(new GapMeter(5).lostPct).toBe(0)
  })

  it('tells of 3 processors the longest gap and the largest loss', () => {
    const processors = [
      { longestMs: 0, lostPct: 0 },
      { longestMs: 11, lostPct: 1 },
      { longestMs: 4, lostPct: 3 },
    ]
    expect(worstOf(processors)).toEqual({ longestMs: 11, lostPct: 3 })
  })

  it('finds less than all of the time lost on this machine, or says that it cannot tell', async () => {
    const stalls = await hostStalls()
    if (stalls !== null) expect(stalls.lostPct).toBeLessThan(100)
  })
})
