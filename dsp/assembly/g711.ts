/**
 * G.711, both laws, bit-exact with ITU-T G.191 (ulaw_compress, alaw_compress and their inverses),
 * without a table and without a loop over segments: an IEEE 754 number already holds the segment in
 * its exponent and the step in the top four bits of its mantissa. Sixteen samples at a time.
 *
 *   µ-law   |x + ½| / 4 + 33  ─► bits >> 19 ─► less a constant: segment · 16 + step
 *   A-law   |x + ½| / 16 ─► the same from segment 1 on; segment 0 is as straight as segment 1, so
 *           min(16, ⌊ ⌋) is added to what lies above it
 *
 * What the shift drops are the bits that G.191 drops. G.191 takes the one's complement of negative
 * samples, |x| − 1, which is |x + ½| − ½ for both signs; that last half never reaches a next step.
 * It also rounds: the borders between codes lie half-way between 16-bit samples. Decoding puts the
 * code into the upper 16 bits of a float, eight at a time.
 *
 * relaxed_madd may round once or twice; a product with a power of two is exact, so both are the same.
 * The constants are loaded: engines build a constant vector anew in every round of a loop.
 */
import {
  N_2048,
  N_33,
  N_33_UNITS,
  N_8192,
  N_EIGHTH,
  N_QUARTER,
  N_SIXTEENTH_HALF,
  N_ZERO,
  POWERS_OF_TWO,
} from './tables'

/** (127 + 5) << 4: exponent of the lowest µ-law segment (32…63), biased as in IEEE 754. */
const MULAW_BASE: i32 = 132 << 4
/** (127 + 4) << 4: magnitudes 16…31 are A-law segment 1, whose exponent is 4. */
const ALAW_BASE: i32 = 131 << 4

/** [in] `count` f32 (a multiple of 16) in −128…128, rounded to 16 bits and saturated; [out] codes. */
export function encodeMulaw(samples: usize, payload: usize, count: i32): void {
  const nothing = load<i32>(N_ZERO)
  const scale = v128.load32_splat(N_8192)
  const half = v128.load32_splat(N_EIGHTH)
  const bias = v128.load32_splat(N_33)
  // Inverted on the line: the loudest code is 0, and what lies beyond saturates there.
  const most = i16x8.splat(<i16>(MULAW_BASE + 127 + nothing))
  const signs = i8x16.splat(<i8>(128 + nothing))
  const end = payload + <usize>count
  let at = samples
  for (let to = payload; to < end; to += 16) {
    const a = f32x4.relaxed_madd(v128.load(at), scale, half)
    const b = f32x4.relaxed_madd(v128.load(at, 16), scale, half)
    const c = f32x4.relaxed_madd(v128.load(at, 32), scale, half)
    const d = f32x4.relaxed_madd(v128.load(at, 48), scale, half)
    const low = i16x8.sub_sat_u(most, mulawCurve(a, b, bias))
    const high = i16x8.sub_sat_u(most, mulawCurve(c, d, bias))
    // The sign bit is 1 for positive samples.
    const sign = v128.andnot(signs, signsOf(a, b, c, d))
    v128.store(to, v128.or(i8x16.narrow_i16x8_u(low, high), sign))
    at += 64
  }
}

function mulawCurve(a: v128, b: v128, bias: v128): v128 {
  return i16x8.narrow_i32x4_s(
    i32x4.shr_u(f32x4.add(f32x4.abs(a), bias), 19),
    i32x4.shr_u(f32x4.add(f32x4.abs(b), bias), 19),
  )
}

/** Narrowing saturates the bits of a float by its sign: bit 7 of each byte is the sign. */
function signsOf(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d))
}

/** [in] `count` f32 (a multiple of 16) in −128…128, rounded to 16 bits and saturated; [out] codes. */
export function encodeAlaw(samples: usize, payload: usize, count: i32): void {
  const nothing = load<i32>(N_ZERO)
  const scale = v128.load32_splat(N_2048)
  const half = v128.load32_splat(N_SIXTEENTH_HALF)
  const base = i16x8.splat(<i16>(ALAW_BASE + nothing))
  const straight = i16x8.splat(<i16>(16 + nothing))
  const signs = i8x16.splat(<i8>(128 + nothing))
  const toggle = i8x16.splat(<i8>(0xd5 + nothing))
  const end = payload + <usize>count
  let at = samples
  for (let to = payload; to < end; to += 16) {
    const a = f32x4.relaxed_madd(v128.load(at), scale, half)
    const b = f32x4.relaxed_madd(v128.load(at, 16), scale, half)
    const c = f32x4.relaxed_madd(v128.load(at, 32), scale, half)
    const d = f32x4.relaxed_madd(v128.load(at, 48), scale, half)
    const low = alawCurve(f32x4.abs(a), f32x4.abs(b), base, straight)
    const high = alawCurve(f32x4.abs(c), f32x4.abs(d), base, straight)
    const sign = v128.and(signs, signsOf(a, b, c, d))
    // Narrowing saturates at 127, the loudest code.
    const code = v128.or(i8x16.narrow_i16x8_s(low, high), sign)
    v128.store(to, v128.xor(code, toggle))
    at += 64
  }
}

/** Magnitudes are below 2^18, so that relaxed_trunc is exact everywhere. */
function alawCurve(a: v128, b: v128, base: v128, straight: v128): v128 {
  const bits = i16x8.narrow_i32x4_s(i32x4.shr_u(a, 19), i32x4.shr_u(b, 19))
  const whole = i16x8.narrow_i32x4_s(i32x4.relaxed_trunc_f32x4_s(a), i32x4.relaxed_trunc_f32x4_s(b))
  return i16x8.add(i16x8.sub_sat_u(bits, base), i16x8.min_s(whole, straight))
}

/** [in] `count` codes (a multiple of 16), [out] as many f32 in −1…1. */
export function decodeMulaw(payload: usize, out: usize, count: i32): void {
  const nothing = load<i32>(N_ZERO)
  const zero = i32x4.splat(nothing)
  const top = i16x8.splat(<i16>(0x8000 + nothing))
  const size = i16x8.splat(<i16>(0x3f8 + nothing))
  // Upper half of the float (33 + 2·step) · 2^segment · 2^−13 of the loudest code, which is 0: a unit is 4 16-bit steps.
  const most = i16x8.splat(<i16>((119 << 7) + 4 + (127 << 3) + nothing))
  const bias = v128.load32_splat(N_33_UNITS)
  const end = payload + <usize>count
  let to = out
  for (let at = payload; at < end; at += 16) {
    const codes = v128.load(at)
    const low = bytesLow(zero, codes)
    const high = bytesHigh(zero, codes)
    const sizeLow = i16x8.sub(most, v128.and(i16x8.shr_u(low, 5), size))
    const sizeHigh = i16x8.sub(most, v128.and(i16x8.shr_u(high, 5), size))
    // The sign bit is 1 for positive samples.
    const signLow = v128.andnot(top, low)
    const signHigh = v128.andnot(top, high)
    v128.store(to, v128.xor(f32x4.sub(upperLow(zero, sizeLow), bias), upperLow(zero, signLow)))
    v128.store(
      to,
      v128.xor(f32x4.sub(upperHigh(zero, sizeLow), bias), upperHigh(zero, signLow)),
      16,
    )
    v128.store(
      to,
      v128.xor(f32x4.sub(upperLow(zero, sizeHigh), bias), upperLow(zero, signHigh)),
      32,
    )
    v128.store(
      to,
      v128.xor(f32x4.sub(upperHigh(zero, sizeHigh), bias), upperHigh(zero, signHigh)),
      48,
    )
    to += 64
  }
}

/** The lower four 16-bit lanes as the upper halves of 32 bits. */
function upperLow(zero: v128, x: v128): v128 {
  return v128.shuffle<i16>(zero, x, 0, 8, 1, 9, 2, 10, 3, 11)
}

function upperHigh(zero: v128, x: v128): v128 {
  return v128.shuffle<i16>(zero, x, 4, 12, 5, 13, 6, 14, 7, 15)
}

/** [in] `count` codes (a multiple of 16), [out] as many f32 in −1…1. */
export function decodeAlaw(payload: usize, out: usize, count: i32): void {
  const nothing = load<i32>(N_ZERO)
  const zero = i32x4.splat(nothing)
  const top = i16x8.splat(<i16>(0x8000 + nothing))
  const toggle = i8x16.splat(<i8>(0xd5 + nothing))
  const low7 = i8x16.splat(<i8>(127 + nothing))
  const sixteen = i8x16.splat(<i8>(16 + nothing))
  // Upper halves of floats: (33 + 2·step) · 2^(segment − 1) · 2^−12, and 32 · 2^−12: a unit is 8 16-bit steps.
  const start = i16x8.splat(<i16>((119 << 7) + 4 + nothing))
  const less = i16x8.splat(<i16>((120 << 7) + nothing))
  const end = payload + <usize>count
  let to = out
  for (let at = payload; at < end; at += 16) {
    const codes = v128.xor(v128.load(at), toggle)
    const step = v128.and(codes, low7)
    // Segment 0 is segment 1 less 32.
    const straight = i8x16.lt_s(step, sixteen)
    const steps = v128.or(step, v128.and(straight, sixteen))
    alawEight(
      to,
      zero,
      i16x8.add(i16x8.shr_u(bytesLow(zero, steps), 5), start),
      v128.and(bytesLow(straight, straight), less),
      v128.and(bytesLow(zero, codes), top),
    )
    alawEight(
      to + 32,
      zero,
      i16x8.add(i16x8.shr_u(bytesHigh(zero, steps), 5), start),
      v128.and(bytesHigh(straight, straight), less),
      v128.and(bytesHigh(zero, codes), top),
    )
    to += 64
  }
}

/** Eight samples, (size − bias) with a sign, from the upper halves of their floats. */
function alawEight(to: usize, zero: v128, size: v128, bias: v128, sign: v128): void {
  const a = f32x4.sub(upperLow(zero, size), upperLow(zero, bias))
  const b = f32x4.sub(upperHigh(zero, size), upperHigh(zero, bias))
  v128.store(to, v128.or(a, upperLow(zero, sign)))
  v128.store(to, v128.or(b, upperHigh(zero, sign)), 16)
}

/** The lower eight bytes of `x` as the upper halves of 16 bits. */
function bytesLow(low: v128, x: v128): v128 {
  return v128.shuffle<u8>(low, x, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
}

function bytesHigh(low: v128, x: v128): v128 {
  return v128.shuffle<u8>(low, x, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
}

/** [in] `count` i16 (a multiple of 16), [out] codes: for audio that is 16-bit PCM already. */
export function encodeMulawPcm(pcm: usize, payload: usize, count: i32): void {
  const nothing = load<i32>(N_ZERO)
  const quarter = v128.load32_splat(N_QUARTER)
  const half = v128.load32_splat(N_EIGHTH)
  const bias = v128.load32_splat(N_33)
  const most = i16x8.splat(<i16>(MULAW_BASE + 127 + nothing))
  const signs = i8x16.splat(<i8>(128 + nothing))
  const end = payload + <usize>count
  let at = pcm
  for (let to = payload; to < end; to += 16) {
    const x = v128.load(at)
    const y = v128.load(at, 16)
    const a = f32x4.relaxed_madd(lowFloats(x), quarter, half)
    const b = f32x4.relaxed_madd(highFloats(x), quarter, half)
    const c = f32x4.relaxed_madd(lowFloats(y), quarter, half)
    const d = f32x4.relaxed_madd(highFloats(y), quarter, half)
    const low = i16x8.sub_sat_u(most, mulawCurve(a, b, bias))
    const high = i16x8.sub_sat_u(most, mulawCurve(c, d, bias))
    const sign = v128.andnot(signs, i8x16.narrow_i16x8_s(x, y))
    v128.store(to, v128.or(i8x16.narrow_i16x8_u(low, high), sign))
    at += 32
  }
}

function lowFloats(x: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(x))
}

function highFloats(x: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(x))
}

/** [in] `count` codes (a multiple of 8), [out] as many i16: (33 + 2·step) · 2^segment − 33, by fours. */
export function decodeMulawPcm(payload: usize, pcm: usize, count: i32): void {
  const nothing = load<i32>(N_ZERO)
  const steps = i16x8.splat(<i16>(30 + nothing))
  const bias = i16x8.splat(<i16>(33 + nothing))
  const seven = i16x8.splat(<i16>(7 + nothing))
  const byte = i16x8.splat(<i16>(255 + nothing))
  const powers = v128.load(POWERS_OF_TWO)
  const end = payload + <usize>count
  let to = pcm
  for (let at = payload; at < end; at += 8) {
    const code = v128.not(v128.load8x8_u(at))
    const segment = v128.and(i16x8.shr_u(code, 4), seven)
    const power = v128.and(i8x16.swizzle(powers, segment), byte)
    const step = i16x8.add(v128.and(i16x8.shl(code, 1), steps), bias)
    const size = i16x8.shl(i16x8.sub(i16x8.mul(step, power), bias), 2)
    const sign = i16x8.shr_s(i16x8.shl(code, 8), 15)
    v128.store(to, i16x8.sub(v128.xor(size, sign), sign))
    to += 16
  }
}
