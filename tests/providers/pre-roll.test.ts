import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PreRoll } from '../../server/providers/pre-roll.ts'

const RATES = [8_000, 16_000] as const

describe('pre-roll', () => {
  it('gives back the last 30 frames it was given, in order, each with its time and samples', () => {
    const frames = fc.array(
      fc.record({
        ms: fc.integer({ min: 1, max: 20 }),
        gapMs: fc.integer({ min: 0, max: 900 }),
      }),
      { maxLength: 90 },
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...RATES),
        fc.array(frames, { minLength: 1, maxLength: 3 }),
        (rateHz, holds) => {
          const preRoll = new PreRoll(rateHz)
          let atMs = 0
          for (const held of holds) {
            const given = held.map(({ ms, gapMs }, i) => {
              atMs += 20 + gapMs
              const pcm = new Int16Array((ms * rateHz) / 1_000).fill(i + 1)
              expect(preRoll.hold(pcm, atMs)).toBe(true)
              return { atMs, pcm: [...pcm] }
            })
            const kept = given.slice(-30)
            const samples = kept.reduce((sum, { pcm }) => sum + pcm.length, 0)
            expect(preRoll.keptMs).toBeCloseTo((samples * 1_000) / rateHz, 6)
            const out: typeof given = []
            preRoll.release((pcm, startMs) => out.push({ atMs: startMs, pcm: [...pcm] }))
            expect(out).toEqual(kept)
            expect(preRoll.keptMs).toBe(0)
          }
        },
      ),
    )
  })

  it.each(RATES)('takes no frame of more than 20 ms at %i Hz', (rateHz) => {
    const preRoll = new PreRoll(rateHz)
    expect(preRoll.hold(new Int16Array(rateHz / 50 + 1), 0)).toBe(false)
    expect(preRoll.keptMs).toBe(0)
  })
})
