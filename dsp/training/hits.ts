/** Hits: what a knock, a key or a drum sounds like; a noise by itself, and the beat of made music. */
import { between, gauss, type Random } from './random.ts'
import { RATE_HZ } from './signal.ts'

/** A knock, a key, a drum: a resonance or a burst of noise that dies within 10 to 200 ms. */
export interface Hit {
  samples: number
  step: number
  noisy: number
  gain: number
}

export function anyHit(random: Random): Hit {
  return {
    samples: Math.floor(RATE_HZ * between(random, 0.01, 0.2)),
    step: (2 * Math.PI * between(random, 60, 3_000)) / RATE_HZ,
    noisy: random(),
    gain: between(random, 1, 6),
  }
}

export function addHit(out: Float32Array, o: { at: number; hit: Hit; random: Random }): void {
  const { samples, step, noisy, gain } = o.hit
  for (let n = 0; n < samples && o.at + n < out.length; n++) {
    const x = noisy * gauss(o.random) + (1 - noisy) * Math.sin(n * step)
    out[o.at + n] = (out[o.at + n] ?? 0) + gain * Math.exp((-5 * n) / samples) * x
  }
}
