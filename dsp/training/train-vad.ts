/**
 * Trains the VAD's logistic score and prints dsp/vad-weights.ts. Reproducible: one seed, a fixed
 * number of epochs.
 *
 *   node dsp/training/train-vad.ts <directory with it, ru, es, en prompts> [<directory with music>]
 *
 * Features come from the DSP core itself, run as a PCMU line, so training sees exactly what a call
 * sees. Training voices are Italian and Russian (CC-BY-3.0); Spanish and English voices (one other
 * speaker) only measure.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { bindKernel, constant, createDspMemory } from '../host.ts'
import { Slot } from '../slot.ts'
import { loadPrompts, makeMix, seeded, type Mix } from './corpus.ts'

const SEED = 20_260
const TRAIN_MIXES = 220
const TEST_MIXES = 110
const SECONDS = 30
const EPOCHS = 14
/**
 * Sensitivity 0.5 puts the threshold at probability 0.5: there this share of silent frames may pass
 * for voiced.
 */
const TARGET_FALSE_RATE = 0.03

const dsp = await createDspMemory({ slots: 1, lists: 1 })
const kernel = bindKernel(dsp.share)
const slot = new Slot(dsp, 0)
const floats = new Float32Array(dsp.share.memory.buffer)
const bytes = new Uint8Array(dsp.share.memory.buffer)
const COUNT = constant(dsp.layout, 'FEATURE_COUNT')
const featuresAt =
  (dsp.regions.scratch + constant(dsp.layout, 'SCRATCH_FFT') + constant(dsp.layout, 'FEATURES')) >>
  2

interface Rows {
  x: Float32Array
  y: Int8Array
  hand: Float32Array
}

/** Runs a mix through the PCMU user chain; keeps the scored frames. */
function featuresOf(mix: Mix, rows: number[][], labels: number[], hand: number[]): void {
  slot.open(
    { codec: 'PCMU', lineRateHz: 8_000, ttsRateHz: 8_000 },
    { vadSensitivity: 0.5, bed: 'none', bedGain: 0 },
  )
  dsp.writeList(0, [0])
  const scratch = dsp.regions.scratch
  for (let f = 0; f < mix.labels.length; f++) {
    floats.set(mix.samples.subarray(f * 160, f * 160 + 160), scratch >> 2)
    dsp.functions.encodeMulaw(scratch, scratch + 1_024, 160)
    slot.pushPayload(bytes.slice(scratch + 1_024, scratch + 1_024 + 160))
    kernel.run(0, 1)
    slot.drain((d) => hand.push(d.probability))
    const label = mix.labels[f] ?? -1
    if (label < 0) {
      hand.pop()
      continue
    }
    rows.push([...floats.subarray(featuresAt, featuresAt + COUNT)])
    labels.push(label)
  }
}

function collect(o: Parameters<typeof makeMix>[0], mixes: number, seed: number): Rows {
  const random = seeded(seed)
  const rows: number[][] = []
  const labels: number[] = []
  const hand: number[] = []
  for (let m = 0; m < mixes; m++) featuresOf(makeMix(o, random), rows, labels, hand)
  return {
    x: Float32Array.from(rows.flat()),
    y: Int8Array.from(labels),
    hand: Float32Array.from(hand),
  }
}

function scoreOf(x: Float32Array, row: number, w: Float64Array): number {
  let sum = w[COUNT] ?? 0
  for (let i = 0; i < COUNT; i++) sum += (w[i] ?? 0) * (x[row * COUNT + i] ?? 0)
  return sum
}

/** Adam on the logistic loss; classes weighted evenly. */
function train(rows: Rows): Float64Array {
  const random = seeded(SEED)
  const n = rows.y.length
  const positive = rows.y.reduce((s, v) => s + v, 0) / n
  const w = new Float64Array(COUNT + 1)
  const m = new Float64Array(COUNT + 1)
  const v = new Float64Array(COUNT + 1)
  let t = 0
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    const rate = 0.01 * 0.8 ** epoch
    for (let batch = 0; batch < n / 256; batch++) {
      const gradient = new Float64Array(COUNT + 1)
      for (let k = 0; k < 256; k++) {
        const row = Math.floor(random() * n)
        const y = rows.y[row] ?? 0
        const p = 1 / (1 + Math.exp(-scoreOf(rows.x, row, w)))
        const e = (p - y) * (y === 1 ? 0.5 / positive : 0.5 / (1 - positive))
        for (let i = 0; i < COUNT; i++)
          gradient[i] = (gradient[i] ?? 0) + e * (rows.x[row * COUNT + i] ?? 0)
        gradient[COUNT] = (gradient[COUNT] ?? 0) + e
      }
      t++
      for (let i = 0; i <= COUNT; i++) {
        const g = (gradient[i] ?? 0) / 256
        m[i] = 0.9 * (m[i] ?? 0) + 0.1 * g
        v[i] = 0.999 * (v[i] ?? 0) + 0.001 * g * g
        w[i] =
          (w[i] ?? 0) -
          (rate * (m[i] ?? 0)) / (1 - 0.9 ** t) / (Math.sqrt((v[i] ?? 0) / (1 - 0.999 ** t)) + 1e-8)
      }
    }
  }
  return w
}

interface Figures {
  auc: number
  tprAt5: number
  thresholdAtTarget: number
}

function measure(scores: Float64Array, y: Int8Array): Figures {
  const order = [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0))
  const positives = y.reduce((s, v) => s + v, 0)
  const negatives = y.length - positives
  let tp = 0
  let fp = 0
  let area = 0
  let tprAt5 = 0
  let threshold = 0
  for (const row of order) {
    if (y[row] === 1) tp++
    else {
      fp++
      area += tp
      if (fp / negatives <= 0.05) tprAt5 = tp / positives
      if (fp / negatives <= TARGET_FALSE_RATE) threshold = scores[row] ?? 0
    }
  }
  return { auc: area / positives / negatives, tprAt5, thresholdAtTarget: threshold }
}

const directory = process.argv[2] ?? '.'
const musicDirectory = process.argv[3]
const set = (name: string): Float32Array[] => loadPrompts(join(directory, name), { longestSec: 8 })
const [it, ru, es, en] = [set('it'), set('ru'), set('es'), set('en')]
const music =
  musicDirectory !== undefined && existsSync(musicDirectory)
    ? loadPrompts(musicDirectory, { longestSec: 1_000 })
    : []

const trainRows = collect(
  { seconds: SECONDS, speech: [...it, ...ru], others: ru, music },
  TRAIN_MIXES,
  SEED,
)
const testRows = collect(
  { seconds: SECONDS, speech: [...es, ...en], others: it, music },
  TEST_MIXES,
  SEED + 1,
)
const weights = train(trainRows)
const scores = (rows: Rows): Float64Array =>
  Float64Array.from(rows.y, (_, row) => scoreOf(rows.x, row, weights))
const onTrain = measure(scores(trainRows), trainRows.y)
const onTest = measure(scores(testRows), testRows.y)
console.error('before', measure(Float64Array.from(testRows.hand), testRows.y))
console.error('train', onTrain, 'test', onTest, 'frames', trainRows.y.length, testRows.y.length)
weights[COUNT] = (weights[COUNT] ?? 0) - onTrain.thresholdAtTarget
console.log([...weights].map((w) => w.toFixed(4)).join(', '))
