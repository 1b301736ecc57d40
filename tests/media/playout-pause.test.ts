import { describe, expect, it } from 'vitest'
import { PlayoutBench } from '../support/playout-bench.ts'

/** Agent samples (each its own value) that the line has really played, in order: what left, less what clear() took back. */
function ramp(ms: number): Int16Array {
  return Int16Array.from({ length: ms * 8 }, (_, i) => 1 + Math.floor(i / 160))
}

describe('playout: pause', () => {
  it('empties the carrier once and sends no voice until it goes on', () => {
    const bench = new PlayoutBench().say(1, 1_000).run(0, 200)
    bench.playout.setPaused(true)
    const sent = bench.times().length
    bench.run(205, 1_200)
    expect(bench.clears()).toBe(1)
    expect(bench.times()).toHaveLength(sent)
    expect(bench.playout.busy).toBe(true)
  })

  it('goes on within 20 ms of audio of where the user stopped hearing', () => {
    const bench = new PlayoutBench()
    bench.playout.append(1, ramp(1_000))
    bench.playout.finish(1)
    bench.run(0, 200)
    bench.playout.setPaused(true)
    const heardMs = bench.playout.heardMs(1)
    bench.run(205, 500)
    const before = bench.recorded.length
    bench.playout.setPaused(false)
    bench.run(505, 600)
    expect(heardMs).toBe(200)
    // The 11th frame of the ramp begins at 200 ms.
    expect(bench.recorded[before]).toBe(11)
  })

  it('keeps the position while paused and lets it go on from there', () => {
    const bench = new PlayoutBench().say(1, 1_000).run(0, 200)
    bench.playout.setPaused(true)
    bench.run(205, 700)
    expect(bench.playout.heardMs(1)).toBe(200)
    bench.playout.setPaused(false)
    bench.run(705, 1_000)
    expect(bench.playout.heardMs(1)).toBeGreaterThan(400)
    expect(bench.playout.heardMs(1)).toBeLessThanOrEqual(520)
  })

  it('marks the segment of the new epoch, and ignores the mark that clear() sent back', () => {
    const bench = new PlayoutBench().say(1, 100).run(0, 60)
    bench.playout.setPaused(true)
    bench.playout.markPlayed('1.1')
    expect(bench.told).toEqual(['started 1 at 7000'])
    bench.playout.setPaused(false)
    bench.run(65, 400)
    expect(bench.marks().at(-1)).toBe('2.1')
    bench.playout.markPlayed('2.1')
    expect(bench.told).toEqual(['started 1 at 7000', 'heard 1 at 7000'])
  })

  it('counts a segment as heard that had been played whole and waited for its mark only', () => {
    const bench = new PlayoutBench().say(1, 100).say(2, 500).run(0, 200)
    bench.playout.setPaused(true)
    expect(bench.told).toEqual(['started 1 at 7000', 'started 2 at 7000', 'heard 1 at 7000'])
    expect(bench.playout.heardMs(1)).toBe(100)
    expect(bench.playout.heardMs(2)).toBe(100)
  })

  it('is ended by clear(), which keeps what was heard before the pause', () => {
    const bench = new PlayoutBench().say(1, 1_000).run(0, 200)
    bench.playout.setPaused(true)
    bench.run(205, 400)
    bench.playout.clear()
    expect(bench.playout.paused).toBe(false)
    expect(bench.playout.heardMs(1)).toBe(200)
    bench.say(2, 100).run(405, 600)
    expect(bench.recorded.at(-1)).toBe(2)
  })

  it('takes audio that arrives during the pause, and plays it afterwards', () => {
    const bench = new PlayoutBench()
    bench.playout.append(1, ramp(200))
    bench.run(0, 100)
    bench.playout.setPaused(true)
    bench.playout.append(1, ramp(200))
    bench.playout.finish(1)
    bench.run(105, 300)
    bench.playout.setPaused(false)
    bench.run(305, 1_000)
    bench.playout.markPlayed('2.1')
    expect(bench.playout.heardMs(1)).toBe(400)
    expect(bench.droppedSamples).toBe(0)
  })
})
