import { describe, expect, it } from 'vitest'
import type { CorpusSources } from '../../dsp/training/corpus.ts'
import { labelsOf } from '../../dsp/training/labels.ts'
import { makeCorpus } from '../../dsp/training/make-corpus.ts'
import { areaUnderCurve, falseRateThreshold, truePositives } from '../../dsp/training/score.ts'
import { train } from '../../dsp/training/train.ts'
import { weightsSource } from '../../dsp/training/weights-source.ts'
import { noise, voice } from './signals.ts'

/** Made voices in place of recorded ones. */
function madeSources(): CorpusSources {
  const speakers = [1, 2].map((speaker) =>
    [1, 2, 3].map((n) => voice(9_000, { rateHz: 8_000, rmsDbfs: -24, seed: speaker * 10 + n })),
  )
  return { speakers, voices: speakers.flat(), music: [noise(40_000, { rmsDbfs: -20, seed: 9 })] }
}

function tinyCorpus(seed: number): ReturnType<typeof makeCorpus> {
  return makeCorpus({ mixes: 6, seconds: 4, seed, from: madeSources() })
}

describe('vad training', () => {
  it('gives the same corpus and the same weights, bit for bit, from the same seed', async () => {
    const [one, two] = [await tinyCorpus(7), await tinyCorpus(7)]
    expect(Buffer.from(one.features.buffer).equals(Buffer.from(two.features.buffer))).toBe(true)
    expect(one.labels).toEqual(two.labels)
    const weights = [one, two].map((corpus) => train(corpus, { epochs: 2, seed: 3 }))
    expect(weights[0]?.every(Number.isFinite)).toBe(true)
    expect(weights[0]).toEqual(weights[1])
  })

  it('gives another corpus and other weights from another seed', async () => {
    const [one, two] = [await tinyCorpus(7), await tinyCorpus(8)]
    expect(one.features).not.toEqual(two.features)
    expect(train(one, { epochs: 1, seed: 3 })).not.toEqual(train(one, { epochs: 1, seed: 4 }))
  })

  it('keeps a mix the same however many follow it', async () => {
    const from = madeSources()
    const one = await makeCorpus({ mixes: 1, seconds: 2, seed: 5, from })
    const two = await makeCorpus({ mixes: 2, seconds: 2, seed: 5, from })
    expect(two.features.subarray(0, one.features.length)).toEqual(one.features)
  })

  it('labels a word, its 80 ms gap, an unscored pause of 200 ms and the silence after 40 ms', () => {
    const clean = new Float32Array(3 * 8_000)
    const word = voice(2_400, { rateHz: 8_000, rmsDbfs: -20, seed: 1 }).map((x) => x + 0.05)
    const at = [4_000, 4_000 + 2_400 + 640, 4_000 + 4_800 + 640 + 1_600]
    for (const from of at) clean.set(word, from)
    const { frames, onsets } = labelsOf(clean)
    expect(onsets).toEqual([4_000])
    expect(frames[20]).toBe(0)
    expect([...frames.subarray(26, 58)].every((v) => v === 1)).toBe(true)
    expect([...frames.subarray(60, 68)].every((v) => v === -1)).toBe(true)
    const end = Math.ceil(((at[2] ?? 0) + 2_400) / 160)
    expect([...frames.subarray(end, end + 2)]).toEqual([-1, -1])
    expect([...frames.subarray(end + 3)].every((v) => v === 0)).toBe(true)
  })

  it('scores: area .75 for one pair of four in the wrong order, thresholds by the silent share', () => {
    const labels = Int8Array.of(1, 0, 1, 0, -1)
    const scores = Float64Array.of(0.9, 0.8, 0.7, 0.1, 1)
    expect(areaUnderCurve(scores, labels)).toBe(0.75)
    expect(areaUnderCurve(Float64Array.of(1, 1), Int8Array.of(1, 0))).toBe(0.5)
    expect(falseRateThreshold(scores, labels, 0.5)).toBe(0.1)
    expect(falseRateThreshold(scores, labels, 0)).toBe(0.8)
    expect(truePositives(scores, labels, 0.8)).toBe(0.5)
  })

  it('writes weights that read back as they were', async () => {
    const weights = Float32Array.of(0.5, -1e-8, Math.PI)
    const source = weightsSource(weights, { hours: 1, epochs: '1', seed: '2' })
    const text = [...source.matchAll(/^ {2}'(.+)',$/gm)].map((line) => line[1]).join('')
    const bytes = Uint8Array.from(Buffer.from(text, 'base64'))
    expect(new Float32Array(bytes.buffer)).toEqual(weights)
  })
})
