/** Speech at half its rate: what the filter keeps, what it takes out, and that nothing moves. */
import { describe, expect, it } from 'vitest'
import { HalfRate, halved, halvedWhole } from '../../server/providers/half-rate.ts'
import type { TtsEvent } from '../../server/providers/tts.ts'

const RATE_HZ = 16_000
const PEAK = 16_000

/** 1 s. */
function tone(hz: number): Int16Array {
  return Int16Array.from({ length: RATE_HZ }, (_, i) =>
    Math.round(PEAK * Math.sin((2 * Math.PI * hz * i) / RATE_HZ)),
  )
}

function halfOf(pcm: Int16Array, chunk = pcm.length): Int16Array {
  const half = new HalfRate()
  const out: number[] = []
  for (let at = 0; at < pcm.length; at += chunk)
    out.push(...half.push(pcm.subarray(at, at + chunk)))
  return Int16Array.from([...out, ...half.finish()])
}

/** Level of its middle, dB of the tone. */
function levelDb(pcm: Int16Array): number {
  const middle = pcm.subarray(1_000, -1_000)
  const power = middle.reduce((sum, x) => sum + x * x, 0) / middle.length
  return 10 * Math.log10(power / (PEAK ** 2 / 2) + 1e-12)
}

describe('half the rate', () => {
  it.each([300, 1_000, 2_000, 3_000, 3_400])('keeps %i Hz within 0.05 dB', (hz) => {
    expect(Math.abs(levelDb(halfOf(tone(hz))))).toBeLessThan(0.05)
  })

  it.each([4_700, 5_000, 6_000, 7_000])('takes %i Hz down by 80 dB: it does not fold', (hz) => {
    expect(levelDb(halfOf(tone(hz)))).toBeLessThan(-80)
  })

  it.each([1, 7, 39, 78, 79, 160, 1_601])('gives the same for chunks of %i samples', (chunk) => {
    const pcm = tone(700).subarray(0, 4_001)
    expect(halfOf(pcm, chunk)).toEqual(halfOf(pcm))
  })

  it('keeps a click at 100 ms in its place, and the length: 2 001 samples for 4 001', () => {
    const pcm = new Int16Array(4_001)
    pcm[1_600] = 20_000
    const half = halfOf(pcm)
    expect(half).toHaveLength(2_001)
    expect(half.indexOf(Math.max(...half))).toBe(800)
  })

  it('does not wrap around where full scale overshoots', () => {
    const square = Int16Array.from({ length: 3_200 }, (_, i) => (i % 160 < 80 ? 32_767 : -32_768))
    const half = halfOf(square)
    expect([Math.min(...half), Math.max(...half)]).toEqual([-32_768, 32_767])
  })

  it('leaves words where they are, and makes no sound of none', async () => {
    const word: TtsEvent = { kind: 'word', text: 'uno', textOffset: 0, offsetMs: 40 }
    const events: TtsEvent[] = [word, { kind: 'audio', pcm: tone(300) }]
    const whole = halvedWhole(events)
    const streamed: TtsEvent[] = []
    const source = (async function* () {
      yield* events
    })()
    for await (const event of halved(source)) streamed.push(event)
    expect(streamed).toEqual(whole)
    expect(whole[0]).toBe(word)
    expect(halvedWhole([word])).toEqual([word])
  })
})
