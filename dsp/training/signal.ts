/** Small operations on 8 kHz audio that the corpora are made of. */
import { between, type Random } from './random.ts'

export const RATE_HZ = 8_000

export function gainOf(db: number): number {
  return 10 ** (db / 20)
}

export function rms(x: Float32Array): number {
  let sum = 1e-18
  for (const v of x) sum += v * v
  return Math.sqrt(sum / x.length)
}

/** Adds `what` times `gain` to `to` from `at` on (which may be negative); the rest is cut. */
export function addAt(to: Float32Array, what: Float32Array, at: number, gain: number): void {
  const last = Math.min(what.length, to.length - at)
  for (let n = Math.max(0, -at); n < last; n++) {
    to[at + n] = (to[at + n] ?? 0) + (what[n] ?? 0) * gain
  }
}

/** Played `speed` times as fast, pitch and all: more voices out of few. Cubic interpolation. */
export function atSpeed(x: Float32Array, speed: number): Float32Array {
  const out = new Float32Array(Math.max(0, Math.floor((x.length - 3) / speed)))
  for (let n = 0; n < out.length; n++) {
    const at = n * speed + 1
    const i = Math.floor(at)
    const f = at - i
    const [a, b, c, d] = [x[i - 1] ?? 0, x[i] ?? 0, x[i + 1] ?? 0, x[i + 2] ?? 0]
    out[n] = b + 0.5 * f * (c - a + f * (2 * a - 5 * b + 4 * c - d + f * (3 * (b - c) + d - a)))
  }
  return out
}

/** A made room: 6 early reflections and a tail of 40 that falls by 60 dB in 0.12 to 0.6 s. */
export function inRoom(x: Float32Array, random: Random): Float32Array {
  const decaySec = between(random, 0.12, 0.6)
  const wet = between(random, 0.1, 0.7)
  const out = Float32Array.from(x)
  for (let tap = 0; tap < 46; tap++) {
    const sec = tap < 6 ? between(random, 0.002, 0.03) : decaySec * 0.6 * random() ** 1.5 + 0.01
    const gain = wet * 10 ** ((-3 * sec) / decaySec) * (random() < 0.5 ? -1 : 1)
    addAt(out, x, Math.round(sec * RATE_HZ), gain * (tap < 6 ? 0.5 : 0.22))
  }
  return out
}

/** Two shelves and a high-pass by chance: handsets, distances, lines. In place. */
export function throughHandset(x: Float32Array, random: Random): void {
  const tilt = between(random, -0.7, 0.7)
  const cut = random() < 0.4 ? between(random, 0.05, 0.22) : 0
  let low = 0
  let last = 0
  for (let n = 0; n < x.length; n++) {
    const v = x[n] ?? 0
    low += cut * (v - low)
    const high = v - low
    x[n] = high - tilt * last
    last = high
  }
}
