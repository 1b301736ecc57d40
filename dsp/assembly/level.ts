/** Level of a frame. */

/** RMS of `count` f32 (a multiple of 4) in dBFS, −90…0; full scale is a constant ±1. */
export function levelDbfs(samples: usize, count: i32): f32 {
  let sum = f32x4.splat(0)
  for (let at = samples; at < samples + ((<usize>count) << 2); at += 16) {
    const x = v128.load(at)
    sum = f32x4.add(sum, f32x4.mul(x, x))
  }
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
