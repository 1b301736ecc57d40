import { beforeAll, describe, expect, it } from 'vitest'
import { chainRig, hearUser, PHONE, QUIET, slotOf, type ChainRig } from './chain-rig.ts'
import { mix, toL16, tone, voice } from './signals.ts'

let rig: ChainRig
beforeAll(async () => {
  rig = await chainRig(1)
})

/** [Hz, ms] pieces one after the other; 0 Hz is silence, two frequencies sound together. */
type Piece = readonly [hz: number | readonly [number, number], ms: number]

function line(pieces: readonly Piece[]): Float32Array {
  const parts = pieces.map(([hz, ms]) => {
    const one = (f: number): Float32Array => tone(ms * 8, { hz: f, rateHz: 8_000, peak: 0.15 })
    if (typeof hz !== 'number') return mix(one(hz[0]), one(hz[1]), 0)
    return hz === 0 ? new Float32Array(ms * 8) : one(hz)
  })
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

function heardIn(samples: Float32Array): string[] {
  slotOf(rig, 0).open({ ...PHONE, codec: 'L16' }, { ...QUIET, tones: true })
  const whole = samples.subarray(0, samples.length - (samples.length % 160))
  const { detections } = hearUser(rig, 0, toL16(whole), 320)
  return detections.flatMap((d) => d.tone ?? [])
}

function times(n: number, ...pieces: Piece[]): Piece[] {
  return Array.from({ length: n }, () => pieces).flat()
}

const LEAD: Piece = [0, 233]

describe('call-progress tones', () => {
  it('hears ringing once for each ring: 425 Hz 1.5 s, 440 + 480 Hz 2 s, 425 Hz 1 s', () => {
    expect(heardIn(line([LEAD, ...times(2, [425, 1_500], [0, 3_000])]))).toEqual([
      'ringback',
      'ringback',
    ])
    expect(heardIn(line([LEAD, [[440, 480], 2_000], [0, 4_000]]))).toEqual(['ringback'])
    expect(heardIn(line([LEAD, [425, 1_000], [0, 4_000]]))).toEqual(['ringback'])
  })

  it('hears busy at its third pulse: 425 Hz 200 ms and 500 ms, 480 + 620 Hz 500 ms', () => {
    expect(heardIn(line([LEAD, ...times(3, [425, 200], [0, 200])]))).toEqual(['busy'])
    expect(heardIn(line([LEAD, ...times(3, [425, 500], [0, 500])]))).toEqual(['busy'])
    expect(heardIn(line([LEAD, ...times(3, [[480, 620], 500], [0, 500])]))).toEqual(['busy'])
    expect(heardIn(line([LEAD, ...times(2, [425, 500], [0, 500])]))).toEqual([])
  })

  it('hears the special information tone', () => {
    const sit: Piece[] = [[985.2, 380], [1_428.5, 380], [1_776.7, 380]] // prettier-ignore
    expect(heardIn(line([LEAD, ...sit, [0, 500]]))).toEqual(['sit'])
    const short: Piece[] = [[913.8, 276], [1_370.6, 276], [1_776.7, 380]] // prettier-ignore
    expect(heardIn(line([LEAD, ...short, [0, 500]]))).toEqual(['sit'])
  })

  it('hears a calling fax (1 100 Hz, 500 ms) and an answering one (2 100 Hz, 3 s)', () => {
    expect(heardIn(line([LEAD, [1_100, 500], [0, 3_000]]))).toContain('faxCalling')
    expect(heardIn(line([LEAD, [2_100, 3_000], [0, 500]]))).toEqual(['faxAnswer'])
  })

  it('hears the beep of an answering machine after its greeting, 100 ms after it ends', () => {
    const greeting = voice(16_000, { rateHz: 8_000, rmsDbfs: -20, seed: 4 })
    for (const hz of [620, 1_000, 1_400, 2_000]) {
      const whole = new Float32Array(16_000 + 8_000)
      whole.set(greeting)
      whole.set(line([[0, 200], [hz, 400], [0, 400]]), 16_000) // prettier-ignore
      expect(heardIn(whole)).toEqual(['beep'])
    }
  })

  it('hears nothing in a minute of voices, nor in DTMF', () => {
    for (let seed = 0; seed < 6; seed++) {
      expect(heardIn(voice(80_000, { rateHz: 8_000, rmsDbfs: -20, seed: 70 + seed }))).toEqual([])
    }
    expect(heardIn(line([LEAD, ...times(4, [[770, 1_336], 100], [0, 100])]))).toEqual([])
  })
})
