/** Linear PCM: 16-bit little-endian samples ⇄ f32 in −1…1. */

/** [in] `count` i16 (any alignment), [out] as many f32. */
export function pcmToFloat(pcm: usize, out: usize, count: i32): void {
  const scale = f32x4.splat(<f32>(1.0 / 32768.0))
  const blocks = count & ~3
  for (let i = 0; i < blocks; i += 4) {
    const wide = i32x4.extend_low_i16x8_s(v128.load64_zero(pcm + ((<usize>i) << 1)))
    v128.store(out + ((<usize>i) << 2), f32x4.mul(f32x4.convert_i32x4_s(wide), scale))
  }
  for (let i = blocks; i < count; i++) {
    store<f32>(
      out + ((<usize>i) << 2),
      <f32>load<i16>(pcm + ((<usize>i) << 1)) * <f32>(1.0 / 32768.0),
    )
  }
}

/** [in] `count` f32 (a multiple of 8), [out] as many i16, rounded and saturated. */
export function floatToPcm(samples: usize, pcm: usize, count: i32): void {
  const scale = f32x4.splat(32768)
  for (let i: usize = 0; i < <usize>count; i += 8) {
    const at = samples + (i << 2)
    const low = f32x4.nearest(f32x4.mul(v128.load(at), scale))
    const high = f32x4.nearest(f32x4.mul(v128.load(at, 16), scale))
    v128.store(
      pcm + (i << 1),
      i16x8.narrow_i32x4_s(i32x4.trunc_sat_f32x4_s(low), i32x4.trunc_sat_f32x4_s(high)),
    )
  }
}
