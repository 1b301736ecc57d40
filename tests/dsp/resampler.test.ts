import { beforeAll, describe, expect, it } from 'vitest'
import { createDspMemory, type DspMemory } from '../../dsp/host.ts'
import { FILTER_KEYS, filterShape } from '../../dsp/tables.ts'
import { amplitudeAt, noise, toDb, tone } from './signals.ts'

const HISTORY = 144
let dsp: DspMemory
let floats: Float32Array

beforeAll(async () => {
  dsp = await createDspMemory({ slots: 1, lists: 1 })
  floats = new Float32Array(dsp.share.memory.buffer)
})

/** Streams `input` in blocks of `blockMs`, keeping history as the chains do. */
function convert(
  input: Float32Array,
  o: { fromHz: number; toHz: number; blockMs?: number },
): Float32Array {
  const table = dsp.regions.filters.get(`${o.fromHz}-${o.toHz}`) ?? 0
  const blockMs = o.blockMs ?? 20
  const inBlock = (o.fromHz * blockMs) / 1_000
  const outBlock = (o.toHz * blockMs) / 1_000
  const blocks = Math.floor(input.length / inBlock)
  const at = dsp.regions.scratch >> 2
  const outAt = at + HISTORY + 480
  const out = new Float32Array(blocks * outBlock)
  floats.fill(0, at, at + HISTORY)
  for (let b = 0; b < blocks; b++) {
    floats.set(input.subarray(b * inBlock, (b + 1) * inBlock), at + HISTORY)
    dsp.functions.resample(table, (at + HISTORY) * 4, outAt * 4, outBlock)
    out.set(floats.subarray(outAt, outAt + outBlock), b * outBlock)
    floats.copyWithin(at, at + inBlock, at + inBlock + HISTORY)
  }
  return out
}

/** Gain of a tone, dB, measured without the filter's onset. */
function gainDb(hz: number, o: { fromHz: number; toHz: number; heardHz?: number }): number {
  const input = tone(o.fromHz, { hz, rateHz: o.fromHz, peak: 0.5 })
  const output = convert(input, o)
  return toDb(amplitudeAt(output.subarray(o.toHz / 10), o.heardHz ?? hz, o.toHz) / 0.5)
}

function label([from, to]: readonly [number, number]): string {
  return `${from / 1_000} → ${to / 1_000} kHz`
}

describe('resampler', () => {
  for (const key of FILTER_KEYS) {
    const [fromHz, toHz] = key
    const wide = Math.min(fromHz, toHz) === 16_000
    const passHz = wide ? 6_900 : 3_400
    it(`keeps 100 to ${passHz} Hz within 0.05 dB at ${label(key)}`, () => {
      const gains = [100, 300, 1_000, 2_000, 3_000, 3_400, passHz].map((hz) =>
        gainDb(hz, { fromHz, toHz }),
      )
      expect(Math.max(...gains.map(Math.abs))).toBeLessThan(0.05)
    })

    if (toHz > fromHz) {
      it(`keeps images of 300 to 3400 Hz 80 dB down at ${label(key)}`, () => {
        for (const hz of [300, 1_000, 2_000, 3_000, 3_400]) {
          const image = gainDb(hz, { fromHz, toHz, heardHz: fromHz - hz })
          expect(image).toBeLessThan(-80)
        }
      })
    } else {
      it(`keeps aliases 80 dB down at ${label(key)}`, () => {
        const folds = wide ? [9_000, 10_000, 11_500] : [4_450, 5_000, 6_000, 7_000, 7_700]
        for (const hz of folds) {
          expect(gainDb(hz, { fromHz, toHz, heardHz: toHz - hz })).toBeLessThan(-80)
        }
      })
    }

    it(`gives the same samples in blocks of 20 ms and of 10 ms at ${label(key)}`, () => {
      const input = noise(fromHz / 5, { rmsDbfs: -20, seed: 1 })
      const whole = convert(input, { fromHz, toHz })
      const split = convert(input, { fromHz, toHz, blockMs: 10 })
      expect(split).toEqual(whole)
    })
  }

  it('delays by at most 3 ms', () => {
    for (const [fromHz, toHz] of FILTER_KEYS) {
      const impulse = new Float32Array(fromHz / 50)
      impulse[0] = 1
      const output = convert(impulse, { fromHz, toHz })
      const peak = output.indexOf(Math.max(...output))
      expect(peak / toHz).toBeLessThanOrEqual(0.003)
    }
  })

  it('has a table for each pair of 8, 16 and 24 kHz, and none for equal rates', () => {
    expect(filterShape(16_000, 16_000)).toBeNull()
    expect(FILTER_KEYS.every(([a, b]) => filterShape(a, b) !== null)).toBe(true)
  })
})
