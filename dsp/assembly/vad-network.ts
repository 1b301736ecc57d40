/**
 * The VAD's network: 52 features → 24 (rectified) → gated recurrent unit of 24 → 1, f32.
 *
 *   x = max(0, W1·features + b1)
 *   r, z = σ(Wx·x + bx + Wh·h + bh)      n = tanh(Wx·x + bx + r·(Wh·h + bh))
 *   h = n + z·(h − n)                    probability = σ(wo·h + bo)
 *
 * 4 897 weights, written into the tables at start (dsp/vad-weights.ts) in the order W1 b1 Wx bx Wh
 * bh wo bo. A matrix is stored input by input, so that one input times a run of 24 outputs is six
 * vector multiplications and nothing is summed across lanes. Sums are taken in this order
 * everywhere, so the result is the same on every machine.
 */
import { FEATURE_COUNT, FEATURES, VAD_NETWORK_SCRATCH, VAD_NETWORK_STATE } from './vad-features'
import {
  N_60,
  N_EXP_1,
  N_EXP_2,
  N_EXP_3,
  N_EXP_4,
  N_MINUS_60,
  N_MINUS_LOG2_E,
  N_ONE,
  N_PCM_ROUND,
  SCRATCH_FFT,
  VAD_WEIGHTS,
} from './tables'

const UNITS: usize = 24
const ROW: usize = 96
const GATES: usize = 3 * ROW

// Weights, from VAD_WEIGHTS.
const DENSE: usize = 0
const DENSE_BIAS: usize = DENSE + 52 * ROW
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
  const inputs = VAD_WEIGHTS + INPUT
  const memory = VAD_WEIGHTS + HIDDEN
  // The features in two halves, whose sums are added afterwards.
  const half = (<usize>FEATURE_COUNT) << 1
  const dense = VAD_WEIGHTS + DENSE
  for (let at: usize = 0; at < ROW; at += 16) {
    v128.store(reset + at, v128.load(VAD_WEIGHTS + DENSE_BIAS + at))
    v128.store(update + at, f32x4.splat(0))
  }
  project(features, features + half, features + half, dense, dense + half * UNITS, ROW, reset)
  for (let at: usize = 0; at < ROW; at += 16) {
    const sum = f32x4.add(v128.load(reset + at), v128.load(update + at))
    v128.store(x + at, f32x4.max(sum, f32x4.splat(0)))
    v128.store(reset + at, v128.load(VAD_WEIGHTS + INPUT_BIAS + at))
    v128.store(update + at, v128.load(VAD_WEIGHTS + INPUT_BIAS + ROW + at))
    v128.store(fresh + at, v128.load(VAD_WEIGHTS + INPUT_BIAS + 2 * ROW + at))
    v128.store(recall + at, v128.load(VAD_WEIGHTS + HIDDEN_BIAS + 2 * ROW + at))
  }
  project(x, x + ROW, x, inputs, inputs + ROW, GATES, reset)
  project(hidden, hidden + ROW, hidden, memory, memory + ROW, GATES, reset)
  project(x, x + ROW, hidden, inputs + 2 * ROW, memory + 2 * ROW, GATES, fresh)
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

/**
 * Two vectors times a matrix each: to the 24 sums at `out` the inputs `one`…`end` times their rows of 24 weights at `first`, to
 * the 24 behind them those at `two` times the rows at `second`. Rows are `stride` bytes apart. Twelve sums hide each other's wait.
 */
function project(
  one: usize,
  end: usize,
  two: usize,
  first: usize,
  second: usize,
  stride: usize,
  out: usize,
): void {
  let a = v128.load(out)
  let b = v128.load(out, 16)
  let c = v128.load(out, 32)
  let d = v128.load(out, 48)
  let e = v128.load(out, 64)
  let f = v128.load(out, 80)
  let g = v128.load(out, 96)
  let h = v128.load(out, 112)
  let i = v128.load(out, 128)
  let j = v128.load(out, 144)
  let k = v128.load(out, 160)
  let l = v128.load(out, 176)
  while (one < end) {
    const x = v128.load32_splat(one)
    const y = v128.load32_splat(two)
    a = f32x4.add(a, f32x4.mul(x, v128.load(first)))
    b = f32x4.add(b, f32x4.mul(x, v128.load(first, 16)))
    c = f32x4.add(c, f32x4.mul(x, v128.load(first, 32)))
    d = f32x4.add(d, f32x4.mul(x, v128.load(first, 48)))
    e = f32x4.add(e, f32x4.mul(x, v128.load(first, 64)))
    f = f32x4.add(f, f32x4.mul(x, v128.load(first, 80)))
    g = f32x4.add(g, f32x4.mul(y, v128.load(second)))
    h = f32x4.add(h, f32x4.mul(y, v128.load(second, 16)))
    i = f32x4.add(i, f32x4.mul(y, v128.load(second, 32)))
    j = f32x4.add(j, f32x4.mul(y, v128.load(second, 48)))
    k = f32x4.add(k, f32x4.mul(y, v128.load(second, 64)))
    l = f32x4.add(l, f32x4.mul(y, v128.load(second, 80)))
    first += stride
    second += stride
    const nextX = v128.load32_splat(one, 4)
    const nextY = v128.load32_splat(two, 4)
    a = f32x4.add(a, f32x4.mul(nextX, v128.load(first)))
    b = f32x4.add(b, f32x4.mul(nextX, v128.load(first, 16)))
    c = f32x4.add(c, f32x4.mul(nextX, v128.load(first, 32)))
    d = f32x4.add(d, f32x4.mul(nextX, v128.load(first, 48)))
    e = f32x4.add(e, f32x4.mul(nextX, v128.load(first, 64)))
    f = f32x4.add(f, f32x4.mul(nextX, v128.load(first, 80)))
    g = f32x4.add(g, f32x4.mul(nextY, v128.load(second)))
    h = f32x4.add(h, f32x4.mul(nextY, v128.load(second, 16)))
    i = f32x4.add(i, f32x4.mul(nextY, v128.load(second, 32)))
    j = f32x4.add(j, f32x4.mul(nextY, v128.load(second, 48)))
    k = f32x4.add(k, f32x4.mul(nextY, v128.load(second, 64)))
    l = f32x4.add(l, f32x4.mul(nextY, v128.load(second, 80)))
    first += stride
    second += stride
    one += 8
    two += 8
  }
  v128.store(out, a)
  v128.store(out, b, 16)
  v128.store(out, c, 32)
  v128.store(out, d, 48)
  v128.store(out, e, 64)
  v128.store(out, f, 80)
  v128.store(out, g, 96)
  v128.store(out, h, 112)
  v128.store(out, i, 128)
  v128.store(out, j, 144)
  v128.store(out, k, 160)
  v128.store(out, l, 176)
}

/** 1 / (1 + e^−x) to 3e-6. */
function sigmoid(x: v128): v128 {
  const one = v128.load32_splat(N_ONE)
  const power = exp2(f32x4.mul(x, v128.load32_splat(N_MINUS_LOG2_E)))
  return f32x4.div(one, f32x4.add(one, power))
}

function tanh(x: v128): v128 {
  const twice = sigmoid(f32x4.add(x, x))
  return f32x4.sub(f32x4.add(twice, twice), v128.load32_splat(N_ONE))
}

/**
 * 2^x to 3e-6 for |x| ≤ 60, which is where a larger x is held. Added to 1.5 · 2^23 a number is rounded, and the sum's low
 * bits are the integer; the polynomial is the one with the least error over −½…½ of those that are 1 at 0.
 */
function exp2(x: v128): v128 {
  const round = v128.load32_splat(N_PCM_ROUND)
  const held = f32x4.max(f32x4.min(x, v128.load32_splat(N_60)), v128.load32_splat(N_MINUS_60))
  const whole = f32x4.add(held, round)
  const f = f32x4.sub(held, f32x4.sub(whole, round))
  let series = f32x4.mul(f, v128.load32_splat(N_EXP_4))
  series = f32x4.mul(f, f32x4.add(series, v128.load32_splat(N_EXP_3)))
  series = f32x4.mul(f, f32x4.add(series, v128.load32_splat(N_EXP_2)))
  series = f32x4.mul(f, f32x4.add(series, v128.load32_splat(N_EXP_1)))
  const one = v128.load32_splat(N_ONE)
  // The bits of 1 are the exponent's bias.
  return f32x4.mul(f32x4.add(series, one), i32x4.add(i32x4.shl(whole, 23), one))
}
