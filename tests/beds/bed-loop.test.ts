import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BED_NAMES, bedLoop } from '../../dsp/beds.ts'
import { loopsOf, makeLoop } from '../../server/beds/bed-loop.ts'
import { amplitudeAt, noise, rms, seeded } from '../dsp/signals.ts'
import { toneOf } from './wav-files.ts'

function jump(loop: Int16Array, n: number): number {
  return Math.abs((loop[(n + 1) % loop.length] ?? 0) - (loop[n % loop.length] ?? 0))
}

describe('a loop', () => {
  it('never clicks where it begins again: the jump there is no larger than elsewhere', () => {
    const rates = fc.constantFrom(8_000, 11_025, 16_000, 22_050, 44_100, 48_000)
    fc.assert(
      fc.property(
        rates,
        fc.nat(1_000),
        fc.integer({ min: 100, max: 1_500 }),
        (rateHz, seed, hz) => {
          const random = seeded(seed)
          // A tone that drifts and swells: its end is nothing like its start.
          const samples = Float32Array.from(
            { length: Math.floor(rateHz * (2 + random())) },
            (_, n) => {
              const t = n / rateHz
              return 0.1 * (1 + t) * Math.sin(2 * Math.PI * (hz + 30 * t) * t + seed) + 0.05
            },
          )
          const loops = loopsOf(makeLoop(samples, rateHz))
          for (const loop of Object.values(loops)) {
            let most = 0
            for (let n = 0; n < loop.length - 1; n++) most = Math.max(most, jump(loop, n))
            expect(jump(loop, loop.length - 1)).toBeLessThanOrEqual(most)
          }
        },
      ),
      { seed: 42, numRuns: 12 },
    )
  })

  it('is as loud as the built-in beds, −26 dBFS, whatever the file was', () => {
    for (const gain of [0.01, 0.1, 0.9]) {
      const samples = noise(48_000, { rmsDbfs: -12, seed: 5 }).map((x) => x * gain)
      const level = rms(makeLoop(samples, 16_000)) / 32_768
      for (const name of BED_NAMES) {
        expect(level / (rms(bedLoop(name, 16_000)) / 32_768)).toBeCloseTo(1, 1)
      }
    }
  })

  it('of single knocks is quieter instead of clipped', () => {
    const samples = new Float32Array(48_000).fill(0).map((_, n) => (n % 12_000 < 8 ? 0.9 : 0))
    const loop = makeLoop(samples, 16_000)
    expect(loop.reduce((most, x) => Math.max(most, Math.abs(x)), 0)).toBeLessThanOrEqual(22_938)
  })

  it.each([8_000, 11_025, 22_050, 44_100, 48_000])(
    'of a tone at %i Hz keeps its pitch at both rates',
    (rateHz) => {
      const loops = loopsOf(makeLoop(toneOf(3, rateHz, 1_000), rateHz))
      for (const [key, loop] of Object.entries(loops)) {
        expect(loop.length % 8).toBe(0)
        const part = loop.subarray(loop.length / 2, loop.length / 2 + Number(key) / 2)
        const strength = amplitudeAt(part, 1_000, Number(key)) / Math.SQRT2 / rms(part)
        expect(strength).toBeGreaterThan(0.99)
      }
    },
  )

  it('needs 2 s and something to hear', () => {
    const code = (text: string) => expect.objectContaining({ code: text }) as Error
    expect(() => makeLoop(toneOf(1.9, 8_000, 400), 8_000)).toThrow(code('BED_TOO_SHORT'))
    expect(() => makeLoop(new Float32Array(40_000), 8_000)).toThrow(code('BED_SILENT'))
  })
})
