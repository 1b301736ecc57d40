/**
 * Trains the VAD's network and writes dsp/vad-weights.ts.
 *
 *   node dsp/training/train.ts [--corpus data/vad/corpus.bin] [--epochs 6] [--seed 20260]
 *                              [--out dsp/vad-weights.ts]
 *
 * Back-propagation through stretches of 2 s, the state carried from one to the next, 20 mixes at a
 * time; Adam with a rate that falls along a cosine. The schedule is fixed and the sums have one
 * order: the same corpus and seed give the same bits. The weights written are the running average
 * of the last epochs, which errs less than any of them. A checkpoint lies in data/vad/ after every
 * epoch.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Corpus } from './make-corpus.ts'
import { falseRateThreshold } from './score.ts'
import { Adam, INPUTS, newWeights, Stretch, UNITS } from './network.ts'
import { seeded, shuffle } from './random.ts'
import { weightsSource } from './weights-source.ts'

const STRETCH = 100
const BATCH = 20
const RATE = 0.004
const LAST_RATE = 0.00005
/** Weight of the newest step in the running average. */
const AVERAGING = 0.003
/**
 * Sensitivity 0.5 puts the threshold at probability 0.5; the bias is set so that this share of the
 * silent frames of the training mixes lies above it.
 */
const FALSE_RATE = 0.02

export interface Training {
  epochs: number
  seed: number
  progress?: (epoch: number, loss: number, weights: Float64Array) => void
}

/** Returns the averaged weights, the bias set for FALSE_RATE. */
export function train(corpus: Corpus, o: Training): Float32Array {
  const random = seeded(o.seed)
  const w = newWeights(random)
  const average = Float64Array.from(w)
  const run = new Run(corpus, w)
  const adam = new Adam()
  const order = Uint32Array.from({ length: corpus.mixes }, (_, i) => i)
  const stretches = Math.floor(corpus.frames / STRETCH)
  const batches = Math.ceil(corpus.mixes / BATCH)
  const steps = o.epochs * batches * stretches
  let done = 0
  for (let epoch = 0; epoch < o.epochs; epoch++) {
    shuffle(random, order)
    run.loss = 0
    for (let b = 0; b < batches; b++) {
      const mixes = order.subarray(b * BATCH, (b + 1) * BATCH)
      run.forget()
      for (let s = 0; s < stretches; s++) {
        run.gather(mixes, s * STRETCH)
        const rise = Math.min(1, (done + 1) / 200)
        const fall = 0.5 + 0.5 * Math.cos((Math.PI * done) / steps)
        adam.step(w, run.stretch.gradient, rise * (LAST_RATE + (RATE - LAST_RATE) * fall))
        const share = Math.max(AVERAGING, 1 / (done + 1))
        for (let i = 0; i < w.length; i++) average[i]! += share * (w[i]! - average[i]!)
        done++
      }
    }
    o.progress?.(epoch, run.loss / (batches * stretches), average)
  }
  return withBias(corpus, average)
}

/** Gradients of one batch of mixes, stretch by stretch. */
class Run {
  readonly stretch: Stretch
  loss = 0
  readonly #corpus: Corpus
  readonly #states = Array.from({ length: BATCH }, () => new Float64Array(UNITS))
  readonly #errors = new Float64Array(STRETCH)

  constructor(corpus: Corpus, weights: Float64Array) {
    this.#corpus = corpus
    this.stretch = new Stretch(weights, STRETCH)
  }

  forget(): void {
    for (const state of this.#states) state.fill(0)
  }

  gather(mixes: Uint32Array, from: number): void {
    const { features, frames } = this.#corpus
    this.stretch.gradient.fill(0)
    mixes.forEach((mix, i) => {
      const first = mix * frames + from
      this.stretch.forward(features, first * INPUTS, STRETCH, this.#states[i]!)
      this.#judge(first, 1 / (mixes.length * STRETCH))
      this.stretch.backward(features, first * INPUTS, STRETCH, this.#errors)
    })
  }

  #judge(first: number, weight: number): void {
    const { labels } = this.#corpus
    for (let t = 0; t < STRETCH; t++) {
      const y = labels[first + t]!
      const p = this.stretch.probability[t]!
      this.#errors[t] = y < 0 ? 0 : (p - y) * weight
      if (y >= 0) this.loss -= weight * Math.log(Math.max(1e-9, y === 1 ? p : 1 - p))
    }
  }
}

/** The score of every frame of the first mixes, and the bias that puts FALSE_RATE at 0.5. */
function withBias(corpus: Corpus, w: Float64Array): Float32Array {
  const mixes = Math.min(corpus.mixes, 300)
  const stretch = new Stretch(w, corpus.frames)
  const scores = new Float64Array(mixes * corpus.frames)
  for (let m = 0; m < mixes; m++) {
    const at = m * corpus.frames * INPUTS
    stretch.forward(corpus.features, at, corpus.frames, new Float64Array(UNITS))
    scores.set(stretch.probability, m * corpus.frames)
  }
  const p = falseRateThreshold(scores, corpus.labels.subarray(0, scores.length), FALSE_RATE)
  const out = Float32Array.from(w)
  out[out.length - 1]! -= Math.log(p / (1 - p))
  return out
}

function readCorpus(path: string): Corpus {
  const bytes = readFileSync(path)
  const [mixes = 0, frames = 0, width = 0] = new Int32Array(bytes.buffer, bytes.byteOffset, 4)
  if (width !== INPUTS)
    throw new Error(`${path} holds ${width} features, not ${INPUTS}: make it again`)
  const count = mixes * frames
  const labels = new Int8Array(bytes.buffer, bytes.byteOffset + 16, count)
  const features = new Float32Array(
    bytes.buffer.slice(
      bytes.byteOffset + 16 + count,
      bytes.byteOffset + 16 + count * (1 + 4 * width),
    ),
  )
  return { mixes, frames, labels, features }
}

function main(): void {
  const { values } = parseArgs({
    options: {
      corpus: { type: 'string', default: 'data/vad/corpus.bin' },
      epochs: { type: 'string', default: '6' },
      seed: { type: 'string', default: '20260' },
      out: { type: 'string', default: 'dsp/vad-weights.ts' },
    },
  })
  const corpus = readCorpus(values.corpus)
  const weights = train(corpus, {
    epochs: Number(values.epochs),
    seed: Number(values.seed),
    progress: (epoch, loss, now) => {
      console.error(`epoch ${epoch + 1}: loss ${loss.toFixed(5)}, ${process.uptime().toFixed(0)} s`)
      writeFileSync('data/vad/checkpoint.f32', new Uint8Array(Float32Array.from(now).buffer))
    },
  })
  const hours = Math.round((corpus.mixes * corpus.frames) / 180_000)
  writeFileSync(values.out, weightsSource(weights, { ...values, hours }))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
