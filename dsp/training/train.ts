/**
 * Trains the VAD's network and writes dsp/vad-weights.ts.
 *
 *   node dsp/training/train.ts [--corpus data/vad/corpus.bin] [--seed 20260]
 *                              [--out dsp/vad-weights.ts]
 *
 * Back-propagation through stretches of 2 s, the state carried from one to the next, 20 mixes at a
 * time; Adam with a rate that falls along a cosine, twice. The schedule is fixed and the sums have
 * one order: the same corpus and seed give the same bits. What counts is the running average of the
 * weights over about the last epoch. A checkpoint lies in data/vad/ after every epoch: --calibrate
 * FILE only sets its bias, --from FILE takes it for the end of the first fall.
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
const LAST_RATE = 0.00005
/** Weight of the newest step in the running average. */
const AVERAGING = 0.003
/**
 * Sensitivity 0.5 puts the threshold at probability 0.5; the bias is set so that this share of the
 * silent frames of the training mixes lies above it.
 */
const FALSE_RATE = 0.026

/**
 * Two falls of the rate. The second begins at the average of the first, rounded as the product holds
 * it, with nothing remembered but the weights.
 */
const CYCLES = [
  { epochs: 6, rate: 0.004 },
  { epochs: 4, rate: 0.002 },
] as const

export interface Training {
  seed: number
  /** Instead of CYCLES. */
  cycles?: readonly Cycle[]
  /** Weights of the first cycle, if it has run already: only the others do. */
  from?: Float32Array
  progress?: (epoch: number, loss: number, weights: Float64Array) => void
}

interface Cycle {
  epochs: number
  rate: number
}

/** Returns the averaged weights, the bias set for FALSE_RATE. */
export function train(corpus: Corpus, o: Training): Float32Array {
  const cycles = o.cycles ?? CYCLES
  let weights = o.from ?? Float32Array.from(newWeights(seeded(o.seed)))
  for (const [i, cycle] of cycles.entries()) {
    if (i === 0 && o.from !== undefined) continue
    weights = Float32Array.from(fall(corpus, weights, { ...o, cycle, index: i }))
  }
  return calibrated(corpus, weights)
}

/** One fall of the rate; returns the running average. */
function fall(
  corpus: Corpus,
  from: Float32Array,
  o: Training & { cycle: Cycle; index: number },
): Float64Array {
  const random = seeded(o.seed + o.index)
  // The first weights are drawn from the same stream as the order of the mixes.
  const w = o.index === 0 ? newWeights(random) : Float64Array.from(from)
  const average = Float64Array.from(w)
  const run = new Run(corpus, w)
  const adam = new Adam()
  const order = Uint32Array.from({ length: corpus.mixes }, (_, i) => i)
  const stretches = Math.floor(corpus.frames / STRETCH)
  const batches = Math.ceil(corpus.mixes / BATCH)
  const steps = o.cycle.epochs * batches * stretches
  let done = 0
  for (let epoch = 0; epoch < o.cycle.epochs; epoch++) {
    shuffle(random, order)
    run.loss = 0
    for (let b = 0; b < batches; b++) {
      const mixes = order.subarray(b * BATCH, (b + 1) * BATCH)
      run.forget()
      for (let s = 0; s < stretches; s++) {
        run.gather(mixes, s * STRETCH)
        const rise = Math.min(1, (done + 1) / 200)
        const part = 0.5 + 0.5 * Math.cos((Math.PI * done) / steps)
        const rate = LAST_RATE + (o.cycle.rate - LAST_RATE) * part
        adam.step(w, run.stretch.gradient, rise * rate)
        const share = Math.max(AVERAGING, 1 / (done + 1))
        for (let i = 0; i < w.length; i++) average[i]! += share * (w[i]! - average[i]!)
        done++
      }
    }
    o.progress?.(epoch, run.loss / (batches * stretches), average)
  }
  return average
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

/** The same weights with the bias that puts FALSE_RATE of the first mixes' silence above 0.5. */
function calibrated(corpus: Corpus, weights: Float32Array): Float32Array {
  const mixes = Math.min(corpus.mixes, 300)
  const stretch = new Stretch(Float64Array.from(weights), corpus.frames)
  const scores = new Float64Array(mixes * corpus.frames)
  for (let m = 0; m < mixes; m++) {
    const at = m * corpus.frames * INPUTS
    stretch.forward(corpus.features, at, corpus.frames, new Float64Array(UNITS))
    scores.set(stretch.probability, m * corpus.frames)
  }
  const p = falseRateThreshold(scores, corpus.labels.subarray(0, scores.length), FALSE_RATE)
  const out = Float32Array.from(weights)
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

function aloud(epoch: number, loss: number, now: Float64Array): void {
  console.error(`epoch ${epoch + 1}: loss ${loss.toFixed(5)}, ${process.uptime().toFixed(0)} s`)
  writeFileSync('data/vad/checkpoint.f32', new Uint8Array(Float32Array.from(now).buffer))
}

function readWeights(path: string): Float32Array {
  return new Float32Array(Uint8Array.from(readFileSync(path)).buffer)
}

function main(): void {
  const { values } = parseArgs({
    options: {
      corpus: { type: 'string', default: 'data/vad/corpus.bin' },
      seed: { type: 'string', default: '20260' },
      out: { type: 'string', default: 'dsp/vad-weights.ts' },
      from: { type: 'string' },
      calibrate: { type: 'string' },
    },
  })
  const corpus = readCorpus(values.corpus)
  const from = values.from === undefined ? {} : { from: readWeights(values.from) }
  const weights =
    values.calibrate === undefined
      ? train(corpus, { seed: Number(values.seed), progress: aloud, ...from })
      : calibrated(corpus, readWeights(values.calibrate))
  const hours = Math.round((corpus.mixes * corpus.frames) / 180_000)
  const epochs = CYCLES.map((cycle) => cycle.epochs).join(' + ')
  writeFileSync(values.out, weightsSource(weights, { seed: values.seed, epochs, hours }))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
