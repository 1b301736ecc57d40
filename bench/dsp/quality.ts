/** Quality of a resampler, measured from outside with tones, the same way for everybody. */
import type { ResamplerPeer } from './peers.ts'

export interface ResamplerQuality {
  /** Largest deviation from 0 dB between 300 and 3 400 Hz. */
  rippleDb: number
  /** How far images or aliases from 4.6 kHz on lie below the tone, dB. */
  imageDb: number
}

type Open = () => Promise<ResamplerPeer> | ResamplerPeer

/** `open` gives a fresh resampler for every tone; images and aliases count from `stopHz` on. */
export async function resamplerQuality(
  open: Open,
  { fromHz, toHz, stopHz = 4_600 }: { fromHz: number; toHz: number; stopHz?: number },
): Promise<ResamplerQuality> {
  let ripple = 0
  let image = 200
  for (let hz = 300; hz <= 3_400; hz += 155) {
    const out = await play(await open(), hz, { fromHz, toHz })
    ripple = Math.max(ripple, Math.abs(decibels(amplitude(out, hz, toHz) / 0.5)))
  }
  for (let hz = 300; toHz > fromHz && hz <= fromHz - stopHz; hz += 155) {
    const out = await play(await open(), hz, { fromHz, toHz })
    image = Math.min(image, -decibels(amplitude(out, fromHz - hz, toHz) / 0.5))
  }
  for (let hz = stopHz; fromHz > toHz && hz < fromHz / 2; hz += 340) {
    const out = await play(await open(), hz, { fromHz, toHz })
    const folded = Math.min(hz % toHz, toHz - (hz % toHz))
    image = Math.min(image, -decibels(amplitude(out, folded, toHz) / 0.5))
  }
  return { rippleDb: ripple, imageDb: image }
}

async function play(
  resampler: ResamplerPeer,
  hz: number,
  rates: { fromHz: number; toHz: number },
): Promise<Float32Array> {
  const block = new Float32Array(rates.fromHz / 50)
  const out: number[] = []
  for (let b = 0; b < 30; b++) {
    for (let n = 0; n < block.length; n++) {
      block[n] = 0.5 * Math.sin((2 * Math.PI * hz * (b * block.length + n)) / rates.fromHz)
    }
    out.push(...resampler.convert(block))
  }
  return Float32Array.from(out.slice(rates.toHz / 10))
}

/** By a Hann-weighted correlation. */
function amplitude(samples: Float32Array, hz: number, rateHz: number): number {
  let [re, im, weight] = [0, 0, 0]
  for (let n = 0; n < samples.length; n++) {
    const w = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / samples.length)
    re += w * (samples[n] ?? 0) * Math.cos((2 * Math.PI * hz * n) / rateHz)
    im += w * (samples[n] ?? 0) * Math.sin((2 * Math.PI * hz * n) / rateHz)
    weight += w
  }
  return (2 * Math.hypot(re, im)) / weight
}

function decibels(gain: number): number {
  return 20 * Math.log10(Math.max(gain, 1e-10))
}
