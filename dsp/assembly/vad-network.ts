/**
 * The VAD's network: 44 features → 24 (rectified) → gated recurrent unit of 24 → 1, f32.
 *
 *   x = max(0, W1·features + b1)
 *   r, z = σ(Wx·x + bx + Wh·h + bh)      n = tanh(Wx·x + bx + r·(Wh·h + bh))
 *   h = n + z·(h − n)                    probability = σ(wo·h + bo)
 *
 * 4 705 weights, written into the tables at start (dsp/vad-weights.ts) in the order W1 b1 Wx bx Wh
 * bh wo bo. A matrix is stored input by input, so that one input times a run of 24 outputs is six
 * vector multiplications and nothing is summed across lanes. Sums are taken in this order
 * everywhere, so the result is the same on every machine.
 */
import { FEATURE_COUNT, FEATURES, VAD_NETWORK_SCRATCH, VAD_NETWORK_STATE } from './vad-features'
import { SCRATCH_FFT, VAD_WEIGHTS } from './tables'

const UNITS: i32 = 24
const ROW: usize = 96
const GATES: usize = 3 * ROW

// Weights, from VAD_WEIGHTS.
const DENSE: usize = 0
const DENSE_BIAS: usize = DENSE + 44 * ROW
const INPUT: usize = DENSE_BIAS + ROW
const INPUT_BIAS: usize = INPUT + 24 * GATES
const HIDDEN: usize = INPUT_BIAS + GATES
const HIDDEN_BIAS: usize = HIDDEN + 24 * GATES
const OUT: usize = HIDDEN_BIAS + GATES
const OUT_BIAS: usize = OUT + ROW

/** [in] FEATURES in scratch; [in/out] the hidden state in the slot → probability of speech. */
export function scoreFeatures(slot: usize, scratch: usize): f32 {
  const hidden = slot + VAD_NETWORK_STATE
  const features = scratch + SCRATCH_FFT + FEATURES
  const x = scratch + SCRATCH_FFT + VAD_NETWORK_SCRATCH
  const reset = x + ROW
  const update = reset + ROW
  const fresh = update + ROW
  const recall = fresh + ROW
  memory.copy(x, VAD_WEIGHTS + DENSE_BIAS, ROW)
  project(features, FEATURE_COUNT, VAD_WEIGHTS + DENSE, ROW, x)
  for (let at: usize = 0; at < ROW; at += 16) {
    v128.store(x + at, f32x4.max(v128.load(x + at), f32x4.splat(0)))
  }
  memory.copy(reset, VAD_WEIGHTS + INPUT_BIAS, GATES)
  memory.copy(recall, VAD_WEIGHTS + HIDDEN_BIAS + 2 * ROW, ROW)
  project(x, UNITS, VAD_WEIGHTS + INPUT, GATES, reset)
  project(x, UNITS, VAD_WEIGHTS + INPUT + ROW, GATES, update)
  project(x, UNITS, VAD_WEIGHTS + INPUT + 2 * ROW, GATES, fresh)
  project(hidden, UNITS, VAD_WEIGHTS + HIDDEN, GATES, reset)
  project(hidden, UNITS, VAD_WEIGHTS + HIDDEN + ROW, GATES, update)
  project(hidden, UNITS, VAD_WEIGHTS + HIDDEN + 2 * ROW, GATES, recall)
  let sum = f32x4.splat(0)
  for (let at: usize = 0; at < ROW; at += 16) {
    const hiddenBias = VAD_WEIGHTS + HIDDEN_BIAS + at
    const r = sigmoid(f32x4.add(v128.load(reset + at), v128.load(hiddenBias)))
    const z = sigmoid(f32x4.add(v128.load(update + at), v128.load(hiddenBias + ROW)))
    const inner = f32x4.add(v128.load(fresh + at), f32x4.mul(r, v128.load(recall + at)))
    const n = tanh(inner)
    const h = f32x4.add(n, f32x4.mul(z, f32x4.sub(v128.load(hidden + at), n)))
    v128.store(hidden + at, h)
    sum = f32x4.add(sum, f32x4.mul(h, v128.load(VAD_WEIGHTS + OUT + at)))
  }
  const score =
    f32x4.extract_lane(sum, 0) +
    f32x4.extract_lane(sum, 1) +
    (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3)) +
    load<f32>(VAD_WEIGHTS + OUT_BIAS)
  return f32x4.extract_lane(sigmoid(f32x4.splat(score)), 0)
}

/** Adds `count` inputs times their rows of 24 weights, `stride` bytes apart, to 24 sums at `out`. */
function project(input: usize, count: i32, weights: usize, stride: usize, out: usize): void {
  let a = v128.load(out)
  let b = v128.load(out, 16)
  let c = v128.load(out, 32)
  let d = v128.load(out, 48)
  let e = v128.load(out, 64)
  let f = v128.load(out, 80)
  for (let i: i32 = 0; i < count; i++) {
    const x = v128.load32_splat(input)
    a = f32x4.add(a, f32x4.mul(x, v128.load(weights)))
    b = f32x4.add(b, f32x4.mul(x, v128.load(weights, 16)))
    c = f32x4.add(c, f32x4.mul(x, v128.load(weights, 32)))
    d = f32x4.add(d, f32x4.mul(x, v128.load(weights, 48)))
    e = f32x4.add(e, f32x4.mul(x, v128.load(weights, 64)))
    f = f32x4.add(f, f32x4.mul(x, v128.load(weights, 80)))
    input += 4
    weights += stride
  }
  v128.store(out, a)
  v128.store(out, b, 16)
  v128.store(out, c, 32)
  v128.store(out, d, 48)
  v128.store(out, e, 64)
  v128.store(out, f, 80)
}

/** 1 / (1 + e^−x) to 3e-6. */
function sigmoid(x: v128): v128 {
  const one = f32x4.splat(1)
  return f32x4.div(one, f32x4.add(one, exp2(f32x4.mul(x, f32x4.splat(-1.442695)))))
}

function tanh(x: v128): v128 {
  const twice = sigmoid(f32x4.add(x, x))
  return f32x4.sub(f32x4.add(twice, twice), f32x4.splat(1))
}

/** 2^x to 3e-6 for |x| ≤ 60, which is where a larger x is held: the series of e^(x ln 2). */
function exp2(x: v128): v128 {
  const held = f32x4.max(f32x4.min(x, f32x4.splat(60)), f32x4.splat(-60))
  const whole = f32x4.nearest(held)
  const f = f32x4.sub(held, whole)
  let series = f32x4.splat(0.0013333558)
  series = f32x4.add(f32x4.mul(series, f), f32x4.splat(0.009618129))
  series = f32x4.add(f32x4.mul(series, f), f32x4.splat(0.05550411))
  series = f32x4.add(f32x4.mul(series, f), f32x4.splat(0.2402265))
  series = f32x4.add(f32x4.mul(series, f), f32x4.splat(0.6931472))
  series = f32x4.add(f32x4.mul(series, f), f32x4.splat(1))
  const exponent = i32x4.add(i32x4.trunc_sat_f32x4_s(whole), i32x4.splat(127))
  return f32x4.mul(series, i32x4.shl(exponent, 23))
}
