/**
 * FFT: a 128-point complex transform in place (decimation in time, radix 2), whose real and imaginary parts lie in separate arrays,
 * so that stages of four and more run in SIMD. Both ways of the noise suppressor; the detector has a faster one (spectrum.ts).
 *
 *   work: re[128] im[128], 1024 bytes
 */
import { FFT_COS, FFT_SIN } from './tables'

const IM: usize = 512

/** Values (128 − k) mod 128 for the four k from `at` / 4 on. */
export function mirrored(values: usize, at: usize): v128 {
  // k = 0 is its own mirror, and 128 lies behind the end.
  if (at == 0) {
    return f32x4(
      load<f32>(values),
      load<f32>(values, 127 * 4),
      load<f32>(values, 126 * 4),
      load<f32>(values, 125 * 4),
    )
  }
  const four = v128.load(values + 500 - at)
  return v128.shuffle<f32>(four, four, 3, 2, 1, 0)
}

/** 128-point complex FFT in place; input in bit-reversed order. */
export function transform(work: usize): void {
  for (let at = work; at < work + 512; at += 16) firstTwoStages(at)
  for (let half: usize = 4; half <= 64; half <<= 1) {
    const cos = FFT_COS + ((half - 4) << 2)
    const sin = FFT_SIN + ((half - 4) << 2)
    for (let group: usize = 0; group < 128; group += half << 1) {
      for (let j: usize = 0; j < half; j += 4) {
        const low = work + ((group + j) << 2)
        const high = low + (half << 2)
        const c = v128.load(cos + (j << 2))
        const s = v128.load(sin + (j << 2))
        const hr = v128.load(high)
        const hi = v128.load(high, IM)
        const tr = f32x4.add(f32x4.mul(hr, c), f32x4.mul(hi, s))
        const ti = f32x4.sub(f32x4.mul(hi, c), f32x4.mul(hr, s))
        const lr = v128.load(low)
        const li = v128.load(low, IM)
        v128.store(low, f32x4.add(lr, tr))
        v128.store(low, f32x4.add(li, ti), IM)
        v128.store(high, f32x4.sub(lr, tr))
        v128.store(high, f32x4.sub(li, ti), IM)
      }
    }
  }
}

/** Stages of half 1 and 2 over four neighbours; their twiddles are 1 and −i. */
function firstTwoStages(at: usize): void {
  const r0 = load<f32>(at) + load<f32>(at, 4)
  const r1 = load<f32>(at) - load<f32>(at, 4)
  const r2 = load<f32>(at, 8) + load<f32>(at, 12)
  const r3 = load<f32>(at, 8) - load<f32>(at, 12)
  const i0 = load<f32>(at, IM) + load<f32>(at, IM + 4)
  const i1 = load<f32>(at, IM) - load<f32>(at, IM + 4)
  const i2 = load<f32>(at, IM + 8) + load<f32>(at, IM + 12)
  const i3 = load<f32>(at, IM + 8) - load<f32>(at, IM + 12)
  store<f32>(at, r0 + r2)
  store<f32>(at, r1 + i3, 4)
  store<f32>(at, r0 - r2, 8)
  store<f32>(at, r1 - i3, 12)
  store<f32>(at, i0 + i2, IM)
  store<f32>(at, i1 - r3, IM + 4)
  store<f32>(at, i0 - i2, IM + 8)
  store<f32>(at, i1 + r3, IM + 12)
}
