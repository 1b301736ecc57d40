import { describe, expect, it } from 'vitest'
import { LoadLadder, type LoadSample, type RungIndex } from '../../server/call/load.ts'

const CALM: LoadSample = {
  liveCalls: 100,
  loopUtilisation: 0.3,
  loopDelayP99Ms: 2,
  wheelLateP99Ms: 1,
  poolWaitP99Ms: 0.5,
  framesSent: 5_000,
  framesMissed: 0,
}

/** A ladder with its rungs as it told them, and a way to hand it the same second several times. */
function ladder() {
  const told: RungIndex[] = []
  const load = new LoadLadder((rung) => told.push(rung))
  const feed = (seconds: number, sample: Partial<LoadSample> = {}): RungIndex => {
    for (let i = 0; i < seconds; i++) load.sample({ ...CALM, ...sample })
    return load.rung
  }
  return { load, told, feed }
}

describe('load ladder', () => {
  it('stays on rung 0 below 60 % of the loop, and climbs to 1, 2, 3 at 60, 68 and 75 %', () => {
    const climb = (loopUtilisation: number) => ladder().feed(3, { loopUtilisation })
    expect([0.59, 0.6, 0.679, 0.68, 0.749, 0.75].map(climb)).toEqual([0, 1, 1, 2, 2, 3])
  })

  it('climbs by wheel lateness 5/10/15 ms and pool wait 4/6/8 ms as well', () => {
    const wheel = (wheelLateP99Ms: number) => ladder().feed(3, { wheelLateP99Ms })
    const pool = (poolWaitP99Ms: number) => ladder().feed(3, { poolWaitP99Ms })
    expect([4.9, 5, 10, 15].map(wheel)).toEqual([0, 1, 2, 3])
    expect([3.9, 4, 6, 8].map(pool)).toEqual([0, 1, 2, 3])
  })

  it('counts event-loop delay only while the loop is half busy', () => {
    expect(ladder().feed(3, { loopDelayP99Ms: 25 })).toBe(0)
    expect(ladder().feed(3, { loopDelayP99Ms: 25, loopUtilisation: 0.5 })).toBe(3)
  })

  it('refuses at 0.1 % missed frames, but not for 4 of them', () => {
    expect(ladder().feed(3, { framesMissed: 5 })).toBe(3)
    expect(ladder().feed(3, { framesMissed: 4, framesSent: 100 })).toBe(0)
  })

  it('needs 3 samples, and forgives a single late second', () => {
    const { load, feed } = ladder()
    expect(feed(2, { loopUtilisation: 0.9 })).toBe(0)
    expect(feed(1, { loopUtilisation: 0.9 })).toBe(3)
    const other = ladder()
    other.feed(3)
    expect(other.feed(1, { wheelLateP99Ms: 80 })).toBe(0)
    expect(other.feed(1, { wheelLateP99Ms: 80 })).toBe(3)
    expect(load.state()).toMatchObject({ rung: 'refusing', because: 'loopUtilisation' })
  })

  it('comes down one rung after each 5 s below 85 % of its limit, and tells each change once', () => {
    const { told, feed } = ladder()
    feed(3, { loopUtilisation: 0.8 })
    expect(feed(20, { loopUtilisation: 0.65 })).toBe(3)
    expect(feed(4)).toBe(3)
    expect(feed(1)).toBe(2)
    expect(feed(4)).toBe(2)
    expect(feed(1)).toBe(1)
    expect(feed(5)).toBe(0)
    expect(told).toEqual([3, 2, 1, 0])
  })

  it('degrades nothing with fewer than 10 live calls, and comes down when they have gone', () => {
    const { feed } = ladder()
    expect(feed(5, { liveCalls: 9, loopUtilisation: 0.99 })).toBe(0)
    expect(feed(3, { liveCalls: 10, loopUtilisation: 0.99 })).toBe(3)
    expect(feed(15, { liveCalls: 2, loopUtilisation: 0.99 })).toBe(0)
  })

  it('has room on rung 1 for as many calls as the last limit holds at the price of the live ones', () => {
    const { load, feed } = ladder()
    expect(load.room(1_000, 1_000)).toBe(true)
    feed(3, { loopUtilisation: 0.6 })
    // 100 calls use 60 %: 125 use 75 %.
    expect(load.state().admittedCalls).toBe(125)
    expect(load.room(100, 24)).toBe(true)
    expect(load.room(100, 25)).toBe(false)
    expect(load.room(125, 0)).toBe(false)
  })

  it('has no room on rung 3', () => {
    const { load, feed } = ladder()
    feed(3, { poolWaitP99Ms: 9 })
    expect(load.room(10, 0)).toBe(false)
  })

  it('limits no number of calls when the pressure is not the loop', () => {
    const { load, feed } = ladder()
    feed(3, { wheelLateP99Ms: 6 })
    expect(load.state()).toMatchObject({ rung: 'bedOff', because: 'wheelLateness' })
    expect(load.state().admittedCalls).toBeNull()
    expect(load.room(100, 50)).toBe(true)
  })

  it('reports signals as zeros before the first sample', () => {
    expect(new LoadLadder().state()).toEqual({
      rung: 'normal',
      because: null,
      admittedCalls: null,
      signals: { loopUtilisation: 0, loopDelay: 0, wheelLateness: 0, poolWait: 0, missedFrames: 0 },
    })
  })
})
