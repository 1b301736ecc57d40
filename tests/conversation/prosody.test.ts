import { describe, expect, it } from 'vitest'
import { Prosody, withProsody } from '../../server/conversation/prosody.ts'

function melody(pitches: number[], levels: number[] = pitches.map(() => -20)): Prosody {
  const prosody = new Prosody()
  pitches.forEach((pitchHz, i) => prosody.frame({ pitchHz, voicedLevelDbfs: levels[i] ?? -20 }))
  return prosody
}

const level = (count: number, pitchHz = 200) => Array<number>(count).fill(pitchHz)

describe('prosody', () => {
  /** `semitones` below 200 Hz at the end, at a level that falls by the 6 dB of every pause. */
  function fall(semitones: number, decibels = 6): number {
    const pitches = [...level(30), ...level(8, 200 / 2 ** (semitones / 12))]
    return melody(pitches, [...level(30, -20), ...level(8, -20 - decibels)]).finality
  }

  it('hears the end in a fall of five semitones, and nothing in the three of every pause', () => {
    expect(fall(5)).toBeCloseTo(0.85)
    expect(fall(3)).toBeCloseTo(0)
    expect(fall(0)).toBeCloseTo(-0.85)
  })

  it('adds a fall of 18 dB to the fall of the pitch', () => {
    expect(fall(5, 18)).toBeCloseTo(1)
  })

  it('has no opinion about a short word, nor without pitch', () => {
    expect(melody(level(10)).finality).toBe(0)
    expect(melody(level(60, 0)).finality).toBe(0)
  })

  it('forgets the last talkspurt', () => {
    const prosody = melody([...level(30), ...level(8, 158)])
    prosody.reset()
    expect(prosody.finality).toBe(0)
  })

  it('moves 0.65 to 0.83 or to 0.42, and does not make 0.1 a turn', () => {
    expect(withProsody(0.65, 1)).toBeCloseTo(0.828, 2)
    expect(withProsody(0.65, -1)).toBeCloseTo(0.418, 2)
    expect(withProsody(0.1, 1)).toBeLessThan(0.25)
    expect(withProsody(0.65, 0)).toBe(0.65)
  })
})
