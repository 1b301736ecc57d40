/** Level of a frame: RMS, peak, and how many of its samples are clipped. */
import { DETECTION_CLIPPED, DETECTION_PEAK } from './slot'
import { N_CLIPPED } from './tables'

/**
 * RMS of `count` f32 (a multiple of 4) in dBFS, −90…0; full scale is a constant ±1. [out] peak and
 * clipped samples in the record at `detection`.
 */
export function measureLevel(samples: usize, count: i32, detection: usize): f32 {
  let sum = f32x4.splat(0)
  let peak = f32x4.splat(0)
  let clipped = i32x4.splat(0)
  // The largest PCMU sample is 0.980 of full scale: what reaches 0.97 was cut off.
  const limit = v128.load32_splat(N_CLIPPED)
  for (let at = samples; at < samples + ((<usize>count) << 2); at += 16) {
    const x = v128.load(at)
    const size = f32x4.abs(x)
    sum = f32x4.add(sum, f32x4.mul(x, x))
    peak = f32x4.pmax(peak, size)
    clipped = i32x4.sub(clipped, f32x4.ge(size, limit))
  }
  const high = f32x4.pmax(peak, v128.shuffle<f32>(peak, peak, 2, 3, 0, 1))
  store<f32>(
    detection,
    max(f32x4.extract_lane(high, 0), f32x4.extract_lane(high, 1)),
    DETECTION_PEAK,
  )
  const pairs = i32x4.add(clipped, v128.shuffle<i32>(clipped, clipped, 2, 3, 0, 1))
  store<i32>(
    detection,
    i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1),
    DETECTION_CLIPPED,
  )
  const energy =
    f32x4.extract_lane(sum, 0) +
    f32x4.extract_lane(sum, 1) +
    f32x4.extract_lane(sum, 2) +
    f32x4.extract_lane(sum, 3)
  return min(max(decibels(energy / <f32>count), <f32>-90), <f32>0)
}

/** 10·log10(x) to 0.03 dB: log2 from the exponent and a cubic over the mantissa. */
function decibels(x: f32): f32 {
  if (x < 1e-10) return -100
  const bits = reinterpret<i32>(x)
  const m: f32 = reinterpret<f32>((bits & 0x007fffff) | 0x3f800000) - 1
  const log: f32 = m * (<f32>1.4249 + m * (<f32>-0.5836 + m * <f32>0.1587))
  return <f32>3.0103 * (<f32>((bits >> 23) - 127) + log)
}
