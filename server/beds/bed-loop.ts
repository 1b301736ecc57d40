/**
 * From any audio to a bed: 16 kHz, as loud as the built-in ones, and without a seam.
 *
 *   samples ─► 16 kHz ─► less its mean ─► end faded over the start ─► level ─► loop ─┬─► 16 kHz
 *                                                                                    └─► 8 kHz, filtered around the circle
 *
 * What lies behind the loop's end is faded over its start, at equal power: the last sample is
 * followed by the one that followed it in the recording.
 */
import { lowPass } from '../../dsp/filters.ts'
import type { BedLoops } from '../../dsp/uploaded-beds.ts'
import { BedError } from './wav-file.ts'

export const BED_RATE_HZ = 16_000
export const LONGEST_BED_SEC = 300
const SHORTEST_BED_SEC = 2
/** Of the beds that come with Andrea: −26 dBFS. */
const LOOP_RMS = 0.05
/** A recording of single loud knocks stays below this, and is quieter for it. */
const HIGHEST_PEAK = 0.7
/** −65 dBFS: below, there is nothing but the noise of a converter. */
const SILENT_RMS = 5.6e-4
const FADE_SEC = 1

/** @throws BedError BED_TOO_SHORT, BED_SILENT */
export function makeLoop(samples: Float32Array, rateHz: number): Int16Array {
  if (samples.length < SHORTEST_BED_SEC * rateHz) {
    const sec = (samples.length / rateHz).toFixed(1)
    throw new BedError(
      'BED_TOO_SHORT',
      `The audio lasts ${sec} s; a bed needs ${SHORTEST_BED_SEC} s.`,
      'A loop of half a minute does not tire the ear.',
    )
  }
  const loop = closeCircle(withoutMean(atBedRate(samples, rateHz)))
  const rms = Math.sqrt(loop.reduce((sum, x) => sum + x * x, 0) / loop.length)
  if (rms < SILENT_RMS) {
    throw new BedError('BED_SILENT', 'The file holds nothing but silence.', 'Choose another file.')
  }
  const peak = loop.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  const gain = Math.min(LOOP_RMS / rms, HIGHEST_PEAK / peak)
  return Int16Array.from(loop, (x) => Math.round(x * gain * 32_767))
}

/** The loop at every rate that a line may have. */
export function loopsOf(loop: Int16Array): BedLoops {
  return { 8_000: halved(loop), 16_000: loop }
}

function withoutMean(samples: Float32Array): Float32Array {
  const mean = samples.reduce((sum, x) => sum + x, 0) / samples.length
  return samples.map((x) => x - mean)
}

function closeCircle(samples: Float32Array): Float32Array {
  const fade = Math.min(FADE_SEC * BED_RATE_HZ, Math.floor(samples.length / 4))
  // 16 samples here are 8 at 8 kHz, which is what the mixer takes at a time.
  const length = (samples.length - fade) & ~15
  return Float32Array.from({ length }, (_, n) => {
    const x = samples[n] ?? 0
    if (n >= fade) return x
    const angle = ((n + 0.5) / fade) * (Math.PI / 2)
    return x * Math.sin(angle) + (samples[length + n] ?? 0) * Math.cos(angle)
  })
}

/** Lobes of the sinc on each side, and its steps between two samples. */
const LOBES = 24
const STEPS = 256

/** A windowed sinc, cut at the lower of both rates. */
function atBedRate(samples: Float32Array, rateHz: number): Float32Array {
  if (rateHz === BED_RATE_HZ) return samples
  const cutoff = 0.94 * Math.min(1, BED_RATE_HZ / rateHz)
  const reach = Math.ceil(LOBES / cutoff)
  const kernel = Float32Array.from({ length: reach * STEPS + 2 }, (_, i) => {
    const t = i / STEPS
    const x = Math.PI * cutoff * t
    const window = t >= reach ? 0 : 0.5 + 0.5 * Math.cos((Math.PI * t) / reach)
    return cutoff * window * (x === 0 ? 1 : Math.sin(x) / x)
  })
  const step = rateHz / BED_RATE_HZ
  const out = new Float32Array(Math.floor((samples.length * BED_RATE_HZ) / rateHz))
  for (let n = 0; n < out.length; n++) {
    const at = n * step
    const last = Math.min(samples.length - 1, Math.floor(at) + reach)
    let sum = 0
    for (let m = Math.max(0, Math.ceil(at) - reach); m <= last; m++) {
      const place = Math.abs(at - m) * STEPS
      const low = Math.floor(place)
      const part = place - low
      const weight = (kernel[low] ?? 0) * (1 - part) + (kernel[low + 1] ?? 0) * part
      sum += (samples[m] ?? 0) * weight
    }
    out[n] = sum
  }
  return out
}

function halved(loop: Int16Array): Int16Array {
  const taps = lowPass(96, 3_800 / BED_RATE_HZ)
  const { length } = loop
  return Int16Array.from({ length: length / 2 }, (_, n) => {
    let sum = 0
    for (let t = 0; t < taps.length; t++) {
      sum += (taps[t] ?? 0) * (loop[(n * 2 + t - 48 + length) % length] ?? 0)
    }
    return Math.round(Math.max(-32_768, Math.min(32_767, sum)))
  })
}
