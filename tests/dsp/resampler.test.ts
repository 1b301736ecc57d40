import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { FILTER_KEYS, planHistory } from '../../dsp/filters.ts'
import { constant, createDspMemory, type DspMemory } from '../../dsp/host.ts'
import { amplitudeAt, noise, toDb, tone } from './signals.ts'

let dsp: DspMemory
let floats: Float32Array

beforeAll(async () => {
  dsp = await createDspMemory({ slots: 1, lists: 1 })
  floats = new Float32Array(dsp.share.memory.buffer)
})

interface Rates {
  fromHz: number
  toHz: number
  isStrict?: boolean
}

function keyOf({ fromHz, toHz, isStrict }: Rates): string {
  return `${fromHz}-${toHz}${isStrict === true ? '-strict' : ''}`
}

/** Smallest number of input samples that gives a whole number of output samples. */
function granule({ fromHz, toHz }: Rates): number {
  let [a, b] = [fromHz, toHz]
  while (b > 0) [a, b] = [b, a % b]
  return fromHz / a
}

/** Streams `input` in pieces of at most a frame, keeping history as the chains do. */
function convert(input: Float32Array, rates: Rates, pieces?: readonly number[]): Float32Array {
  const { fromHz, toHz } = rates
  const plan = dsp.regions.filters.get(keyOf(rates)) ?? 0
  const keep = planHistory(keyOf(rates))
  const { scratch } = dsp.regions
  const at = (scratch >> 2) + constant(dsp.layout, 'HISTORY')
  const outAt = (scratch + constant(dsp.layout, 'SCRATCH_OUTPUT')) >> 2
  const work = scratch + constant(dsp.layout, 'SCRATCH_WORK')
  const out = new Float32Array(Math.ceil((input.length * toHz) / fromHz))
  floats.fill(0, at - keep, at)
  let [from, to] = [0, 0]
  for (let i = 0; from < input.length; i++) {
    const size = Math.min(pieces?.[i % pieces.length] ?? fromHz / 50, input.length - from)
    const count = (size * toHz) / fromHz
    floats.set(input.subarray(from, from + size), at)
    dsp.functions.resample(plan, at * 4, outAt * 4, count, work)
    out.set(floats.subarray(outAt, outAt + count), to)
    floats.copyWithin(at - keep, at + size - keep, at + size)
    from += size
    to += count
  }
  return out
}

/** Gain from a tone at `hz` to what is heard at `heardHz`, dB, measured without the filter's onset. */
function gainDb(rates: Rates, hz: number, heardHz = hz): number {
  const { fromHz, toHz } = rates
  const input = tone(fromHz / 2, { hz, rateHz: fromHz, peak: 0.5 })
  const output = convert(input, rates)
  return toDb(amplitudeAt(output.subarray(toHz / 10), heardHz, toHz) / 0.5)
}

/** Where a tone at `hz` lands after sampling at `rateHz`. */
function folded(hz: number, rateHz: number): number {
  const inside = hz % rateHz
  return Math.min(inside, rateHz - inside)
}

/** Telephony's pass band scaled to the narrower of the two rates: 3.4 kHz of 8, 6.8 of 16, 9.4 above. */
function bandOf({ fromHz, toHz, isStrict }: Rates): { passHz: number; stopHz: number } {
  if (isStrict === true) return { passHz: 3_400, stopHz: 4_050 }
  const narrow = Math.min(fromHz, toHz)
  if (narrow === 8_000) return { passHz: 3_400, stopHz: 4_600 }
  if (narrow === 16_000) return { passHz: 6_800, stopHz: 9_200 }
  return narrow === 22_050 ? { passHz: 9_300, stopHz: 12_750 } : { passHz: 10_200, stopHz: 13_800 }
}

const PAIRS = FILTER_KEYS.map(([fromHz, toHz]) => ({ fromHz, toHz }))
const STRICT: Rates[] = [
  { fromHz: 8_000, toHz: 16_000, isStrict: true },
  { fromHz: 16_000, toHz: 8_000, isStrict: true },
]

for (const rates of [...PAIRS, ...STRICT] as Rates[]) {
  const { fromHz, toHz } = rates
  const { passHz, stopHz } = bandOf(rates)
  const isStrict = 'isStrict' in rates
  const delayMs = isStrict ? 5.2 : 2.8
  describe(`${isStrict ? 'strict ' : ''}resampler ${fromHz / 1_000} → ${toHz / 1_000} kHz`, () => {
    it(`keeps 100 to ${passHz} Hz within 0.01 dB`, () => {
      const steps = Array.from({ length: 24 }, (_, i) => 100 + ((passHz - 100) * i) / 23)
      const gains = steps.map((hz) => Math.abs(gainDb(rates, hz)))
      expect(Math.max(...gains)).toBeLessThanOrEqual(0.01)
    })

    it(`keeps images and aliases from ${stopHz} Hz on 85 dB down`, () => {
      const worst: number[] = []
      if (toHz > fromHz) {
        for (let hz = 150; hz <= fromHz - stopHz; hz += 250) {
          for (let k = 1; k * fromHz + hz < toHz / 2 || k * fromHz - hz < toHz / 2; k++) {
            worst.push(gainDb(rates, hz, k * fromHz - hz))
            if (k * fromHz + hz < toHz / 2) worst.push(gainDb(rates, hz, k * fromHz + hz))
          }
        }
      } else {
        for (let hz = stopHz; hz < fromHz / 2; hz += 170) {
          worst.push(gainDb(rates, hz, folded(hz, toHz)))
        }
      }
      expect(Math.max(-200, ...worst)).toBeLessThanOrEqual(-85)
    })

    it(`delays by at most ${delayMs} ms`, () => {
      const impulse = new Float32Array(fromHz / 50)
      impulse[0] = 1
      const output = convert(impulse, rates).map(Math.abs)
      const peak = output.indexOf(Math.max(...output))
      expect((peak / toHz) * 1_000).toBeLessThanOrEqual(delayMs)
    })

    it('gives the same bits for any split of the input', () => {
      const unit = granule(rates)
      const input = noise(unit * Math.ceil(fromHz / 10 / unit), { rmsDbfs: -20, seed: 1 })
      const whole = convert(input, rates)
      const most = Math.floor(fromHz / 50 / unit)
      const sizes = fc.array(fc.integer({ min: 1, max: most }), { minLength: 1, maxLength: 12 })
      fc.assert(
        fc.property(sizes, (counts) => {
          const split = convert(
            input,
            rates,
            counts.map((n) => n * unit),
          )
          expect(split).toEqual(whole)
        }),
        { seed: 11, numRuns: 10 },
      )
    })
  })
}

describe('resampling plans', () => {
  it('exist for each TTS rate to each line rate, and none for equal rates', () => {
    expect(PAIRS).toHaveLength(16)
    expect(PAIRS.every(({ fromHz, toHz }) => fromHz !== toHz)).toBe(true)
    expect(PAIRS.every(({ fromHz, toHz }) => planHistory(`${fromHz}-${toHz}`) > 0)).toBe(true)
    expect(planHistory('16000-16000')).toBe(0)
  })
})
