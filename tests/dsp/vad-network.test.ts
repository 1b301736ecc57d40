import { describe, expect, it } from 'vitest'
import { bindKernel, constant, createDspMemory } from '../../dsp/host.ts'
import { Slot } from '../../dsp/slot.ts'
import { Adam, INPUTS, newWeights, Stretch, UNITS, WEIGHTS } from '../../dsp/training/network.ts'
import { vadWeights } from '../../dsp/vad-weights.ts'
import { seeded } from './signals.ts'

const FRAMES = 300

function randomFeatures(seed: number): Float32Array {
  const random = seeded(seed)
  return Float32Array.from({ length: FRAMES * INPUTS }, () => 2 * random() - 0.5)
}

/** The score the core gives to each frame of features, one call. */
async function scoresOfCore(features: Float32Array): Promise<number[]> {
  const dsp = await createDspMemory({ slots: 1, lists: 1 })
  bindKernel(dsp.share)
  new Slot(dsp, 0).open(
    { codec: 'PCMU', lineRateHz: 8_000, ttsRateHz: 8_000 },
    { vadSensitivity: 0.5, bed: 'none', bedGain: 0 },
  )
  const { scratch } = dsp.regions
  const at = scratch + constant(dsp.layout, 'SCRATCH_FFT') + constant(dsp.layout, 'FEATURES')
  const view = new Float32Array(dsp.share.memory.buffer, at, INPUTS)
  return Array.from({ length: FRAMES }, (_, f) => {
    view.set(features.subarray(f * INPUTS, (f + 1) * INPUTS))
    return dsp.functions.scoreFeatures(dsp.slotAddress(0), scratch)
  })
}

/** Cross entropy of one stretch against alternating labels. */
function lossOf(weights: Float64Array, x: Float32Array): number {
  const stretch = new Stretch(weights, 20)
  stretch.forward(x, 0, 20, new Float64Array(UNITS))
  let loss = 0
  for (let t = 0; t < 20; t++) {
    const p = stretch.probability[t]!
    loss -= Math.log(t % 3 === 0 ? p : 1 - p)
  }
  return loss
}

describe('vad network', () => {
  it('has 4 897 finite weights, no more than 5 000', () => {
    expect(WEIGHTS).toBe(4_897)
    expect(vadWeights()).toHaveLength(WEIGHTS)
    expect(vadWeights().every(Number.isFinite)).toBe(true)
  })

  it('scores 300 frames in the core as in plain TypeScript, to 1 part in 10 000', async () => {
    const features = randomFeatures(3)
    const plain = new Stretch(Float64Array.from(vadWeights()), FRAMES)
    plain.forward(features, 0, FRAMES, new Float64Array(UNITS))
    const core = await scoresOfCore(features)
    for (let f = 0; f < FRAMES; f++) {
      expect(Math.abs((core[f] ?? NaN) - plain.probability[f]!)).toBeLessThan(1e-4)
    }
  })

  it('carries its state: two stretches of 150 frames give the scores of one of 300', () => {
    const features = randomFeatures(4)
    const weights = newWeights(seeded(4))
    const whole = new Stretch(weights, FRAMES)
    whole.forward(features, 0, FRAMES, new Float64Array(UNITS))
    const half = new Stretch(weights, FRAMES / 2)
    const state = new Float64Array(UNITS)
    half.forward(features, 0, FRAMES / 2, state)
    half.forward(features, (FRAMES / 2) * INPUTS, FRAMES / 2, state)
    expect([...half.probability]).toEqual([...whole.probability.subarray(FRAMES / 2)])
  })

  it('has the gradient that a small change of each weight shows', () => {
    const x = randomFeatures(5)
    const weights = newWeights(seeded(5))
    const stretch = new Stretch(weights, 20)
    stretch.forward(x, 0, 20, new Float64Array(UNITS))
    const errors = stretch.probability.map((p, t) => p - (t % 3 === 0 ? 1 : 0))
    stretch.backward(x, 0, 20, errors)
    for (let i = 0; i < WEIGHTS; i += 37) {
      const kept = weights[i]!
      weights[i] = kept + 1e-5
      const above = lossOf(weights, x)
      weights[i] = kept - 1e-5
      const below = lossOf(weights, x)
      weights[i] = kept
      expect(stretch.gradient[i]).toBeCloseTo((above - below) / 2e-5, 4)
    }
  })

  it('learns: 60 steps of Adam on one stretch halve its loss', () => {
    const x = randomFeatures(6)
    const weights = newWeights(seeded(6))
    const adam = new Adam()
    const before = lossOf(weights, x)
    const stretch = new Stretch(weights, 20)
    for (let step = 0; step < 60; step++) {
      stretch.gradient.fill(0)
      stretch.forward(x, 0, 20, new Float64Array(UNITS))
      stretch.backward(
        x,
        0,
        20,
        stretch.probability.map((p, t) => p - (t % 3 === 0 ? 1 : 0)),
      )
      adam.step(weights, stretch.gradient, 0.01)
    }
    expect(lossOf(weights, x)).toBeLessThan(before / 2)
  })
})
