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
  for (let i: usize = 0; i < 128; i++) {
    const to = work + ((<usize>load<u32>(FFT_ORDER + (i << 2))) << 2)
    const at = i << 3
    store<f32>(to, load<f32>(samples + at) * load<f32>(FFT_WINDOW + at))
    store<f32>(to, load<f32>(samples + at, 4) * load<f32>(FFT_WINDOW + at, 4), IM)
  }
  transform(work)
  for (let k: usize = 0; k <= 128; k++) {
    const at = (k & 127) << 2
    const mirror = ((128 - k) & 127) << 2
    const ar = load<f32>(work + at)
    const ai = load<f32>(work + at, IM)
    const br = load<f32>(work + mirror)
    const bi = -load<f32>(work + mirror, IM)
    const er: f32 = (ar + br) * 0.5
    const ei: f32 = (ai + bi) * 0.5
    const or: f32 = (ai - bi) * 0.5
    const oi: f32 = (br - ar) * 0.5
    // k = 128 is the Nyquist bin: the twiddle of k = 0 with its sign turned.
    const c: f32 = k == 128 ? -1 : load<f32>(FFT_SPLIT_COS + at)
    const s: f32 = k == 128 ? 0 : load<f32>(FFT_SPLIT_SIN + at)
    const re = er + or * c + oi * s
    const im = ei + oi * c - or * s
    store<f32>(power + (k << 2), re * re + im * im)
  }
}

/**
 * [in] 129 values of an even spectrum, [out] its first 128 inverse coefficients (an
 * autocorrelation), not scaled. `work`: 1024 bytes.
 */
export function autocorrelation(spectrum: usize, work: usize, out: usize): void {
  for (let i: usize = 0; i < 128; i++) {
    const to = work + ((<usize>load<u32>(FFT_ORDER + (i << 2))) << 2)
    const even = i << 1
    const odd = even + 1
    store<f32>(to, load<f32>(spectrum + ((even > 128 ? 256 - even : even) << 2)))
    store<f32>(to, load<f32>(spectrum + ((odd > 128 ? 256 - odd : odd) << 2)), IM)
  }
  transform(work)
  for (let k: usize = 0; k < 128; k++) {
    const at = k << 2
    const mirror = ((128 - k) & 127) << 2
    const ar = load<f32>(work + at)
    const ai = load<f32>(work + at, IM)
    const br = load<f32>(work + mirror)
    const bi = -load<f32>(work + mirror, IM)
    const or: f32 = (ai - bi) * 0.5
    const oi: f32 = (br - ar) * 0.5
    store<f32>(
      out + at,
      (ar + br) * 0.5 + or * load<f32>(FFT_SPLIT_COS + at) + oi * load<f32>(FFT_SPLIT_SIN + at),
    )
  }
}

/** 128-point complex FFT in place; input in bit-reversed order. */
function transform(work: usize): void {
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
