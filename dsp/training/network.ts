/**
 * The VAD's network in plain TypeScript: the forward pass of assembly/vad-network.ts, and back-
 * propagation through time. The weights are one array, in the order the product reads them:
 * W1 b1 Wx bx Wh bh wo bo, matrices input by input, gates r z n side by side.
 */
import { gauss, type Random } from './random.ts'

export const INPUTS = 52
export const UNITS = 24
const GATES = 3 * UNITS
const DENSE = 0
const DENSE_BIAS = DENSE + INPUTS * UNITS
const INPUT = DENSE_BIAS + UNITS
const INPUT_BIAS = INPUT + UNITS * GATES
const HIDDEN = INPUT_BIAS + GATES
const HIDDEN_BIAS = HIDDEN + UNITS * GATES
const OUT = HIDDEN_BIAS + GATES
const OUT_BIAS = OUT + UNITS
export const WEIGHTS = OUT_BIAS + 1

/** Glorot's variance for the matrices, and gates that start out remembering. */
export function newWeights(random: Random): Float64Array {
  const w = new Float64Array(WEIGHTS)
  const fill = (from: number, count: number, deviation: number): void => {
    for (let i = from; i < from + count; i++) w[i] = deviation * gauss(random)
  }
  fill(DENSE, INPUTS * UNITS, Math.sqrt(2 / (INPUTS + UNITS)))
  fill(INPUT, UNITS * GATES, Math.sqrt(1 / UNITS))
  fill(HIDDEN, UNITS * GATES, Math.sqrt(0.5 / UNITS))
  fill(OUT, UNITS, Math.sqrt(1 / UNITS))
  w.fill(1, INPUT_BIAS + UNITS, INPUT_BIAS + 2 * UNITS)
  return w
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x))
}

/** to[k] += x · from[at + k] over all of `to`, whose length is a multiple of 4. */
function addScaled(to: Float64Array, from: Float64Array, at: number, x: number): void {
  for (let k = 0; k < to.length; k += 4) {
    to[k]! += x * from[at + k]!
    to[k + 1]! += x * from[at + k + 1]!
    to[k + 2]! += x * from[at + k + 2]!
    to[k + 3]! += x * from[at + k + 3]!
  }
}

/**
 * gradient[at + k] += x · d[k] over all of `d`; returns Σ weights[at + k] · d[k]. Four sums, so that
 * they need not wait for each other.
 */
function outerAndBack(o: Matrices, at: number, x: number, d: Float64Array): number {
  const { gradient, weights } = o
  let [s0, s1, s2, s3] = [0, 0, 0, 0]
  for (let k = 0; k < d.length; k += 4) {
    const [d0, d1, d2, d3] = [d[k]!, d[k + 1]!, d[k + 2]!, d[k + 3]!]
    gradient[at + k]! += x * d0
    gradient[at + k + 1]! += x * d1
    gradient[at + k + 2]! += x * d2
    gradient[at + k + 3]! += x * d3
    s0 += weights[at + k]! * d0
    s1 += weights[at + k + 1]! * d1
    s2 += weights[at + k + 2]! * d2
    s3 += weights[at + k + 3]! * d3
  }
  return s0 + s1 + (s2 + s3)
}

interface Matrices {
  gradient: Float64Array
  weights: Float64Array
}

/**
 * Runs the network over stretches of up to `steps` frames and gathers gradients. One object serves
 * one thread; its memory is laid out once.
 */
export class Stretch {
  readonly gradient = new Float64Array(WEIGHTS)
  readonly #w: Float64Array
  readonly #both: Matrices
  readonly #a: Float64Array
  readonly #r: Float64Array
  readonly #z: Float64Array
  readonly #n: Float64Array
  readonly #recall: Float64Array
  /** Hidden states, one before the first frame. */
  readonly #h: Float64Array
  readonly probability: Float64Array
  readonly #gx = new Float64Array(GATES)
  readonly #gh = new Float64Array(GATES)
  readonly #sum = new Float64Array(UNITS)

  constructor(weights: Float64Array, steps: number) {
    this.#w = weights
    this.#both = { gradient: this.gradient, weights }
    const rows = (): Float64Array => new Float64Array(steps * UNITS)
    this.#a = rows()
    this.#r = rows()
    this.#z = rows()
    this.#n = rows()
    this.#recall = rows()
    this.#h = new Float64Array((steps + 1) * UNITS)
    this.probability = new Float64Array(steps)
  }

  /** `x` holds `count` frames from `at` on; `state` is read, and left as it is after the last. */
  forward(x: Float32Array, at: number, count: number, state: Float64Array): void {
    this.#h.set(state)
    for (let t = 0; t < count; t++) this.#step(x, at + t * INPUTS, t)
    state.set(this.#h.subarray(count * UNITS, (count + 1) * UNITS))
  }

  #step(x: Float32Array, at: number, t: number): void {
    const w = this.#w
    const sum = this.#sum
    const gx = this.#gx
    const gh = this.#gh
    const u = t * UNITS
    for (let k = 0; k < UNITS; k++) sum[k] = w[DENSE_BIAS + k]!
    for (let i = 0; i < INPUTS; i++) {
      addScaled(sum, w, DENSE + i * UNITS, x[at + i]!)
    }
    for (let k = 0; k < GATES; k++) {
      gx[k] = w[INPUT_BIAS + k]!
      gh[k] = w[HIDDEN_BIAS + k]!
    }
    for (let i = 0; i < UNITS; i++) {
      const a = sum[i]! > 0 ? sum[i]! : 0
      this.#a[u + i] = a
      if (a > 0) addScaled(gx, w, INPUT + i * GATES, a)
      addScaled(gh, w, HIDDEN + i * GATES, this.#h[u + i]!)
    }
    let score = w[OUT_BIAS]!
    for (let k = 0; k < UNITS; k++) {
      const r = sigmoid(gx[k]! + gh[k]!)
      const z = sigmoid(gx[UNITS + k]! + gh[UNITS + k]!)
      const recall = gh[2 * UNITS + k]!
      const n = Math.tanh(gx[2 * UNITS + k]! + r * recall)
      const h = n + z * (this.#h[u + k]! - n)
      this.#r[u + k] = r
      this.#z[u + k] = z
      this.#n[u + k] = n
      this.#recall[u + k] = recall
      this.#h[u + UNITS + k] = h
      score += h * w[OUT + k]!
    }
    this.probability[t] = sigmoid(score)
  }

  /**
   * Adds the gradient of the cross entropy of the frames run last. `errors[t]` is what weighs on the
   * score of frame t: (probability − label) times its weight, 0 where nothing is scored.
   */
  backward(x: Float32Array, at: number, count: number, errors: Float64Array): void {
    const g = this.gradient
    const w = this.#w
    const dh = new Float64Array(UNITS)
    for (let t = count - 1; t >= 0; t--) {
      const u = t * UNITS
      const error = errors[t]!
      g[OUT_BIAS]! += error
      for (let k = 0; k < UNITS; k++) {
        g[OUT + k]! += error * this.#h[u + UNITS + k]!
        dh[k]! += error * w[OUT + k]!
      }
      this.#gateGradients(u, dh)
      this.#matrixGradients(u, dh)
      this.#denseGradients(x, at + t * INPUTS)
    }
  }

  /** From dh: what reaches each gate; leaves in dh the part that flows straight back. */
  #gateGradients(u: number, dh: Float64Array): void {
    const gx = this.#gx
    const gh = this.#gh
    for (let k = 0; k < UNITS; k++) {
      const [r, z, n] = [this.#r[u + k]!, this.#z[u + k]!, this.#n[u + k]!]
      const d = dh[k]!
      const dn = d * (1 - z) * (1 - n * n)
      const dz = d * (this.#h[u + k]! - n) * z * (1 - z)
      const dr = dn * this.#recall[u + k]! * r * (1 - r)
      gx[k] = dr
      gx[UNITS + k] = dz
      gx[2 * UNITS + k] = dn
      gh[k] = dr
      gh[UNITS + k] = dz
      gh[2 * UNITS + k] = dn * r
      dh[k] = d * z
    }
  }

  #matrixGradients(u: number, dh: Float64Array): void {
    const g = this.gradient
    const gx = this.#gx
    const gh = this.#gh
    for (let k = 0; k < GATES; k++) {
      g[INPUT_BIAS + k]! += gx[k]!
      g[HIDDEN_BIAS + k]! += gh[k]!
    }
    const both = this.#both
    for (let i = 0; i < UNITS; i++) {
      dh[i]! += outerAndBack(both, HIDDEN + i * GATES, this.#h[u + i]!, gh)
      const a = this.#a[u + i]!
      this.#sum[i] = a > 0 ? outerAndBack(both, INPUT + i * GATES, a, gx) : 0
    }
  }

  #denseGradients(x: Float32Array, at: number): void {
    const g = this.gradient
    const sum = this.#sum
    for (let k = 0; k < UNITS; k++) g[DENSE_BIAS + k]! += sum[k]!
    for (let i = 0; i < INPUTS; i++) {
      const from = DENSE + i * UNITS
      const value = x[at + i]!
      for (let k = 0; k < UNITS; k += 4) {
        g[from + k]! += value * sum[k]!
        g[from + k + 1]! += value * sum[k + 1]!
        g[from + k + 2]! += value * sum[k + 2]!
        g[from + k + 3]! += value * sum[k + 3]!
      }
    }
  }
}

/** Adam (Kingma and Ba 2015), with the gradient's length held at 5. */
export class Adam {
  readonly #m = new Float64Array(WEIGHTS)
  readonly #v = new Float64Array(WEIGHTS)
  #t = 0

  step(w: Float64Array, gradient: Float64Array, rate: number): void {
    this.#t++
    let square = 0
    for (const g of gradient) square += g * g
    const scale = Math.min(1, 5 / (Math.sqrt(square) + 1e-12))
    const bias1 = 1 - 0.9 ** this.#t
    const bias2 = 1 - 0.999 ** this.#t
    for (let i = 0; i < WEIGHTS; i++) {
      const g = gradient[i]! * scale
      const m = 0.9 * this.#m[i]! + 0.1 * g
      const v = 0.999 * this.#v[i]! + 0.001 * g * g
      this.#m[i] = m
      this.#v[i] = v
      w[i]! -= (rate * m) / bias1 / (Math.sqrt(v / bias2) + 1e-8)
    }
  }
}
