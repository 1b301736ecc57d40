import { describe, expect, it } from 'vitest'
import { PlayoutBench as Bench } from '../support/playout-bench.ts'

describe('playout: messages', () => {
  it('sends the 7 frames of a beginning in 3 messages, then one by one', () => {
    const bench = new Bench().say(1, 260).run(0, 200)
    expect(bench.messages()).toEqual([3, 3, 1, 1, 1, 1, 1, 1, 1])
  })

  it('sends a bed in pairs every 40 ms when the process is busy, and never lets the line below 100 ms', () => {
    const bench = new Bench()
    bench.lane.bed = true
    bench.framesPerMessage = 2
    bench.run(0, 400)
    expect(bench.messages()).toEqual([3, 3, 1, ...Array<number>(10).fill(2)])
    expect(bench.times().slice(7, 13)).toEqual([40, 40, 80, 80, 120, 120])
  })

  it('makes the end of a sentence wait for no second frame, which would not come', () => {
    const bench = new Bench().say(1, 180)
    bench.framesPerMessage = 2
    bench.run(0, 100)
    expect(bench.messages()).toEqual([3, 3, 1, 1, 1])
    expect(bench.times().slice(7)).toEqual([20, 40])
  })

  it('sends the mark of a segment behind its last frame, and nothing of the next before it', () => {
    const bench = new Bench().say(1, 20).say(2, 20).at(0)
    const kinds = bench.stream.sent.map((sent) => (sent.kind === 'mark' ? sent.name : sent.kind))
    expect(kinds).toEqual(['payload', '1.1', 'payload', '1.2'])
  })

  it('sends nothing of what was prepared when its own start makes the owner clear', () => {
    const bench = new Bench().say(1, 200)
    bench.onStarted = () => bench.playout.clear()
    bench.at(0)
    expect(bench.stream.sent.map(({ kind }) => kind)).toEqual(['clear'])
  })
})
