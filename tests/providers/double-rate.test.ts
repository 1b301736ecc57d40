/** Speech at twice its rate: what the filter keeps, what it takes out, and that nothing moves. */
import { describe, expect, it } from 'vitest'
import { doubled } from '../../server/providers/double-rate.ts'

const PEAK = 16_000

/** 1 s at 8 kHz. */
function tone(hz: number): Int16Array {
  return Int16Array.from({ length: 8_000 }, (_, i) =>
    Math.round(PEAK * Math.sin((2 * Math.PI * hz * i) / 8_000)),
  )
}

/** Level of the middle of 1 s at 16 kHz at one frequency, dB of the tone. */
function levelDb(pcm: Int16Array, hz: number): number {
  let [real, imaginary] = [0, 0]
  for (let i = 4_000; i < 12_000; i++) {
    real += pcm[i]! * Math.cos((2 * Math.PI * hz * i) / 16_000)
    imaginary += pcm[i]! * Math.sin((2 * Math.PI * hz * i) / 16_000)
  }
  return 20 * Math.log10(Math.hypot(real, imaginary) / (4_000 * PEAK) + 1e-12)
}

describe('twice the rate', () => {
  it.each([300, 1_000, 2_000, 3_000, 3_400])(
    'keeps %i Hz within 0.05 dB, and its image above 4 kHz is 75 dB down',
    (hz) => {
      const wide = doubled(tone(hz))
      expect(Math.abs(levelDb(wide, hz))).toBeLessThan(0.05)
      expect(levelDb(wide, 8_000 - hz)).toBeLessThan(-75)
    },
  )

  it('keeps the samples that were there, and makes 2 of each', () => {
    const pcm = tone(700).subarray(0, 1_001)
    const wide = doubled(pcm)
    expect(wide).toHaveLength(2_002)
    expect(wide.filter((_, i) => i % 2 === 0)).toEqual(pcm)
    expect(doubled(new Int16Array(0))).toEqual(new Int16Array(0))
  })

  it('does not wrap around where full scale overshoots', () => {
    const square = Int16Array.from({ length: 1_600 }, (_, i) => (i % 80 < 40 ? 32_767 : -32_768))
    const wide = doubled(square)
    expect([Math.min(...wide), Math.max(...wide)]).toEqual([-32_768, 32_767])
  })
})
