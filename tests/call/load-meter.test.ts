import { describe, expect, it } from 'vitest'
import { LoadLadder, type LoadSample } from '../../server/call/load.ts'
import { FrameTally, LoadMeter } from '../../server/call/load-meter.ts'

describe('load meter', () => {
  it('hands over lateness p99, frames since the last second, live calls and pool wait', () => {
    const seen: LoadSample[] = []
    const ladder = new LoadLadder()
    ladder.sample = (sample) => void seen.push(sample)
    const tally = new FrameTally()
    const meter = new LoadMeter({ ladder, tally, liveCalls: () => 12, poolWaitP99Ms: () => 3 })
    for (let turn = 0; turn < 200; turn++) meter.wheelLate(turn < 197 ? 1 : 40)
    Object.assign(tally, { sent: 600, missed: 2 })
    meter.read()
    Object.assign(tally, { sent: 1_000, missed: 3 })
    meter.read()
    expect(seen[0]).toMatchObject({
      ...{ liveCalls: 12, poolWaitP99Ms: 3, wheelLateP99Ms: 40, framesSent: 600, framesMissed: 2 },
    })
    expect(seen[1]).toMatchObject({ wheelLateP99Ms: 0, framesSent: 400, framesMissed: 1 })
    expect(seen[0]?.loopUtilisation).toBeGreaterThanOrEqual(0)
    expect(seen[0]?.loopUtilisation).toBeLessThanOrEqual(1)
  })
})
