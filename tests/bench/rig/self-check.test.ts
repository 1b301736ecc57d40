import { describe, expect, it } from 'vitest'
import { Histogram } from '../../../bench/rig/histogram.ts'
import { judged, mockDoubt, rigDoubt, RigUnreliable } from '../../../bench/rig/self-check.ts'

const LOAD = { wallSec: 10, serverCores: 0.9, rigCores: 0.5, rigBusy: 0.5 }

function lateness(p99Ms: number): Histogram {
  const histogram = new Histogram()
  for (let i = 0; i < 100; i++) histogram.add(i < 90 ? 0.5 : p99Ms - 0.1)
  return histogram
}

describe('rig doubt', () => {
  it('believes a rig that is 80 % busy and 10 ms late', () => {
    expect(rigDoubt({ ...LOAD, rigBusy: 0.8 }, lateness(10))).toBeNull()
  })

  it('names the load above 80 %, and the lateness above 10 ms', () => {
    expect(rigDoubt({ ...LOAD, rigBusy: 0.81 }, lateness(1))).toMatch(/bottleneck.*81 %/)
    expect(rigDoubt(LOAD, lateness(10.4))).toMatch(/not punctual.*p99 10\.\d ms late/)
  })
})

describe('judgement', () => {
  const result = { bench: 'http', seed: 1, settings: { seconds: 8 }, figures: { calls: 500 } }
  const doubt = 'The rig was not punctual'

  it('keeps a figure that met its limit in spite of a late rig, and tells of the doubt', () => {
    const kept = judged(result, { doubt, proven: true, lateness: lateness(40) })
    expect(kept).toEqual({ ...result, settings: { seconds: 8, rigDoubt: doubt } })
    expect(judged(result, { doubt: null, proven: false, lateness: lateness(1) })).toBe(result)
  })

  it('refuses a figure that missed its limit, and any when the load was more than 100 ms behind', () => {
    const missed = { doubt, proven: false, lateness: lateness(40) }
    const behind = { doubt, proven: true, lateness: lateness(101) }
    expect(() => judged(result, missed)).toThrow(RigUnreliable)
    expect(() => judged(result, behind)).toThrow(RigUnreliable)
  })
})

describe('mock doubt', () => {
  const mock = (toldMs: number, seenP50Ms: number) => ({
    ...{ name: 'FirstToken', toldMs, seenP50Ms, seenP99Ms: seenP50Ms },
  })

  it('allows a quarter of the latency, and 25 ms at least', () => {
    expect(mockDoubt([mock(400, 500), mock(40, 65)])).toBeNull()
    expect(mockDoubt([mock(400, 501)])).toMatch(/FirstToken 501 ms instead of 400 ms/)
    expect(mockDoubt([mock(40, 66)])).not.toBeNull()
  })
})

describe('histogram', () => {
  it('gives percentiles to 0.1 ms, and 0 without samples', () => {
    const histogram = new Histogram()
    expect(histogram.percentileMs(0.99)).toBe(0)
    for (let i = 1; i <= 100; i++) histogram.add(i - 0.05)
    expect(histogram.percentileMs(0.5)).toBe(50)
    expect(histogram.percentileMs(0.99)).toBe(99)
    expect(histogram.percentileMs(1)).toBe(histogram.maxMs)
  })
})
