/**
 * Makes the training corpus: features and labels of many mixes, from a seed, into data/vad/.
 *
 *   node dsp/training/make-corpus.ts [--hours 5] [--seed 20260] [--out data/vad/corpus.bin]
 *
 * File: 4 words (mixes, frames per mix, features per frame, seed), labels (i8), features (f32).
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { makeMix, trainingSources, type CorpusSources } from './corpus.ts'
import { detector } from './detector.ts'
import { seeded } from './random.ts'

/** 30 s: a call's first seconds are learnt, and the floor of 2 s many times over. */
export const MIX_SEC = 30

export interface Corpus {
  mixes: number
  frames: number
  /** Per mix and frame. */
  labels: Int8Array
  /** Per mix, frame and feature. */
  features: Float32Array
}

export async function makeCorpus(o: {
  mixes: number
  seconds: number
  seed: number
  from: CorpusSources
  progress?: (done: number) => void
}): Promise<Corpus> {
  const frames = o.seconds * 50
  const chain = await detector()
  const width = chain.features.length
  const labels = new Int8Array(o.mixes * frames)
  const features = new Float32Array(o.mixes * frames * width)
  for (let m = 0; m < o.mixes; m++) {
    // A seed for each mix: the first hour is the same however many follow.
    const random = seeded(o.seed * 7_919 + m * 104_729)
    const mix = makeMix(o.seconds, o.from, random)
    labels.set(mix.labels, m * frames)
    chain.open(random() < 0.5 ? 'PCMU' : 'PCMA')
    for (let f = 0; f < frames; f++) {
      chain.hear(mix.samples.subarray(f * 160, f * 160 + 160))
      features.set(chain.features, (m * frames + f) * width)
    }
    o.progress?.(m + 1)
  }
  return { mixes: o.mixes, frames, labels, features }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      hours: { type: 'string', default: '5' },
      seed: { type: 'string', default: '20260' },
      out: { type: 'string', default: 'data/vad/corpus.bin' },
    },
  })
  const mixes = Math.round((Number(values.hours) * 3_600) / MIX_SEC)
  const corpus = await makeCorpus({
    mixes,
    seconds: MIX_SEC,
    seed: Number(values.seed),
    from: trainingSources(),
    progress: (done) => {
      if (done % 100 === 0) console.error(`${done} of ${mixes} mixes`)
    },
  })
  const width = corpus.features.length / corpus.labels.length
  const header = Int32Array.of(mixes, corpus.frames, width, Number(values.seed))
  mkdirSync(dirname(values.out), { recursive: true })
  writeFileSync(values.out, new Uint8Array(header.buffer))
  writeFileSync(values.out, corpus.labels, { flag: 'a' })
  writeFileSync(values.out, new Uint8Array(corpus.features.buffer), { flag: 'a' })
  const speech = corpus.labels.reduce((sum, v) => sum + (v === 1 ? 1 : 0), 0)
  console.log(`${mixes} mixes, ${corpus.labels.length} frames, ${speech} speech: ${values.out}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
