import { describe, expect, it } from 'vitest'
import {
  boundOf,
  gaveOutFirst,
  missed,
  nextCalls,
  stepAtShare,
  type Tried,
} from '../../../bench/rig/criteria.ts'

const GOOD = { calls: 100, failedPct: 0.49, turnP95Ratio: 1.25, latePct: 0.099 }
const QUIET = {
  ...{ loopUtilisation: 0.2, poolWaitMs: 0.5, wheelLatenessMs: 1, memoryShare: 0.1, rigBusy: 0.3 },
}

/** Searches on a machine that carries `capacity` calls. */
function search(capacity: number, most = 2_000): number[] {
  const tried: Tried[] = []
  for (;;) {
    const calls = nextCalls(tried, 50, most)
    if (calls === null) return tried.map((step) => step.calls)
    tried.push({ calls, passed: calls <= capacity })
  }
}

describe('criteria', () => {
  it('pass below 0.5 % failed, at 125 % of the baseline, below 0.1 % late', () => {
    expect(missed(GOOD)).toEqual([])
    expect(missed({ ...GOOD, failedPct: 0.5 })).toHaveLength(1)
    expect(missed({ ...GOOD, turnP95Ratio: 1.251 })).toHaveLength(1)
    expect(missed({ ...GOOD, latePct: 0.1 })).toHaveLength(1)
    expect(missed({ calls: 1, failedPct: 1, turnP95Ratio: 2, latePct: 1 })).toHaveLength(3)
  })

  it('are missed when nothing could be computed', () => {
    expect(missed({ ...GOOD, turnP95Ratio: NaN, latePct: NaN })).toHaveLength(2)
  })
})

describe('ramp', () => {
  it('doubles while steps pass, then halves the gap until it is 5 % or 10 calls', () => {
    expect(search(330)).toEqual([50, 100, 200, 400, 300, 350, 325, 338])
  })

  it('goes down from a first step that fails, and ends at 10 calls of gap', () => {
    expect(search(7)).toEqual([50, 25, 13, 7])
  })

  it('never goes beyond the most that was asked for', () => {
    expect(search(10_000, 300)).toEqual([50, 100, 200, 300])
    expect(search(10_000, 20)).toEqual([20])
  })
})

describe('what a search has proven', () => {
  const tried: Tried[] = [
    { calls: 100, passed: true },
    { calls: 400, passed: false, rigDoubt: 'late' },
    { calls: 200, passed: true },
    { calls: 300, passed: true },
  ]

  it('is bound by the rig when the step above 300 failed with the rig in doubt', () => {
    expect(boundOf(tried)).toBe('rig')
    expect(boundOf([...tried, { calls: 350, passed: false, rigDoubt: null }])).toBe('criterion')
    expect(boundOf([{ calls: 100, passed: true }])).toBe('none')
  })

  it('quotes the path at 60 % of 300 calls from the step of 200', () => {
    expect(stepAtShare(tried, 0.6)?.calls).toBe(200)
    expect(stepAtShare(tried, 1)?.calls).toBe(300)
    expect(stepAtShare([{ calls: 100, passed: false }], 1)).toBeNull()
  })
})

describe('what gave out first', () => {
  it('is the part nearest its limit', () => {
    expect(gaveOutFirst({ ...QUIET, loopUtilisation: 0.85 })).toMatch(/main thread/)
    expect(gaveOutFirst({ ...QUIET, poolWaitMs: 12, loopUtilisation: 0.7 })).toMatch(/worker/)
    expect(gaveOutFirst({ ...QUIET, rigBusy: 0.79 })).toBe('rig')
  })

  it('is nothing while every part is below 70 % of its limit', () => {
    expect(gaveOutFirst(QUIET)).toBe('nothing near its limit')
  })
})
