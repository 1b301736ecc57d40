import { describe, expect, it } from 'vitest'
import { PlayoutBench as Bench } from '../support/playout-bench.ts'

describe('playout: messages', () => {
  it('sends the 7 frames of a beginning in 3 messages, then one by one', () => {
    const bench = new Bench().say(1, 260).run(0, 200)
    expect(bench.messages()).toEqual([3, 3, 1, 1, 1, 1, 1, 1, 1])
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

  it('leaves nothing of a turn whose owner threw for the next one, which sends the 6 frames that follow', () => {
    const bench = new Bench().say(1, 200)
    bench.onStarted = () => {
      throw new Error('a fault of the owner')
    }
    expect(() => bench.at(0)).toThrow('a fault of the owner')
    bench.at(5)
    expect(bench.messages()).toEqual([3, 3])
  })
})
