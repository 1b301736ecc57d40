import { beforeAll, describe, expect, it } from 'vitest'
import { chainRig, hearUser, PHONE, QUIET, slotOf, type ChainRig } from './chain-rig.ts'
import { dbToGain, mix, noise, seeded, toL16, tone, voice } from './signals.ts'

const ROWS = [697, 770, 852, 941]
const COLUMNS = [1_209, 1_336, 1_477, 1_633]
const KEYS = ['123A', '456B', '789C', '*0#D']
const DIGITS = [...KEYS.join('')]

let rig: ChainRig
beforeAll(async () => {
  rig = await chainRig(1)
})

interface Press {
  ms?: number
  /** Of each tone's nominal frequency. */
  offset?: number
  /** Peak of the stronger tone. */
  peakDbfs?: number
  /** Column above row. */
  twistDb?: number
}

/** One digit's two tones, 8 kHz, with 100 ms of silence around. */
function press(digit: string, o: Press = {}): Float32Array {
  const row = KEYS.findIndex((keys) => keys.includes(digit))
  const column = KEYS[row]?.indexOf(digit) ?? 0
  const { ms = 60, offset = 0, peakDbfs = -12, twistDb = 0 } = o
  const peak = (db: number): number => dbToGain(peakDbfs + Math.min(0, db))
  const length = ms * 8
  const low = tone(length, {
    hz: (ROWS[row] ?? 0) * (1 + offset),
    rateHz: 8_000,
    peak: peak(-twistDb),
  })
  const high = tone(length, {
    hz: (COLUMNS[column] ?? 0) * (1 + offset),
    rateHz: 8_000,
    peak: peak(twistDb),
  })
  return mix(low, high, 0)
}

/** What is heard when pieces are laid at their places, ms, over `ms` of audio. */
function hear(ms: number, pieces: ReadonlyArray<readonly [number, Float32Array]>): string {
  let line: Float32Array = new Float32Array(ms * 8)
  for (const [at, piece] of pieces) line = mix(line, piece, Math.round(at * 8))
  slotOf(rig, 0).open({ ...PHONE, codec: 'L16' }, { ...QUIET, tones: true })
  const { detections } = hearUser(rig, 0, toL16(line), 320)
  return detections.map((d) => d.digit ?? '').join('')
}

/** Presses every digit once at eight alignments to the frames; returns what was not heard exactly once. */
function missed(o: Press, under?: Float32Array): string[] {
  const wrong: string[] = []
  for (const digit of DIGITS) {
    for (const shift of [0, 3, 6, 9, 11, 13, 16, 19]) {
      const pieces = [[100 + shift, press(digit, o)] as const]
      const heard = hear(300, under === undefined ? pieces : [...pieces, [0, under]])
      if (heard !== digit) wrong.push(`${digit}+${shift}:${heard}`)
    }
  }
  return wrong
}

describe('dtmf', () => {
  it('hears every digit of 40 ms once, however it lies in the frames', () => {
    expect(missed({ ms: 40 })).toEqual([])
  })

  it('hears every digit 1.8 % above and below its frequencies', () => {
    expect(missed({ ms: 45, offset: 0.018 })).toEqual([])
    expect(missed({ ms: 45, offset: -0.018 })).toEqual([])
  })

  it('hears every digit with a twist of +4 and −8 dB', () => {
    expect(missed({ twistDb: 4 })).toEqual([])
    expect(missed({ twistDb: -8 })).toEqual([])
  })

  it('hears every digit at −3 and at −34 dBFS', () => {
    expect(missed({ peakDbfs: -6.5 })).toEqual([])
    expect(missed({ peakDbfs: -34 })).toEqual([])
  })

  it('hears every digit over noise 15 dB down', () => {
    expect(missed({ ms: 50 }, noise(2_400, { rmsDbfs: -27, seed: 3 }))).toEqual([])
  })

  it('refuses tones 3.5 % off', () => {
    for (const digit of DIGITS) {
      expect(hear(300, [[105, press(digit, { offset: 0.035 })]])).toBe('')
      expect(hear(300, [[105, press(digit, { offset: -0.035 })]])).toBe('')
    }
  })

  it('refuses tones of 23 ms', () => {
    for (const digit of DIGITS) {
      for (const shift of [0, 4, 8, 12, 16]) {
        expect(hear(300, [[100 + shift, press(digit, { ms: 23 })]])).toBe('')
      }
    }
  })

  it('hears two digits with a pause of 40 ms, and one with a gap of 10 ms', () => {
    for (const shift of [0, 5, 10, 15]) {
      const five = press('5', { ms: 50 })
      expect(hear(400, [[100 + shift, five], [190 + shift, five]])).toBe('55') // prettier-ignore
      expect(hear(400, [[100 + shift, five], [160 + shift, five]])).toBe('5') // prettier-ignore
    }
  })

  it('hears a number of 16 digits at 80 ms each', () => {
    const pieces = DIGITS.map((digit, i) => [50 + i * 80, press(digit, { ms: 40 })] as const)
    expect(hear(1_500, pieces)).toBe(DIGITS.join(''))
  })

  it('hears no digit in 4 minutes of voices', () => {
    const heard = Array.from({ length: 12 }, (_, seed) => {
      const random = seeded(seed)
      const length = 20_000
      return hear(length, [
        [0, voice(length * 8, { rateHz: 8_000, rmsDbfs: -14 - 14 * random(), seed: 50 + seed })],
      ])
    })
    expect(heard.join('')).toBe('')
  })
})
