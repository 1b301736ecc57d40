/**
 * Spectrum of 256 real samples: a 128-point complex FFT over the pairs, taken apart afterwards.
 *
 *   128 = 32 · 4: number 4·r + l is lane l of row r. 32-point transforms run down the rows in all four lanes
 *   at once, without a shuffle; then come their twiddles, and across the lanes a transform of four.
 *
 *   rows ─► radix 4 over rows 8 apart ─► radix 4 over rows 2 apart ─► radix 2 and transpose ─► radix 4 ─► 128 in order
 *
 *   work: rows re[128] im[128], result re[128] im[128]: 2 048 bytes
 */
import { FFT_ACROSS, FFT_DOWN, FFT_SPLIT_COS, FFT_SPLIT_SIN, FFT_WINDOW } from './tables'

const IM: usize = 512
const RESULT: usize = 1024
export const SPECTRUM_WORK_BYTES: usize = 2048

/** [in] 256 f32, multiplied by the Hann window; [out] 129 powers |X|² at `power`. */
export function windowedPower(samples: usize, work: usize, power: usize): void {
  for (let at: usize = 0; at < 512; at += 16) {
    const x = f32x4.mul(v128.load(samples), v128.load(FFT_WINDOW + (at << 1)))
    const y = f32x4.mul(v128.load(samples, 16), v128.load(FFT_WINDOW + (at << 1), 16))
    v128.store(work + at, v128.shuffle<f32>(x, y, 0, 2, 4, 6))
    v128.store(work + at, v128.shuffle<f32>(x, y, 1, 3, 5, 7), IM)
    samples += 32
  }
  transformRows(work)
  const half = f32x4.splat(0.5)
  const values = work + RESULT
  // Bins k and 128 − k are made of the same two values: sums and differences serve both.
  for (let at: usize = 0; at < 256; at += 16) {
    const back = values + 500 - at
    const br = at == 0 ? firstMirrored(values) : reversed(v128.load(back))
    const bi = at == 0 ? firstMirrored(values + IM) : reversed(v128.load(back, IM))
    const ar = v128.load(values + at)
    const ai = v128.load(values + at, IM)
    const er = f32x4.add(ar, br)
    const ei = f32x4.sub(ai, bi)
    const or = f32x4.add(ai, bi)
    const oi = f32x4.sub(br, ar)
    const c = v128.load(FFT_SPLIT_COS + at)
    const s = v128.load(FFT_SPLIT_SIN + at)
    const tr = f32x4.add(f32x4.mul(or, c), f32x4.mul(oi, s))
    const ti = f32x4.sub(f32x4.mul(oi, c), f32x4.mul(or, s))
    const re = f32x4.mul(f32x4.add(er, tr), half)
    const im = f32x4.mul(f32x4.add(ei, ti), half)
    const mirrorRe = f32x4.mul(f32x4.sub(er, tr), half)
    const mirrorIm = f32x4.mul(f32x4.sub(ei, ti), half)
    v128.store(power + at, f32x4.add(f32x4.mul(re, re), f32x4.mul(im, im)))
    const mirror = f32x4.add(f32x4.mul(mirrorRe, mirrorRe), f32x4.mul(mirrorIm, mirrorIm))
    // Bins 128 − k for the four k: the first round's last one is bin 128.
    v128.store(power + 500 - at, reversed(mirror))
  }
  const middleRe = load<f32>(values, 256)
  const middleIm = load<f32>(values, IM + 256)
  store<f32>(power, middleRe * middleRe + middleIm * middleIm, 256)
}

/**
 * [in] 129 values of an even spectrum, [out] its first 128 inverse coefficients (an autocorrelation), not scaled.
 */
export function autocorrelation(spectrum: usize, work: usize, out: usize): void {
  // The upper half of the 256 values mirrors the lower one.
  let back = spectrum + 484
  for (let at: usize = 0; at < 256; at += 16) {
    const x = v128.load(spectrum + (at << 1))
    const y = v128.load(spectrum + (at << 1), 16)
    v128.store(work + at, v128.shuffle<f32>(x, y, 0, 2, 4, 6))
    v128.store(work + at, v128.shuffle<f32>(x, y, 1, 3, 5, 7), IM)
    const p = v128.load(back)
    const q = v128.load(back, 16)
    v128.store(work + at, v128.shuffle<f32>(q, p, 3, 1, 7, 5), 256)
    v128.store(work + at, v128.shuffle<f32>(q, p, 2, 0, 6, 4), IM + 256)
    back -= 32
  }
  transformRows(work)
  const half = f32x4.splat(0.5)
  const values = work + RESULT
  for (let at: usize = 0; at < 256; at += 16) {
    const far = values + 500 - at
    const br = at == 0 ? firstMirrored(values) : reversed(v128.load(far))
    const bi = at == 0 ? firstMirrored(values + IM) : reversed(v128.load(far, IM))
    const ar = v128.load(values + at)
    const er = f32x4.add(ar, br)
    const or = f32x4.add(v128.load(values + at, IM), bi)
    const oi = f32x4.sub(br, ar)
    const odd = f32x4.mul(or, v128.load(FFT_SPLIT_COS + at))
    const t = f32x4.add(odd, f32x4.mul(oi, v128.load(FFT_SPLIT_SIN + at)))
    v128.store(out + at, f32x4.mul(f32x4.add(er, t), half))
    const mirror = reversed(f32x4.mul(f32x4.sub(er, t), half))
    if (at == 0) {
      // Coefficient 128 would lie behind the end.
      v128.store64_lane(out + 500, mirror, 0)
      v128.store_lane<f32>(out + 508, mirror, 2)
    } else v128.store(out + 500 - at, mirror)
  }
  store<f32>(out, load<f32>(values, 256), 256)
}

/** Values 0, 127, 126, 125: number 0 is its own mirror, and 128 lies behind the end. */
function firstMirrored(values: usize): v128 {
  const last = v128.load(values + 496)
  return v128.shuffle<f32>(v128.load(values), last, 0, 7, 6, 5)
}

function reversed(x: v128): v128 {
  return v128.shuffle<f32>(x, x, 3, 2, 1, 0)
}

/** 128-point complex FFT: [in] rows at `work`, which are used up; [out] the transform, in order, at `work` + RESULT. */
function transformRows(work: usize): void {
  eightApart(work)
  for (let at = work; at < work + 512; at += 128) twoApart(at)
  let turn = FFT_ACROSS
  const sum = i32x4.splat(0)
  const difference = i32x4.splat(0x80000000)
  for (let n: usize = 0; n < 8; n++) {
    acrossLanes(work + ((n & 3) << 5), n < 4 ? sum : difference, work + RESULT + (n << 4), turn)
    turn += 96
  }
}

/** Rows j, j + 8, j + 16, j + 24 → the same, with the twiddles of 32. */
function eightApart(work: usize): void {
  let turn = FFT_DOWN
  for (let at = work; at < work + 128; at += 16) {
    const ar = v128.load(at)
    const ai = v128.load(at, IM)
    const br = v128.load(at, 128)
    const bi = v128.load(at, IM + 128)
    const cr = v128.load(at, 256)
    const ci = v128.load(at, IM + 256)
    const dr = v128.load(at, 384)
    const di = v128.load(at, IM + 384)
    const pr = f32x4.add(ar, cr)
    const pi = f32x4.add(ai, ci)
    const qr = f32x4.sub(ar, cr)
    const qi = f32x4.sub(ai, ci)
    const rr = f32x4.add(br, dr)
    const ri = f32x4.add(bi, di)
    const sr = f32x4.sub(dr, br)
    const si = f32x4.sub(di, bi)
    v128.store(at, f32x4.add(pr, rr))
    v128.store(at, f32x4.add(pi, ri), IM)
    storeTurned(at + 128, f32x4.sub(qr, si), f32x4.add(qi, sr), turn)
    storeTurned(at + 256, f32x4.sub(pr, rr), f32x4.sub(pi, ri), turn + 8)
    storeTurned(at + 384, f32x4.add(qr, si), f32x4.sub(qi, sr), turn + 16)
    turn += 24
  }
}

/** Stores (re + i·im) · (cos − i·sin), one angle for all lanes. */
function storeTurned(to: usize, re: v128, im: v128, turn: usize): void {
  const c = v128.load32_splat(turn)
  const s = v128.load32_splat(turn, 4)
  v128.store(to, f32x4.add(f32x4.mul(re, c), f32x4.mul(im, s)))
  v128.store(to, f32x4.sub(f32x4.mul(im, c), f32x4.mul(re, s)), IM)
}

/** Eight rows: rows j, j + 2, j + 4, j + 6 → the same, with the twiddles of 8. */
function twoApart(at: usize): void {
  const turn = FFT_DOWN + 4 * 24
  for (let j: usize = 0; j < 32; j += 16) {
    const ar = v128.load(at + j)
    const ai = v128.load(at + j, IM)
    const br = v128.load(at + j, 32)
    const bi = v128.load(at + j, IM + 32)
    const cr = v128.load(at + j, 64)
    const ci = v128.load(at + j, IM + 64)
    const dr = v128.load(at + j, 96)
    const di = v128.load(at + j, IM + 96)
    const pr = f32x4.add(ar, cr)
    const pi = f32x4.add(ai, ci)
    const qr = f32x4.sub(ar, cr)
    const qi = f32x4.sub(ai, ci)
    const rr = f32x4.add(br, dr)
    const ri = f32x4.add(bi, di)
    const sr = f32x4.sub(dr, br)
    const si = f32x4.sub(di, bi)
    // j = 0 is turned by nothing: the first row of the twiddles.
    const angle = j == 0 ? FFT_DOWN : turn
    v128.store(at + j, f32x4.add(pr, rr))
    v128.store(at + j, f32x4.add(pi, ri), IM)
    storeTurned(at + j + 32, f32x4.sub(qr, si), f32x4.add(qi, sr), angle)
    storeTurned(at + j + 64, f32x4.sub(pr, rr), f32x4.sub(pi, ri), angle + 8)
    storeTurned(at + j + 96, f32x4.add(qr, si), f32x4.sub(qi, sr), angle + 16)
  }
}

/**
 * Rows 2n and 2n + 1 of all four blocks of eight, their sum or (with the second's `sign` turned) their difference: lanes 0…3 of
 * four neighbouring k → k, k + 32, k + 64, k + 96. Twiddles: cos and sin of lanes 1, 2, 3.
 */
function acrossLanes(rows: usize, sign: v128, to: usize, turn: usize): void {
  const tr = f32x4.add(v128.load(rows), v128.xor(v128.load(rows, 16), sign))
  const ur = f32x4.add(v128.load(rows, 128), v128.xor(v128.load(rows, 144), sign))
  const vr = f32x4.add(v128.load(rows, 256), v128.xor(v128.load(rows, 272), sign))
  const wr = f32x4.add(v128.load(rows, 384), v128.xor(v128.load(rows, 400), sign))
  const tur = v128.shuffle<f32>(tr, ur, 0, 4, 1, 5)
  const tuHighr = v128.shuffle<f32>(tr, ur, 2, 6, 3, 7)
  const vwr = v128.shuffle<f32>(vr, wr, 0, 4, 1, 5)
  const vwHighr = v128.shuffle<f32>(vr, wr, 2, 6, 3, 7)
  const ar = v128.shuffle<f32>(tur, vwr, 0, 1, 4, 5)
  const xr = v128.shuffle<f32>(tur, vwr, 2, 3, 6, 7)
  const yr = v128.shuffle<f32>(tuHighr, vwHighr, 0, 1, 4, 5)
  const zr = v128.shuffle<f32>(tuHighr, vwHighr, 2, 3, 6, 7)
  const ti = f32x4.add(v128.load(rows, IM), v128.xor(v128.load(rows, IM + 16), sign))
  const ui = f32x4.add(v128.load(rows, IM + 128), v128.xor(v128.load(rows, IM + 144), sign))
  const vi = f32x4.add(v128.load(rows, IM + 256), v128.xor(v128.load(rows, IM + 272), sign))
  const wi = f32x4.add(v128.load(rows, IM + 384), v128.xor(v128.load(rows, IM + 400), sign))
  const tui = v128.shuffle<f32>(ti, ui, 0, 4, 1, 5)
  const tuHighi = v128.shuffle<f32>(ti, ui, 2, 6, 3, 7)
  const vwi = v128.shuffle<f32>(vi, wi, 0, 4, 1, 5)
  const vwHighi = v128.shuffle<f32>(vi, wi, 2, 6, 3, 7)
  const ai = v128.shuffle<f32>(tui, vwi, 0, 1, 4, 5)
  const xi = v128.shuffle<f32>(tui, vwi, 2, 3, 6, 7)
  const yi = v128.shuffle<f32>(tuHighi, vwHighi, 0, 1, 4, 5)
  const zi = v128.shuffle<f32>(tuHighi, vwHighi, 2, 3, 6, 7)
  const c1 = v128.load(turn)
  const s1 = v128.load(turn, 16)
  const c2 = v128.load(turn, 32)
  const s2 = v128.load(turn, 48)
  const c3 = v128.load(turn, 64)
  const s3 = v128.load(turn, 80)
  const br = f32x4.add(f32x4.mul(xr, c1), f32x4.mul(xi, s1))
  const bi = f32x4.sub(f32x4.mul(xi, c1), f32x4.mul(xr, s1))
  const cr = f32x4.add(f32x4.mul(yr, c2), f32x4.mul(yi, s2))
  const ci = f32x4.sub(f32x4.mul(yi, c2), f32x4.mul(yr, s2))
  const dr = f32x4.add(f32x4.mul(zr, c3), f32x4.mul(zi, s3))
  const di = f32x4.sub(f32x4.mul(zi, c3), f32x4.mul(zr, s3))
  const pr = f32x4.add(ar, cr)
  const pi = f32x4.add(ai, ci)
  const qr = f32x4.sub(ar, cr)
  const qi = f32x4.sub(ai, ci)
  const rr = f32x4.add(br, dr)
  const ri = f32x4.add(bi, di)
  const sr = f32x4.sub(dr, br)
  const si = f32x4.sub(di, bi)
  v128.store(to, f32x4.add(pr, rr))
  v128.store(to, f32x4.add(pi, ri), IM)
  v128.store(to, f32x4.sub(qr, si), 128)
  v128.store(to, f32x4.add(qi, sr), IM + 128)
  v128.store(to, f32x4.sub(pr, rr), 256)
  v128.store(to, f32x4.sub(pi, ri), IM + 256)
  v128.store(to, f32x4.add(qr, si), 384)
  v128.store(to, f32x4.sub(qi, sr), IM + 384)
}
