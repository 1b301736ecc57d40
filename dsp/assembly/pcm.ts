/** Linear PCM: 16-bit samples of either byte order ⇄ f32 in −1…1. */

import { N_32768, N_PCM_ROUND, N_PCM_UNIT } from './tables'

/** [in] `count` i16 little-endian (any alignment), [out] as many f32. */
export function pcmToFloat(pcm: usize, out: usize, count: i32): void {
  const scale = v128.load32_splat(N_PCM_UNIT)
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

/**
 * [in] `count` f32 (a multiple of 8) in −64…64, [out] as many i16 little-endian, rounded and
 * saturated. Rounded by addition to 1.5 · 2^23, whose last place is 1 (ties to even): the sum's low
 * bits are the integer.
 */
export function floatToPcm(samples: usize, pcm: usize, count: i32): void {
  const scale = v128.load32_splat(N_32768)
  const round = v128.load32_splat(N_PCM_ROUND)
  for (let i: usize = 0; i < <usize>count; i += 8) {
    const at = samples + (i << 2)
    const low = i32x4.sub(f32x4.add(f32x4.mul(v128.load(at), scale), round), round)
    const high = i32x4.sub(f32x4.add(f32x4.mul(v128.load(at, 16), scale), round), round)
    v128.store(pcm + (i << 1), i16x8.narrow_i32x4_s(low, high))
  }
}

/** Swaps the bytes of `count` 16-bit samples (a multiple of 8); `from` and `to` may be the same. */
export function swapBytes(from: usize, to: usize, count: i32): void {
  for (let i: usize = 0; i < (<usize>count) << 1; i += 16) {
    const x = v128.load(from + i)
    v128.store(to + i, v128.shuffle<u8>(x, x, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14))
  }
}

/** Copies `bytes` (a multiple of 16) of samples; for a few hundred bytes cheaper than memory.copy, which leaves the module. */
export function moveSamples(to: usize, from: usize, bytes: usize): void {
  for (let n: usize = 0; n < bytes; n += 16) v128.store(to + n, v128.load(from + n))
}
