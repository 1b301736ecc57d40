import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { encodePcmu } from '../../../bench/rig/mulaw.ts'
import { PlayOut } from '../../../bench/rig/play-out.ts'

const TONE = encodePcmu(Int16Array.from({ length: 160 }, (_, i) => (i % 8 < 4 ? 8_000 : -8_000)))

function open(): { playOut: PlayOut; marks: string[] } {
  const marks: string[] = []
  const playOut = new PlayOut({ startMs: 0, record: true, onMark: (name) => marks.push(name) })
  return { playOut, marks }
}

describe('play-out', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 0, toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('plays 5 payloads that arrive at once for 100 ms, end to end', () => {
    const { playOut } = open()
    for (let i = 0; i < 5; i++) playOut.push(TONE, 40)
    playOut.listen(1_000)
    expect(playOut.heard.talkspurts).toEqual([{ startMs: 40, endMs: 140 }])
    expect(playOut.queuedMs(90)).toBe(50)
  })

  it('echoes a mark when the 40 ms before it have been played, not earlier', () => {
    const { playOut, marks } = open()
    playOut.push(TONE, 0)
    playOut.push(TONE, 0)
    playOut.mark('end', 0)
    vi.advanceTimersByTime(39)
    expect(marks).toEqual([])
    vi.advanceTimersByTime(2)
    expect(marks).toEqual(['end'])
  })

  it('echoes a mark at once while nothing is queued', () => {
    const { playOut, marks } = open()
    playOut.mark('empty', 500)
    expect(marks).toEqual(['empty'])
  })

  it('drops what is unplayed on clear and echoes its 2 marks at once, in order', () => {
    const { playOut, marks } = open()
    for (let i = 0; i < 10; i++) playOut.push(TONE, 0)
    playOut.mark('a', 0)
    playOut.mark('b', 0)
    playOut.clear(50)
    expect(marks).toEqual(['a', 'b'])
    playOut.listen(1_000)
    expect(playOut.heard.lastMs).toBe(50)
    expect(playOut.clearsMs).toEqual([50])
    vi.advanceTimersByTime(1_000)
    expect(marks).toHaveLength(2)
  })

  it('hears nothing and echoes nothing after the end', () => {
    const { playOut, marks } = open()
    for (let i = 0; i < 10; i++) playOut.push(TONE, 0)
    playOut.mark('late', 0)
    playOut.finish(100)
    playOut.push(TONE, 120)
    vi.advanceTimersByTime(1_000)
    expect(marks).toEqual([])
    expect(playOut.recording()).toHaveLength(800)
  })

  it('counts a hole of 15 ms inside speech as one underrun, and a pause of 1 s as none', () => {
    const { playOut } = open()
    playOut.push(TONE, 0)
    playOut.push(TONE, 35)
    playOut.push(TONE, 1_055)
    expect(playOut.underruns).toBe(1)
    expect(playOut.underrunMs).toBe(15)
    expect(playOut.quickReturns).toBe(0)
  })

  it('counts audio 150 ms after a clear as a quick return and no underrun, and the hole of 30 ms behind it as one', () => {
    const { playOut } = open()
    playOut.push(TONE, 0)
    playOut.clear(10)
    playOut.push(TONE, 160)
    expect([playOut.underruns, playOut.quickReturns]).toEqual([0, 1])
    playOut.push(TONE, 210)
    expect([playOut.underruns, playOut.quickReturns]).toEqual([1, 1])
    playOut.clear(220)
    playOut.push(TONE, 420)
    expect([playOut.underruns, playOut.quickReturns]).toEqual([1, 1])
  })
})
