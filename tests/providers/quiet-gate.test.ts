import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { QuietGate } from '../../server/providers/quiet-gate.ts'
import type { FrameSound } from '../../server/providers/stt.ts'

const FRAME_MS = 20
const HANGOVER_MS = 1_500

const sound = (levelDbfs: number, probability = 0, speech = false): FrameSound => ({
  ...{ levelDbfs, probability, speech },
})
/** Frames that are sent. */
function feed(gate: QuietGate, ms: number, one: FrameSound | undefined): number {
  let sent = 0
  for (let at = 0; at < ms; at += FRAME_MS) if (gate.frame(one, FRAME_MS)) sent++
  return sent
}
/** A gate that has closed over steady noise. */
function closed(levelDbfs: number): QuietGate {
  const gate = new QuietGate(500)
  feed(gate, 10_000, sound(levelDbfs))
  expect(gate.isOpen).toBe(false)
  return gate
}
const level = fc.integer({ min: -90, max: 0 })
const steady = fc.integer({ min: -90, max: -46 })
const anyFrame = fc.record({
  levelDbfs: level,
  probability: fc.oneof(
    { weight: 4, arbitrary: fc.constant(0.02) },
    fc.double({ min: 0, max: 1, noNaN: true }),
  ),
  speech: fc.constant(false),
})

describe('quiet gate', () => {
  it('is open for the first second, and for 1.5 s of quiet behind it', () => {
    const gate = new QuietGate(500)
    expect(feed(gate, 1_000 + HANGOVER_MS, sound(-70))).toBe((1_000 + HANGOVER_MS) / FRAME_MS)
    expect(gate.frame(sound(-70), FRAME_MS)).toBe(false)
  })

  it('keeps 1 000 ms more than the silence that ends a phrase, and 1 500 ms at least', () => {
    expect([100, 500, 700, 5_000].map((ms) => new QuietGate(ms).hangoverMs)).toEqual([
      1_500, 1_500, 1_700, 6_000,
    ])
  })

  it('sends every frame of which nothing is known, whatever came before', () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 400 }), (frames) => {
        const gate = new QuietGate(500)
        for (const frame of frames) gate.frame(frame, FRAME_MS)
        expect(gate.frame(undefined, FRAME_MS)).toBe(true)
      }),
    )
  })

  it('opens at once for a probability of 0.15 or the VAD’s speech, at any level', () => {
    fc.assert(
      fc.property(steady, level, fc.double({ min: 0.15, max: 1, noNaN: true }), (noise, own, p) => {
        expect(closed(noise).frame(sound(own, p), FRAME_MS)).toBe(true)
        expect(closed(noise).frame(sound(own, 0, true), FRAME_MS)).toBe(true)
      }),
    )
  })

  it('opens within 140 ms for a sound 8 dB above the noise of which the VAD thinks nothing', () => {
    fc.assert(
      fc.property(fc.integer({ min: -75, max: -46 }), (noise) => {
        const gate = closed(noise)
        feed(gate, 140, sound(noise + 8))
        expect(gate.isOpen).toBe(true)
      }),
    )
  })

  it('never holds a frame before the whole hangover was sent behind the last frame that is heard', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(anyFrame, fc.integer({ min: 1, max: 150 })), { maxLength: 40 }),
        (runs) => {
          const gate = new QuietGate(500)
          let sentMs = 0
          let wasOpen = true
          for (const [frame, count] of runs) {
            for (let i = 0; i < count; i++) {
              const isSent = gate.frame(frame, FRAME_MS)
              if (isSent && !wasOpen) sentMs = 0
              if (isSent) sentMs += FRAME_MS
              if (!isSent && wasOpen) expect(sentMs).toBeGreaterThanOrEqual(HANGOVER_MS)
              if (frame.probability >= 0.15) expect(isSent).toBe(true)
              wasOpen = isSent
            }
          }
        },
      ),
    )
  })

  it('sends 4 s more for a phrase that is owed, and no longer', () => {
    const gate = closed(-70)
    gate.owes(true)
    gate.frame(sound(-40, 0.9), FRAME_MS)
    // The level sinks back to within 6 dB of the floor in 140 ms.
    const sentMs = feed(gate, 20_000, sound(-70)) * FRAME_MS
    expect(sentMs).toBeGreaterThanOrEqual(HANGOVER_MS + 4_000)
    expect(sentMs).toBeLessThanOrEqual(HANGOVER_MS + 4_000 + 140)
  })

  it('closes once the phrase has come, behind the hangover', () => {
    const gate = closed(-70)
    gate.owes(true)
    gate.frame(sound(-70, 0.9), FRAME_MS)
    expect(feed(gate, 3_000, sound(-70)) * FRAME_MS).toBe(3_000)
    gate.owes(false)
    expect(gate.frame(sound(-70), FRAME_MS)).toBe(false)
  })

  it('counts silence that is sent in place of the line', () => {
    const gate = closed(-70)
    gate.frame(sound(-70, 0.9), FRAME_MS)
    for (let i = 0; i < 8; i++) gate.sentQuiet(200)
    expect(gate.isOpen).toBe(true)
    expect(gate.frame(sound(-70), FRAME_MS)).toBe(false)
  })

  it('holds steady noise of −90 to −58 dBFS, and noise 12 dB louder again within 9 s', () => {
    fc.assert(
      fc.property(fc.integer({ min: -90, max: -58 }), (noise) => {
        const gate = closed(noise)
        expect(feed(gate, 30_000, sound(noise))).toBe(0)
        const louder = Math.max(noise, -75) + 12
        expect(feed(gate, 9_000, sound(louder))).toBeGreaterThan(0)
        expect(gate.isOpen).toBe(false)
        expect(feed(gate, 30_000, sound(louder))).toBe(0)
      }),
      { numRuns: 30 },
    )
  })

  it('stays open through 60 s of a voice at −33 dBFS that the VAD does not hear', () => {
    const gate = closed(-60)
    feed(gate, 200, sound(-33))
    expect(feed(gate, 60_000, sound(-33))).toBe(60_000 / FRAME_MS)
  })
})
