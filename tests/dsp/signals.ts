/** Signals for the DSP tests, all from seeds and formulas, so that every run hears the same. */

/** mulberry32, 0…1. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export function dbToGain(db: number): number {
  return 10 ** (db / 20)
}

/** White noise, Gaussian enough (sum of 6), with this RMS. */
export function noise(samples: number, o: { rmsDbfs: number; seed: number }): Float32Array {
  const random = seeded(o.seed)
  const gain = dbToGain(o.rmsDbfs) / Math.sqrt(0.5)
  return Float32Array.from({ length: samples }, () => {
    let sum = -3
    for (let k = 0; k < 6; k++) sum += random()
    return sum * gain
  })
}

export function tone(
  samples: number,
  o: { hz: number; rateHz: number; peak: number },
): Float32Array {
  return Float32Array.from(
    { length: samples },
    (_, n) => o.peak * Math.sin((2 * Math.PI * o.hz * n) / o.rateHz),
  )
}

/**
 * A voice without words: a glottal pulse train of moving pitch through three formants that change
 * every syllable of 180 ms, with a fade of 20 ms at both ends. RMS about `rmsDbfs` over its length.
 */
export function voice(
  samples: number,
  o: { rateHz: number; rmsDbfs: number; seed: number },
): Float32Array {
  const random = seeded(o.seed)
  const out = new Float32Array(samples)
  const basePitchHz = 100 + 110 * random()
  const syllable = Math.round(o.rateHz * 0.18)
  let formants = [500, 1_500, 2_500]
  const y = [0, 0, 0, 0, 0, 0]
  let phase = 0
  for (let n = 0; n < samples; n++) {
    if (n % syllable === 0) formants = [300 + 500 * random(), 900 + 1_200 * random(), 2_500]
    const t = n / o.rateHz
    const pitch = basePitchHz * (1 + 0.12 * Math.sin(2 * Math.PI * 1.3 * t))
    phase += pitch / o.rateHz
    let x = 0
    if (phase >= 1) {
      phase -= 1
      x = 1
    }
    x += (random() - 0.5) * 0.02
    let sum = 0
    formants.forEach((hz, f) => {
      const r = Math.exp((-Math.PI * 90) / o.rateHz)
      const next =
        x +
        2 * r * Math.cos((2 * Math.PI * hz) / o.rateHz) * (y[2 * f] ?? 0) -
        r * r * (y[2 * f + 1] ?? 0)
      y[2 * f + 1] = y[2 * f] ?? 0
      y[2 * f] = next
      sum += next / (f + 1)
    })
    const inSyllable = (n % syllable) / syllable
    out[n] = sum * (0.4 + 0.6 * Math.sin(Math.PI * inSyllable))
  }
  const fade = Math.round(o.rateHz * 0.02)
  for (let n = 0; n < fade; n++) {
    out[n] = (out[n] ?? 0) * (n / fade)
    out[samples - 1 - n] = (out[samples - 1 - n] ?? 0) * (n / fade)
  }
  const rms = Math.sqrt(out.reduce((s, x) => s + x * x, 0) / samples)
  return out.map((x) => (x * dbToGain(o.rmsDbfs)) / rms)
}

export function mix(a: Float32Array, b: Float32Array, atSample: number): Float32Array {
  const out = Float32Array.from(a)
  for (let n = 0; n < b.length && atSample + n < out.length; n++) {
    out[atSample + n] = (out[atSample + n] ?? 0) + (b[n] ?? 0)
  }
  return out
}

export function toPcm(samples: Float32Array): Int16Array {
  return Int16Array.from(samples, (x) =>
    Math.max(-32_768, Math.min(32_767, Math.round(x * 32_768))),
  )
}

/** L16 bytes of the samples. */
export function toL16(samples: Float32Array): Uint8Array {
  return new Uint8Array(toPcm(samples).buffer)
}

export function rms(samples: ArrayLike<number>, from = 0, to = samples.length): number {
  let sum = 0
  for (let n = from; n < to; n++) sum += (samples[n] ?? 0) ** 2
  return Math.sqrt(sum / (to - from))
}

export function toDb(gain: number): number {
  return 20 * Math.log10(Math.max(gain, 1e-12))
}

/** Amplitude of the component at `hz` over whole `samples` (Hann-weighted correlation). */
export function amplitudeAt(samples: ArrayLike<number>, hz: number, rateHz: number): number {
  let re = 0
  let im = 0
  let weight = 0
  for (let n = 0; n < samples.length; n++) {
    const w = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / samples.length)
    re += w * (samples[n] ?? 0) * Math.cos((2 * Math.PI * hz * n) / rateHz)
    im += w * (samples[n] ?? 0) * Math.sin((2 * Math.PI * hz * n) / rateHz)
    weight += w
  }
  return (2 * Math.hypot(re, im)) / weight
}
