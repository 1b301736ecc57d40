import { describe, expect, it } from 'vitest'
import { createDspMemory } from '../../dsp/host.ts'
import { noise } from './signals.ts'

const dsp = await createDspMemory({ slots: 1, lists: 1 })
const floats = new Float32Array(dsp.share.memory.buffer)
const at = dsp.regions.scratch

describe('spectrum', () => {
  it('gives the powers of a plain DFT of 256 windowed samples to 1 part in 10 000', () => {
    const input = noise(256, { rmsDbfs: -10, seed: 3 })
    floats.set(input, at >> 2)
    dsp.functions.windowedPower(at, at + 4_096, at + 2_048)
    const got = floats.slice((at + 2_048) >> 2, ((at + 2_048) >> 2) + 129)
    for (let k = 0; k <= 128; k++) {
      let re = 0
      let im = 0
      for (let n = 0; n < 256; n++) {
        const w = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / 256)
        re += w * (input[n] ?? 0) * Math.cos((2 * Math.PI * k * n) / 256)
        im -= w * (input[n] ?? 0) * Math.sin((2 * Math.PI * k * n) / 256)
      }
      const power = re * re + im * im
      expect(Math.abs((got[k] ?? 0) - power)).toBeLessThan(1e-4 * Math.max(power, 0.1))
    }
  })

  it('gives the cosine sum of an even spectrum', () => {
    const spectrum = noise(129, { rmsDbfs: -10, seed: 4 }).map(Math.abs)
    floats.set(spectrum, at >> 2)
    dsp.functions.autocorrelation(at, at + 4_096, at + 2_048)
    for (const lag of [0, 1, 20, 77, 127]) {
      let sum = 0
      for (let k = 0; k < 256; k++) {
        sum += (spectrum[k > 128 ? 256 - k : k] ?? 0) * Math.cos((2 * Math.PI * k * lag) / 256)
      }
      expect(floats[((at + 2_048) >> 2) + lag]).toBeCloseTo(sum, 3)
    }
  })
})
