/**
 * Resampler: any telephone or speech rate to any other, one 20 ms block at a time.
 *
 *   ×2   half-band   out: FIR, copy, FIR, copy …            half of the taps of a half-band filter are 0
 *   ÷2   half-band   even ─► ×½ ┐
 *                    odd ─► FIR ┴─► +
 *   ×3   third-band  out: FIR, mirrored FIR, copy …         both from the sums and differences of mirrored samples
 *   ÷3   third-band  every third sample ─► ×⅓ ┐
 *                    the others ─► mirrored FIRs ┴─► +
 *   ×2 ÷2 strict     an even number of taps, none of them 0: sums and differences, or two folded filters
 *   ÷6 ×6            third-band at 24 kHz, and a short half-band between 24 and 48 kHz
 *   else             polyphase: L phases of K taps          44.1 kHz's relatives, and 16 ⇄ 24 kHz
 *
 * Symmetric filters add mirrored samples before they multiply, four outputs per vector. Each output is the same sum in
 * the same order wherever it lies in a block, so any split of a stream gives the same bits. The only state is the input
 * that lies in front of the block: the plan's `history` samples. Design of the filters and their figures: dsp/tables.ts.
 */

/** A plan, i32: kind, up, down, taps, history, three free; then f32 coefficients. */
export const PLAN_KIND: usize = 0
export const PLAN_UP: usize = 4
export const PLAN_DOWN: usize = 8
export const PLAN_TAPS: usize = 12
export const PLAN_HISTORY: usize = 16
export const PLAN_HEADER_BYTES: usize = 32

export const KIND_POLYPHASE: i32 = 0
export const KIND_DOUBLE: i32 = 1
export const KIND_HALVE: i32 = 2
export const KIND_TRIPLE: i32 = 3
export const KIND_THIRD: i32 = 4
export const KIND_SIXTH: i32 = 5
export const KIND_SIXFOLD: i32 = 6
export const KIND_STRICT_DOUBLE: i32 = 7
export const KIND_STRICT_HALVE: i32 = 8

/** Between 24 and 48 kHz, where nothing lies between 4.6 and 19.4 kHz: 19 taps, 10 of them at odd places. */
export const SHORT_TAPS: i32 = 10

/**
 * [in] a block at `input`, preceded by the plan's history; [out] `count` f32, and up to 60 more of no meaning behind them.
 * [work] RESAMPLER_WORK_BYTES.
 */
export function resample(plan: usize, input: usize, out: usize, count: i32, work: usize): void {
  const kind = load<i32>(plan, PLAN_KIND)
  const taps = load<i32>(plan, PLAN_TAPS)
  const filter = plan + PLAN_HEADER_BYTES
  if (kind == KIND_DOUBLE) double(filter, taps, input, out, (count + 1) >> 1)
  else if (kind == KIND_HALVE) halve(filter, taps, input, out, count, work)
  else if (kind == KIND_TRIPLE) triple(filter, taps, input, out, (count + 2) / 3)
  else if (kind == KIND_THIRD) third(filter, taps, input, out, count, work)
  else if (kind == KIND_SIXTH) sixth(filter, taps, input, out, count, work)
  else if (kind == KIND_SIXFOLD) sixfold(filter, taps, input, out, count, work)
  else if (kind == KIND_STRICT_DOUBLE) strictDouble(filter, taps, input, out, (count + 1) >> 1)
  else if (kind == KIND_STRICT_HALVE) strictHalve(filter, taps, input, out, count, work)
  else polyphase(plan, input, out, count)
}

function at(base: usize, sample: i32): usize {
  return base + <usize>((<isize>sample) << 2)
}

/** The sums of one filter tap over 16 neighbouring outputs live in four vectors; a loop body keeps them in registers. */
function double(filter: usize, taps: i32, input: usize, out: usize, count: i32): void {
  const half = filter + ((<usize>taps) << 1)
  for (let n = 0; n < count; n += 16) {
    let a = f32x4.splat(0)
    let b = f32x4.splat(0)
    let c = f32x4.splat(0)
    let d = f32x4.splat(0)
    let low = at(input, n - taps + 1)
    let high = at(input, n)
    for (let tap = filter; tap < half; tap += 4) {
      const k = v128.load32_splat(tap)
      a = f32x4.add(a, f32x4.mul(k, f32x4.add(v128.load(low), v128.load(high))))
      b = f32x4.add(b, f32x4.mul(k, f32x4.add(v128.load(low, 16), v128.load(high, 16))))
      c = f32x4.add(c, f32x4.mul(k, f32x4.add(v128.load(low, 32), v128.load(high, 32))))
      d = f32x4.add(d, f32x4.mul(k, f32x4.add(v128.load(low, 48), v128.load(high, 48))))
      low += 4
      high -= 4
    }
    const middle = at(input, n - (taps >> 1) + 1)
    const to = at(out, n << 1)
    storePairs(to, a, v128.load(middle))
    storePairs(to + 32, b, v128.load(middle, 16))
    storePairs(to + 64, c, v128.load(middle, 32))
    storePairs(to + 96, d, v128.load(middle, 48))
  }
}

/** Coefficients: taps / 2 pairs (sum, difference) of the two phases, which mirror each other: S + D and S − D. */
function strictDouble(filter: usize, taps: i32, input: usize, out: usize, count: i32): void {
  const end = filter + ((<usize>taps) << 2)
  for (let n = 0; n < count; n += 8) {
    let sumA = f32x4.splat(0)
    let sumB = f32x4.splat(0)
    let differenceA = f32x4.splat(0)
    let differenceB = f32x4.splat(0)
    let low = at(input, n - taps + 1)
    let high = at(input, n)
    for (let tap = filter; tap < end; tap += 8) {
      const s = v128.load32_splat(tap)
      const d = v128.load32_splat(tap, 4)
      const lowA = v128.load(low)
      const highA = v128.load(high)
      const lowB = v128.load(low, 16)
      const highB = v128.load(high, 16)
      sumA = f32x4.add(sumA, f32x4.mul(s, f32x4.add(lowA, highA)))
      sumB = f32x4.add(sumB, f32x4.mul(s, f32x4.add(lowB, highB)))
      differenceA = f32x4.add(differenceA, f32x4.mul(d, f32x4.sub(lowA, highA)))
      differenceB = f32x4.add(differenceB, f32x4.mul(d, f32x4.sub(lowB, highB)))
      low += 4
      high -= 4
    }
    const to = at(out, n << 1)
    storePairs(to, f32x4.add(sumA, differenceA), f32x4.sub(sumA, differenceA))
    storePairs(to + 32, f32x4.add(sumB, differenceB), f32x4.sub(sumB, differenceB))
  }
}

/**
 * `taps` alike in pairs: h[j] for input 2n − j and for 2n − taps + 1 + j, of which one lies at an even place and one at an odd
 * place. Coefficients: h[0], h[2] … then h[1], h[3] …, a quarter of the taps each.
 */
function strictHalve(
  filter: usize,
  taps: i32,
  input: usize,
  out: usize,
  count: i32,
  work: usize,
): void {
  const half = taps >> 1
  const rows = (count + 15) & ~15
  const length = (rows + half + 3) & ~3
  const even = work
  const odd = at(work, length)
  partEvenAndOdd(at(input, -taps), even, odd, length)
  const second = filter + ((<usize>half) << 1)
  const end = second + ((<usize>half) << 1)
  foldedRows(out, rows, filter, second, even, odd, at(even, half), 0)
  foldedRows(out, rows, second, end, out, at(even, 1), at(odd, half - 1), 1)
}

function storePairs(to: usize, first: v128, second: v128): void {
  v128.store(to, v128.shuffle<f32>(first, second, 0, 4, 1, 5))
  v128.store(to, v128.shuffle<f32>(first, second, 2, 6, 3, 7), 16)
}

/** Samples of even and of odd place from `from` on, `length` of each, a multiple of 4. */
function partEvenAndOdd(from: usize, even: usize, odd: usize, length: i32): void {
  for (let n = 0; n < length; n += 4) {
    const x = v128.load(at(from, n << 1))
    const y = v128.load(at(from, n << 1), 16)
    v128.store(at(even, n), v128.shuffle<f32>(x, y, 0, 2, 4, 6))
    v128.store(at(odd, n), v128.shuffle<f32>(x, y, 1, 3, 5, 7))
  }
}

function halve(filter: usize, taps: i32, input: usize, out: usize, count: i32, work: usize): void {
  const rows = (count + 15) & ~15
  const length = (rows + taps + 3) & ~3
  const even = work
  const odd = at(work, length)
  partEvenAndOdd(at(input, -2 * taps), even, odd, length)
  const end = filter + ((<usize>taps) << 1)
  const middle = at(even, (taps >> 1) + 1)
  foldedRows(out, rows, filter, end, middle, at(odd, 1), at(odd, taps), 0.5)
}

/** Coefficients: taps / 2 pairs (sum, difference), for phase 0 = S + D and phase 1 = S − D. */
function triple(filter: usize, taps: i32, input: usize, out: usize, count: i32): void {
  const end = filter + ((<usize>taps) << 2)
  for (let n = 0; n < count; n += 8) {
    let sumA = f32x4.splat(0)
    let sumB = f32x4.splat(0)
    let differenceA = f32x4.splat(0)
    let differenceB = f32x4.splat(0)
    let low = at(input, n - taps + 1)
    let high = at(input, n)
    for (let tap = filter; tap < end; tap += 8) {
      const s = v128.load32_splat(tap)
      const d = v128.load32_splat(tap, 4)
      const lowA = v128.load(low)
      const highA = v128.load(high)
      const lowB = v128.load(low, 16)
      const highB = v128.load(high, 16)
      sumA = f32x4.add(sumA, f32x4.mul(s, f32x4.add(lowA, highA)))
      sumB = f32x4.add(sumB, f32x4.mul(s, f32x4.add(lowB, highB)))
      differenceA = f32x4.add(differenceA, f32x4.mul(d, f32x4.sub(lowA, highA)))
      differenceB = f32x4.add(differenceB, f32x4.mul(d, f32x4.sub(lowB, highB)))
      low += 4
      high -= 4
    }
    const middle = at(input, n - (taps >> 1) + 1)
    const to = at(out, n * 3)
    storeTriples(to, f32x4.add(sumA, differenceA), f32x4.sub(sumA, differenceA), v128.load(middle))
    storeTriples(
      to + 48,
      f32x4.add(sumB, differenceB),
      f32x4.sub(sumB, differenceB),
      v128.load(middle, 16),
    )
  }
}

function storeTriples(to: usize, p: v128, q: v128, r: v128): void {
  // p0 q0 r0 p1 · q1 r1 p2 q2 · r2 p3 q3 r3
  const pq = v128.shuffle<f32>(p, q, 0, 4, 1, 5)
  const pqHigh = v128.shuffle<f32>(p, q, 2, 6, 3, 7)
  v128.store(to, v128.shuffle<f32>(pq, r, 0, 1, 4, 2))
  v128.store(to, v128.shuffle<f32>(v128.shuffle<f32>(pq, r, 3, 5, 3, 5), pqHigh, 0, 1, 4, 5), 16)
  v128.store(to, v128.shuffle<f32>(r, pqHigh, 2, 6, 7, 3), 32)
}

function third(filter: usize, taps: i32, input: usize, out: usize, count: i32, work: usize): void {
  const rows = (count + 15) & ~15
  const length = (rows + taps + 3) & ~3
  const s0 = work
  const s1 = at(work, length)
  const s2 = at(work, 2 * length)
  const from = at(input, -3 * taps)
  for (let n = 0; n < length; n += 4) {
    const x = v128.load(at(from, n * 3))
    const y = v128.load(at(from, n * 3), 16)
    const z = v128.load(at(from, n * 3), 32)
    // x0 x1 x2 x3 · y0 y1 y2 y3 · z0 z1 z2 z3: samples 0…11
    const xy = v128.shuffle<f32>(x, y, 0, 3, 6, 6)
    v128.store(at(s0, n), v128.shuffle<f32>(xy, z, 0, 1, 2, 5))
    const xy1 = v128.shuffle<f32>(x, y, 1, 4, 7, 7)
    v128.store(at(s1, n), v128.shuffle<f32>(xy1, z, 0, 1, 2, 6))
    const xy2 = v128.shuffle<f32>(x, y, 2, 5, 5, 5)
    v128.store(at(s2, n), v128.shuffle<f32>(xy2, z, 0, 1, 4, 7))
  }
  const end = filter + ((<usize>taps) << 2)
  const middle = at(s0, (taps >> 1) + 1)
  foldedRows(out, rows, filter, end, middle, at(s1, 1), at(s2, taps), <f32>(1.0 / 3.0))
}

/** 48 → 8 kHz. `filter` holds the third-band filter, then the short half-band one. */
function sixth(filter: usize, taps: i32, input: usize, out: usize, count: i32, work: usize): void {
  const before = 3 * taps
  const rows = (count + 15) & ~15
  const narrow = work
  const short = at(filter, taps)
  const rest = at(work, before + 3 * rows + 32)
  halve(short, SHORT_TAPS, at(input, -2 * before), narrow, before + 3 * rows, rest)
  third(filter, taps, at(narrow, before), out, count, rest)
}

/** 8 → 48 kHz. `filter` as in sixth. */
function sixfold(
  filter: usize,
  taps: i32,
  input: usize,
  out: usize,
  count: i32,
  work: usize,
): void {
  // Four samples earlier: 12 at 24 kHz, of which the short filter needs 9.
  const rows = (count + 5) / 6
  triple(filter, taps, at(input, -4), work, rows + 4)
  double(at(filter, taps), SHORT_TAPS, at(work, 12), out, rows * 3)
}

/**
 * out[n] = Σ taps[n·M mod L][t] · in[⌊n·M / L⌋ − K + 1 + t]. Phases are stored time-reversed; all ratios divide a 20 ms
 * block evenly, so a block starts in phase 0.
 */
function polyphase(plan: usize, input: usize, out: usize, count: i32): void {
  const up = load<i32>(plan, PLAN_UP)
  const down = load<i32>(plan, PLAN_DOWN)
  const phaseBytes: usize = (<usize>load<i32>(plan, PLAN_TAPS)) << 2
  const first = plan + PLAN_HEADER_BYTES
  const whole: usize = (<usize>(down / up)) << 2
  const part = down % up
  let x = input - phaseBytes + 4
  let phase = 0
  for (let n = 0; n < count; n += 4) {
    const x0 = x
    const c0 = first + <usize>phase * phaseBytes
    x += whole
    phase += part
    if (phase >= up) {
      phase -= up
      x += 4
    }
    const x1 = x
    const c1 = first + <usize>phase * phaseBytes
    x += whole
    phase += part
    if (phase >= up) {
      phase -= up
      x += 4
    }
    const x2 = x
    const c2 = first + <usize>phase * phaseBytes
    x += whole
    phase += part
    if (phase >= up) {
      phase -= up
      x += 4
    }
    const x3 = x
    const c3 = first + <usize>phase * phaseBytes
    x += whole
    phase += part
    if (phase >= up) {
      phase -= up
      x += 4
    }
    let a = f32x4.splat(0)
    let b = f32x4.splat(0)
    let c = f32x4.splat(0)
    let d = f32x4.splat(0)
    for (let t: usize = 0; t < phaseBytes; t += 16) {
      a = f32x4.add(a, f32x4.mul(v128.load(x0 + t), v128.load(c0 + t)))
      b = f32x4.add(b, f32x4.mul(v128.load(x1 + t), v128.load(c1 + t)))
      c = f32x4.add(c, f32x4.mul(v128.load(x2 + t), v128.load(c2 + t)))
      d = f32x4.add(d, f32x4.mul(v128.load(x3 + t), v128.load(c3 + t)))
    }
    v128.store(at(out, n), sumOfEach(a, b, c, d))
  }
}

/** [Σa, Σb, Σc, Σd]. */
export function sumOfEach(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 1, 4, 5), v128.shuffle<f32>(a, b, 2, 3, 6, 7))
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 1, 4, 5), v128.shuffle<f32>(c, d, 2, 3, 6, 7))
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 2, 4, 6), v128.shuffle<f32>(ab, cd, 1, 3, 5, 7))
}

/**
 * A filter whose taps are alike in pairs, for `rows` outputs, sixteen at a time: `centre` · middle, plus each coefficient of
 * `filter`…`end` times the sum of one sample upwards from `low` and one downwards from `high`.
 */
function foldedRows(
  out: usize,
  rows: i32,
  filter: usize,
  end: usize,
  middle: usize,
  low: usize,
  high: usize,
  centre: f32,
): void {
  const weight = f32x4.splat(centre)
  for (let n = 0; n < rows; n += 16) {
    const from = at(middle, n)
    let a = f32x4.mul(weight, v128.load(from))
    let b = f32x4.mul(weight, v128.load(from, 16))
    let c = f32x4.mul(weight, v128.load(from, 32))
    let d = f32x4.mul(weight, v128.load(from, 48))
    let up = at(low, n)
    let down = at(high, n)
    for (let tap = filter; tap < end; tap += 4) {
      const k = v128.load32_splat(tap)
      a = f32x4.add(a, f32x4.mul(k, f32x4.add(v128.load(up), v128.load(down))))
      b = f32x4.add(b, f32x4.mul(k, f32x4.add(v128.load(up, 16), v128.load(down, 16))))
      c = f32x4.add(c, f32x4.mul(k, f32x4.add(v128.load(up, 32), v128.load(down, 32))))
      d = f32x4.add(d, f32x4.mul(k, f32x4.add(v128.load(up, 48), v128.load(down, 48))))
      up += 4
      down -= 4
    }
    const to = at(out, n)
    v128.store(to, a)
    v128.store(to, b, 16)
    v128.store(to, c, 32)
    v128.store(to, d, 48)
  }
}
