import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PlayoutBench as Bench, voice } from '../support/playout-bench.ts'

describe('playout: pace', () => {
  it('sends 7 frames when speech begins, then one every 20 ms, the first of them 10 ms early: it sets the lead', () => {
    const bench = new Bench().say(1, 260).run(1_000, 1_200)
    expect(bench.times()).toEqual([
      ...Array<number>(7).fill(1_000),
      ...[1_010, 1_030, 1_050, 1_070, 1_090, 1_110],
    ])
  })

  it('catches up with the schedule after a stall of 105 ms, which the send-ahead hides', () => {
    const bench = new Bench().say(1, 400).run(0, 40).at(145).run(150, 190)
    expect(bench.times()).toEqual([
      ...[0, 0, 0, 0, 0, 0, 0, 10, 30],
      ...[145, 145, 145, 145, 145, 150, 170, 190],
    ])
    expect(bench.playout.counters.underruns).toBe(0)
  })

  it('begins a new schedule with 7 frames after a stall of 160 ms, which lets the line run dry', () => {
    const bench = new Bench().say(1, 500).run(0, 40).at(200).run(205, 240)
    expect(bench.times()).toEqual([
      ...[0, 0, 0, 0, 0, 0, 0, 10, 30],
      ...[200, 200, 200, 200, 200, 200, 200, 210, 230],
    ])
  })

  it('never has more than 160 ms in the carrier under a bed, also after 50 stalls of 100 ms', () => {
    const bench = new Bench()
    bench.lane.bed = true
    let nowMs = 0
    for (let stall = 0; stall < 50; stall++) {
      bench.run(nowMs, nowMs + 200)
      nowMs += 300
    }
    let busyUntilMs = 0
    const aheadMs = bench.times().map((atMs) => {
      busyUntilMs = Math.max(busyUntilMs, atMs) + 20
      return busyUntilMs - atMs
    })
    expect(Math.max(...aheadMs)).toBeGreaterThan(140)
    expect(Math.max(...aheadMs)).toBeLessThanOrEqual(160)
  })

  it('sends 3 007 frames of a bed in 60 s whose turns come up to 4 ms late: no drift', () => {
    const bench = new Bench()
    bench.lane.bed = true
    for (let turn = 0; turn < 12_000; turn++) bench.at(turn * 5 + ((turn * 7) % 5))
    expect(bench.times().length).toBe(3_007)
  })

  it('sends 180 007 frames of a bed in an hour: no drift', () => {
    const bench = new Bench()
    bench.lane.bed = true
    for (let turn = 0; turn < 720_000; turn++) bench.at(turn * 5 + ((turn * 7) % 5))
    expect(bench.times().length).toBe(180_007)
  })

  it('sends one frame in 20 ms whose turns come up to 4 ms early or late, at the turn or at the look 5 ms behind it, from the first on', () => {
    const bench = new Bench()
    bench.lane.bed = true
    bench.at(0)
    for (let turn = 1; turn <= 500; turn++) {
      const atMs = turn * 20 + (turn === 1 ? 0 : ((turn * 7) % 9) - 4)
      bench.at(atMs)
      bench.playout.look(atMs + 5)
      expect(bench.times().length).toBe(7 + turn)
    }
  })

  it('sends nothing while nobody speaks and there is no bed', () => {
    expect(new Bench().run(0, 1_000).stream.sent).toEqual([])
  })

  it('starts the send-ahead anew for the next sentence after a rest', () => {
    const bench = new Bench().say(1, 140).run(0, 500).say(2, 160).run(505, 540)
    expect(bench.times()).toEqual([
      ...[0, 0, 0, 0, 0, 0, 0],
      ...[505, 505, 505, 505, 505, 505, 505, 515],
    ])
  })

  it('reaches its send-ahead in 4 turns when the worker has 2 frames ready for each', () => {
    const bench = new Bench().say(1, 180)
    for (let nowMs = 0; nowMs <= 40; nowMs += 5) {
      bench.lane.ready = 2
      bench.at(nowMs)
    }
    expect(bench.times()).toEqual([0, 0, 5, 5, 10, 10, 15, 20, 40])
  })
})

describe('playout: underruns', () => {
  it('counts 1 underrun when the audio of a sentence comes 100 ms too late', () => {
    const bench = new Bench()
    bench.playout.append(1, voice(100))
    bench.run(0, 195)
    bench.say(1, 100).run(200, 400)
    expect(bench.playout.counters.underruns).toBe(1)
    expect(bench.times()).toEqual([0, 0, 0, 0, 0, 200, 200, 200, 200, 200])
  })

  it('counts the same gap once under a bed, which fills it', () => {
    const bench = new Bench()
    bench.lane.bed = true
    bench.playout.append(1, voice(100))
    bench.run(0, 195)
    bench.say(1, 100).run(200, 400)
    expect(bench.playout.counters.underruns).toBe(1)
  })

  it('counts no underrun between two sentences', () => {
    const bench = new Bench().say(1, 100).run(0, 400).say(2, 100).run(405, 800)
    expect(bench.playout.counters.underruns).toBe(0)
  })

  it('counts no underrun while the worker is 40 ms late and the line still has audio', () => {
    const bench = new Bench().say(1, 300).run(0, 40)
    bench.lane.stalled = true
    bench.run(45, 80)
    bench.lane.stalled = false
    bench.run(85, 100)
    expect(bench.playout.counters.underruns).toBe(0)
    expect(bench.times()).toEqual([0, 0, 0, 0, 0, 0, 0, 10, 30, 85, 85, 90])
  })
})

describe('playout: position', () => {
  it('counts as heard what the line has played: 0 ms at the send, 50 ms 50 ms later', () => {
    const bench = new Bench().say(1, 200).at(0)
    expect(bench.playout.heardMs(1)).toBe(0)
    bench.run(5, 50)
    expect(bench.playout.heardMs(1)).toBe(50)
  })

  it('never counts more than the 90 ms that a segment has', () => {
    const bench = new Bench().say(1, 90).run(0, 500)
    expect(bench.playout.heardMs(1)).toBe(90)
  })

  it('counts a sentence as heard whole under a bed before its mark returns', () => {
    const bench = new Bench()
    bench.lane.bed = true
    bench.run(0, 95)
    bench.say(1, 100).run(100, 200)
    expect(bench.playout.heardMs(1)).toBeLessThan(100)
    bench.run(205, 340)
    expect(bench.playout.heardMs(1)).toBe(100)
  })

  it('knows 0 ms of a segment that has not begun or was never appended', () => {
    const bench = new Bench().say(1, 300).say(2, 100).run(0, 100)
    expect(bench.playout.heardMs(2)).toBe(0)
    expect(bench.playout.heardMs(99)).toBe(0)
  })

  it('keeps the position of a cut segment: 100 ms of 1 s, 60 s later still', () => {
    const bench = new Bench().say(1, 1_000).run(0, 100)
    bench.playout.clear()
    expect(bench.playout.heardMs(1)).toBe(100)
    bench.run(105, 300).at(60_000)
    expect(bench.playout.heardMs(1)).toBe(100)
  })

  it('never moves a position backwards, whatever is appended, stalled, refused or cleared (1 000 runs)', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('say' as const), ms: fc.integer({ min: 1, max: 200 }) }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 150 }) }),
      fc.record({
        kind: fc.constantFrom('bed', 'stall', 'refuse', 'mark', 'clear', 'finish'),
        ms: fc.constant(0),
      }),
    )
    const run = (steps: { kind: string; ms: number }[]) => {
      const bench = new Bench()
      const highest = new Map<number, number>()
      let id = 1
      let nowMs = 0
      for (const { kind, ms } of steps) {
        if (kind === 'say') bench.playout.append(id, voice(ms))
        if (kind === 'finish') bench.playout.finish(id++)
        if (kind === 'bed') bench.lane.bed = !bench.lane.bed
        if (kind === 'stall') bench.lane.stalled = !bench.lane.stalled
        if (kind === 'refuse') bench.stream.taking = !bench.stream.taking
        if (kind === 'mark') bench.playout.markPlayed(bench.marks().at(-1) ?? '')
        if (kind === 'clear') {
          bench.playout.clear()
          id++
        }
        bench.at((nowMs += ms))
        for (let known = Math.max(1, id - 20); known <= id; known++) {
          const heardMs = bench.playout.heardMs(known)
          expect(heardMs).toBeGreaterThanOrEqual(highest.get(known) ?? 0)
          highest.set(known, heardMs)
        }
      }
    }
    fc.assert(fc.property(fc.array(step, { maxLength: 60 }), run), { seed: 4, numRuns: 1_000 })
  })
})

describe('playout: marks', () => {
  it('sends the mark behind the last frame of its segment, before the first of the next', () => {
    const bench = new Bench().say(1, 40).say(2, 40).at(0)
    const order = bench.stream.sent.map((sent) =>
      sent.kind === 'payload' ? sent.first : sent.kind === 'mark' ? sent.name : sent.kind,
    )
    expect(order).toEqual([1, 1, '1.1', 2, 2, '1.2'])
  })

  it('sends the mark of a segment that is finished only after its last frame has left', () => {
    const bench = new Bench()
    bench.playout.append(1, voice(40))
    bench.run(0, 30)
    expect(bench.marks()).toEqual([])
    bench.playout.finish(1)
    bench.at(35)
    expect(bench.marks()).toEqual(['1.1'])
  })

  it('reports a segment as started with its first frame and as heard with its mark, each once', () => {
    const bench = new Bench().say(1, 100).run(0, 200)
    expect(bench.told).toEqual(['started 1 at 7000'])
    expect(bench.playout.busy).toBe(true)
    bench.playout.markPlayed('1.1')
    bench.playout.markPlayed('1.1')
    expect(bench.told).toEqual(['started 1 at 7000', 'heard 1 at 7000'])
    expect(bench.playout.busy).toBe(false)
  })

  it('takes a mark as proof for the 2 segments before it whose marks were lost', () => {
    const bench = new Bench().say(1, 40).say(2, 40).say(3, 40).run(0, 100)
    bench.playout.markPlayed('1.3')
    expect(bench.told.slice(-3)).toEqual(['heard 1 at 7000', 'heard 2 at 7000', 'heard 3 at 7000'])
  })

  it('ignores a mark that was never sent', () => {
    const bench = new Bench().say(1, 1_000).run(0, 100)
    bench.playout.markPlayed('1.1')
    bench.playout.markPlayed('')
    expect(bench.told).toEqual(['started 1 at 7000'])
  })

  it('counts a segment as heard 3 s after its end when the mark never returns', () => {
    const bench = new Bench().say(1, 100).run(0, 100)
    bench.at(3_100)
    expect(bench.playout.busy).toBe(true)
    bench.at(3_101)
    expect(bench.told.at(-1)).toBe('heard 1 at 7000')
    expect(bench.playout.busy).toBe(false)
  })

  it('marks a segment without any audio at once, so that whoever waits for it goes on', () => {
    const bench = new Bench()
    bench.playout.finish(1)
    bench.at(0)
    expect(bench.marks()).toEqual(['1.1'])
  })
})

describe('playout: clear', () => {
  it('empties lane, carrier and recorder, and is idle', () => {
    const bench = new Bench().say(1, 1_000).run(0, 100)
    bench.playout.clear()
    expect([bench.lane.clears, bench.clears(), bench.recorderClears]).toEqual([1, 1, 1])
    expect(bench.playout.busy).toBe(false)
  })

  it('ignores marks that return because of it', () => {
    const bench = new Bench().say(1, 40).say(2, 1_000).run(0, 60)
    bench.playout.clear()
    bench.playout.markPlayed('1.1')
    bench.playout.markPlayed('1.2')
    expect(bench.told.filter((line) => line.startsWith('heard'))).toEqual([])
  })

  it('sends nothing afterwards, even if 3 more chunks of the old turn arrive', () => {
    const bench = new Bench()
    bench.playout.append(1, voice(500))
    bench.run(0, 100)
    bench.playout.clear()
    const before = bench.stream.sent.length
    for (let chunk = 0; chunk < 3; chunk++) bench.playout.append(1, voice(100))
    bench.playout.finish(1)
    bench.run(105, 500)
    expect(bench.stream.sent.length).toBe(before)
    expect(bench.droppedSamples).toBe(2_400)
  })

  it('is the same once as twice', () => {
    const bench = new Bench().say(1, 500).run(0, 100)
    bench.playout.clear()
    bench.playout.clear()
    expect([bench.lane.clears, bench.clears(), bench.recorderClears]).toEqual([1, 1, 1])
  })

  it('leaves the bed alone when nothing was said since the last one', () => {
    const bench = new Bench()
    bench.lane.bed = true
    bench.run(0, 100)
    bench.playout.clear()
    expect(bench.clears()).toBe(0)
  })

  it('begins the next epoch at position 0, with marks of its own and 7 frames at once', () => {
    const bench = new Bench().say(1, 500).run(0, 100)
    bench.playout.clear()
    bench.say(2, 200).run(105, 155)
    expect(bench.times().filter((atMs) => atMs > 100)).toEqual([
      ...[105, 105, 105, 105, 105, 105, 105],
      ...[115, 135, 155],
    ])
    expect(bench.playout.heardMs(2)).toBe(50)
    bench.run(160, 300)
    expect(bench.marks()).toEqual(['2.2'])
  })

  it('marks a sentence of the new epoch behind its audio, not behind what was sent before', () => {
    const bench = new Bench().say(1, 500).run(0, 100)
    bench.playout.clear()
    bench.lane.stalled = true
    bench.say(2, 40).run(105, 120)
    expect(bench.marks()).toEqual([])
    bench.lane.stalled = false
    bench.at(125)
    expect(bench.marks()).toEqual(['2.2'])
  })

  it('takes the ducking back: −12 dB before, 0 dB after', () => {
    const bench = new Bench().say(1, 500).run(0, 100)
    bench.playout.setDucked(true)
    bench.playout.clear()
    expect(bench.lane.gainsDb).toEqual([-12, 0])
  })
})

describe('playout: a socket that is behind', () => {
  it('loses one frame every 20 ms and counts it, not everything that is ready', () => {
    const bench = new Bench().say(1, 400)
    bench.stream.taking = false
    bench.run(0, 100)
    expect(bench.playout.counters).toEqual({ framesSent: 0, framesRefused: 12, underruns: 0 })
  })

  it('still sends the mark of a segment whose last frames were refused', () => {
    const bench = new Bench().say(1, 100).at(0)
    bench.stream.taking = false
    bench.run(5, 100)
    expect(bench.marks()).toEqual(['1.1'])
  })

  it('does not record what it did not send', () => {
    const bench = new Bench().say(1, 300).at(0)
    bench.stream.taking = false
    bench.run(5, 100)
    expect(bench.recorded).toEqual([1, 1, 1, 1, 1, 1, 1])
  })
})

describe('playout: the carrier', () => {
  it('takes 80 ms for the carrier when the mark of 100 ms of audio comes back 180 ms after the first frame', () => {
    const bench = new Bench().say(1, 100).run(0, 180)
    bench.playout.markPlayed('1.1')
    expect(bench.carrierMs).toEqual([80])
  })

  it('measures nothing by a mark that never comes, nor for a segment that another one proves', () => {
    const lost = new Bench().say(1, 100).run(0, 4_000)
    expect(lost.carrierMs).toEqual([null])
    const proven = new Bench().say(1, 100).say(2, 100).run(0, 250)
    proven.playout.markPlayed('1.2')
    expect(proven.carrierMs).toEqual([null, 50])
  })

  it('tells once that the first frames are prepared, and again after a rest', () => {
    const bench = new Bench().say(1, 100)
    bench.playout.prepared(0)
    bench.playout.prepared(5)
    bench.run(10, 150).playout.markPlayed('1.1')
    bench.say(2, 100).playout.prepared(200)
    expect(bench.told.filter((told) => told === 'prepared')).toHaveLength(2)
  })
})
