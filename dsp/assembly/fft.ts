/**
 * Spectrum of 256 real samples: a 128-point complex FFT (decimation in time, radix 2) over the
 * pairs, taken apart afterwards. Real and imaginary parts lie in separate arrays, so stages of four
 * and more run in SIMD.
 *
 *   work: re[128] im[128], 1024 bytes
 */
import { FFT_COS, FFT_ORDER, FFT_SIN, FFT_SPLIT_COS, FFT_SPLIT_SIN, FFT_WINDOW } from './tables'

const IM: usize = 512

/**
 * [in] 256 f32, multiplied by the Hann window; [out] 129 powers |X|² at `power`. `work`: 1024
 * bytes.
 */
export function windowedPower(samples: usize, work: usize, power: usize): void {
  for (let i: usize = 0; i < 128; i += 2) {
    const at = i << 3
    const two = f32x4.mul(v128.load(samples + at), v128.load(FFT_WINDOW + at))
    const first = work + ((<usize>load<u32>(FFT_ORDER + (i << 2))) << 2)
    const second = work + ((<usize>load<u32>(FFT_ORDER + (i << 2), 4)) << 2)
    v128.store_lane<f32>(first, two, 0)
    v128.store_lane<f32>(first, two, 1, IM)
    v128.store_lane<f32>(second, two, 2)
    v128.store_lane<f32>(second, two, 3, IM)
  }
  transform(work)
  const half = f32x4.splat(0.5)
  for (let at: usize = 0; at < 512; at += 16) {
    const ar = v128.load(work + at)
    const ai = v128.load(work + at, IM)
    const br = mirrored(work, at)
    const bi = f32x4.neg(mirrored(work + IM, at))
    const er = f32x4.mul(f32x4.add(ar, br), half)
    const ei = f32x4.mul(f32x4.add(ai, bi), half)
    const or = f32x4.mul(f32x4.sub(ai, bi), half)
    const oi = f32x4.mul(f32x4.sub(br, ar), half)
    const c = v128.load(FFT_SPLIT_COS + at)
    const s = v128.load(FFT_SPLIT_SIN + at)
    const re = f32x4.add(f32x4.add(er, f32x4.mul(or, c)), f32x4.mul(oi, s))
    const im = f32x4.sub(f32x4.add(ei, f32x4.mul(oi, c)), f32x4.mul(or, s))
    v128.store(power + at, f32x4.add(f32x4.mul(re, re), f32x4.mul(im, im)))
  }
  // The Nyquist bin is the sum of bin 0 with its sign turned.
  const nyquist = load<f32>(work) - load<f32>(work, IM)
  store<f32>(power, nyquist * nyquist, 512)
}

/**
 * [in] 129 values of an even spectrum, [out] its first 128 inverse coefficients (an
 * autocorrelation), not scaled. `work`: 1024 bytes.
 */
export function autocorrelation(spectrum: usize, work: usize, out: usize): void {
  for (let i: usize = 0; i < 64; i++) {
    const from = spectrum + (i << 3)
    const odd = load<f32>(from, 4)
    const low = work + ((<usize>load<u32>(FFT_ORDER + (i << 2))) << 2)
    store<f32>(low, load<f32>(from))
    store<f32>(low, odd, IM)
    const high = work + ((<usize>load<u32>(FFT_ORDER + ((127 - i) << 2))) << 2)
    store<f32>(high, load<f32>(from, 8))
    store<f32>(high, odd, IM)
  }
  transform(work)
  const half = f32x4.splat(0.5)
  for (let at: usize = 0; at < 512; at += 16) {
    const ar = v128.load(work + at)
    const ai = v128.load(work + at, IM)
    const br = mirrored(work, at)
    const bi = f32x4.neg(mirrored(work + IM, at))
    const er = f32x4.mul(f32x4.add(ar, br), half)
    const or = f32x4.mul(f32x4.sub(ai, bi), half)
    const oi = f32x4.mul(f32x4.sub(br, ar), half)
    const odd = f32x4.mul(or, v128.load(FFT_SPLIT_COS + at))
    const even = f32x4.mul(oi, v128.load(FFT_SPLIT_SIN + at))
    v128.store(out + at, f32x4.add(f32x4.add(er, odd), even))
  }
}

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
