import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PreRoll } from '../../server/providers/pre-roll.ts'

describe('pre-roll', () => {
  it('gives back the last 30 frames it was given, in order, each with its time and samples', () => {
    const frames = fc.array(
      fc.record({
        length: fc.integer({ min: 1, max: 320 }),
        gapMs: fc.integer({ min: 0, max: 900 }),
      }),
      { maxLength: 90 },
    )
    fc.assert(
      fc.property(fc.array(frames, { minLength: 1, maxLength: 3 }), (holds) => {
        const preRoll = new PreRoll()
        let atMs = 0
        for (const held of holds) {
          const given = held.map(({ length, gapMs }, i) => {
            atMs += 20 + gapMs
            const pcm = new Int16Array(length).fill(i + 1)
            expect(preRoll.hold(pcm, atMs)).toBe(true)
            return { atMs, pcm: [...pcm] }
          })
          const kept = given.slice(-30)
          const samples = kept.reduce((sum, { pcm }) => sum + pcm.length, 0)
          expect(preRoll.keptMs).toBeCloseTo(samples / 16, 6)
          const out: typeof given = []
          preRoll.release((pcm, startMs) => out.push({ atMs: startMs, pcm: [...pcm] }))
          expect(out).toEqual(kept)
          expect(preRoll.keptMs).toBe(0)
        }
      }),
    )
  })

  it('takes no frame of more than 20 ms', () => {
    const preRoll = new PreRoll()
    expect(preRoll.hold(new Int16Array(321), 0)).toBe(false)
    expect(preRoll.keptMs).toBe(0)
  })
})
