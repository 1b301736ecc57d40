/**
 * G.711, both laws, bit-exact with ITU-T G.191 (ulaw_compress, alaw_compress and their inverses),
 * without a table and without a loop over segments: an IEEE 754 number already holds the segment in
 * its exponent and the step in the top four bits of its mantissa.
 *
 *   µ-law   |x| / 4 + 33  ─► bits >> 19 ─► minus a constant: segment · 16 + step
 *   A-law   |x| / 16 (+ 16 in segment 0) ─► the same
 *
 * What the shift drops are the bits that G.191 drops. Rounding to 16 bits first is an addition: added
 * to 1.5 · 2^k a number loses every bit below the last place of the sum. G.191 takes the one's
 * complement of negative samples, |x| − 1, which is |x + ½| − ½ for both signs. Decoding puts the code
 * into the upper 16 bits of a float, eight at a time.
 *
 * The constants are loaded: engines build a constant vector anew in every round of a loop.
 */
import {
  N_16,
  N_33,
  N_8192,
  N_ALAW_MAX,
  N_ALAW_ROUND,
  N_EIGHTH,
  N_MULAW_BIAS,
  N_MULAW_MAX,
  N_MULAW_ROUND,
  N_QUARTER,
  N_SIXTEENTH_HALF,
  POWERS_OF_TWO,
  N_2048,
  N_ZERO,
} from './tables'

/** (127 + 5) << 4: exponent of the lowest µ-law segment (32…63), biased as in IEEE 754. */
const MULAW_BASE: i32 = 132 << 4
/** (127 + 3) << 4: magnitudes 16…31 are A-law segment 1, whose exponent is 4. */
const ALAW_BASE: i32 = 130 << 4

/** [in] `count` f32 (a multiple of 8) in −128…128, rounded to 16 bits and saturated; [out] codes. */
export function encodeMulaw(samples: usize, payload: usize, count: i32): void {
  const nothing = load<i32>(N_ZERO)
  const scale = v128.load32_splat(N_8192)
  const round = v128.load32_splat(N_MULAW_ROUND)
  const half = v128.load32_splat(N_EIGHTH)
  const bias = v128.load32_splat(N_MULAW_BIAS)
  const most = v128.load32_splat(N_MULAW_MAX)
  // Inverted on the line; the sign bit is 1 for positive samples.
  const top = i16x8.splat(<i16>(255 + MULAW_BASE + nothing))
  const signBit = i16x8.splat(<i16>(128 + nothing))
  const end = samples + ((<usize>count) << 2)
  let to = payload
  for (let at = samples; at < end; at += 32) {
    const p = f32x4.add(f32x4.mul(v128.load(at), scale), round)
    const q = f32x4.add(f32x4.mul(v128.load(at, 16), scale), round)
    const a = f32x4.add(f32x4.sub(p, round), half)
    const b = f32x4.add(f32x4.sub(q, round), half)
    const sizeA = f32x4.pmin(f32x4.add(f32x4.abs(a), bias), most)
    const sizeB = f32x4.pmin(f32x4.add(f32x4.abs(b), bias), most)
    const curve = i16x8.narrow_i32x4_s(i32x4.shr_u(sizeA, 19), i32x4.shr_u(sizeB, 19))
    // Narrowing saturates the bits of a float to 0x7fff or 0x8000 by its sign.
    const sign = v128.and(i16x8.shr_u(i16x8.narrow_i32x4_s(a, b), 8), signBit)
    const code = i16x8.sub(i16x8.sub(top, curve), sign)
    v128.store64_lane(to, i8x16.narrow_i16x8_u(code, code), 0)
    to += 8
  }
}

/** [in] `count` f32 (a multiple of 8) in −128…128, rounded to 16 bits and saturated; [out] codes. */
export function encodeAlaw(samples: usize, payload: usize, count: i32): void {
  const nothing = load<i32>(N_ZERO)
  const scale = v128.load32_splat(N_2048)
  const round = v128.load32_splat(N_ALAW_ROUND)
  const half = v128.load32_splat(N_SIXTEENTH_HALF)
  const most = v128.load32_splat(N_ALAW_MAX)
  const sixteen = v128.load32_splat(N_16)
  const base = i16x8.splat(<i16>(ALAW_BASE + nothing))
  const short16 = i16x8.splat(<i16>(16 + nothing))
  const signBit = i16x8.splat(<i16>(128 + nothing))
  const toggle = i16x8.splat(<i16>(0xd5 + nothing))
  const end = samples + ((<usize>count) << 2)
  let to = payload
  for (let at = samples; at < end; at += 32) {
    const p = f32x4.add(f32x4.mul(v128.load(at), scale), round)
    const q = f32x4.add(f32x4.mul(v128.load(at, 16), scale), round)
    const a = f32x4.add(f32x4.sub(p, round), half)
    const b = f32x4.add(f32x4.sub(q, round), half)
    const sizeA = f32x4.pmin(f32x4.sub(f32x4.abs(a), half), most)
    const sizeB = f32x4.pmin(f32x4.sub(f32x4.abs(b), half), most)
    // Segment 0 is as straight as segment 1: 16 more makes it look so, and is taken out of the code.
    const straightA = f32x4.lt(sizeA, sixteen)
    const straightB = f32x4.lt(sizeB, sixteen)
    const bitsA = i32x4.shr_u(f32x4.add(sizeA, v128.and(straightA, sixteen)), 19)
    const bitsB = i32x4.shr_u(f32x4.add(sizeB, v128.and(straightB, sixteen)), 19)
    const straight = v128.and(i16x8.narrow_i32x4_s(straightA, straightB), short16)
    const curve = i16x8.sub(i16x8.sub(i16x8.narrow_i32x4_s(bitsA, bitsB), base), straight)
    const sign = v128.and(i16x8.shr_u(i16x8.narrow_i32x4_s(a, b), 8), signBit)
    const code = v128.xor(v128.or(curve, sign), toggle)
    v128.store64_lane(to, i8x16.narrow_i16x8_u(code, code), 0)
    to += 8
  }
}

/** [in] `count` codes (a multiple of 8), [out] as many f32 in −1…1. */
export function decodeMulaw(payload: usize, out: usize, count: i32): void {
  const nothing = load<i32>(N_ZERO)
  const zero = i32x4.splat(nothing)
  const low7 = i16x8.splat(<i16>(0x7f + nothing))
  const top = i16x8.splat(<i16>(0x8000 + nothing))
  // Upper halves of floats: (33 + 2·step) · 2^segment, and 2^−13: a unit is 4 16-bit steps.
  const start = i16x8.splat(<i16>((132 << 7) + 4 + nothing))
  const unit = i16x8.splat(<i16>((114 << 7) + nothing))
  const bias = v128.load32_splat(N_33)
  const end = payload + <usize>count
  let to = out
  for (let at = payload; at < end; at += 8) {
    const code = v128.not(v128.load8x8_u(at))
    const size = i16x8.add(i16x8.shl(v128.and(code, low7), 3), start)
    const scale = v128.or(v128.and(i16x8.shl(code, 8), top), unit)
    const sizeA = f32x4.sub(v128.shuffle<i16>(zero, size, 0, 8, 1, 9, 2, 10, 3, 11), bias)
    const sizeB = f32x4.sub(v128.shuffle<i16>(zero, size, 4, 12, 5, 13, 6, 14, 7, 15), bias)
    const scaleA = v128.shuffle<i16>(zero, scale, 0, 8, 1, 9, 2, 10, 3, 11)
    const scaleB = v128.shuffle<i16>(zero, scale, 4, 12, 5, 13, 6, 14, 7, 15)
    v128.store(to, f32x4.mul(sizeA, scaleA))
    v128.store(to, f32x4.mul(sizeB, scaleB), 16)
    to += 32
  }
}

/** [in] `count` codes (a multiple of 8), [out] as many f32 in −1…1. */
export function decodeAlaw(payload: usize, out: usize, count: i32): void {
  const nothing = load<i32>(N_ZERO)
  const zero = i32x4.splat(nothing)
  const low7 = i16x8.splat(<i16>(0x7f + nothing))
  const top = i16x8.splat(<i16>(0x8000 + nothing))
  const toggle = i16x8.splat(<i16>(0xd5 + nothing))
  const sixteen = i16x8.splat(<i16>(16 + nothing))
  // Upper halves of floats: (33 + 2·step) · 2^(segment − 1), 2^−12, and 32: a unit is 8 16-bit steps.
  const start = i16x8.splat(<i16>((131 << 7) + 4 + nothing))
  const unit = i16x8.splat(<i16>((115 << 7) + nothing))
  const less = i16x8.splat(<i16>(0x4200 + nothing))
  const end = payload + <usize>count
  let to = out
  for (let at = payload; at < end; at += 8) {
    const code = v128.xor(v128.load8x8_u(at), toggle)
    const step = v128.and(code, low7)
    // Segment 0 is segment 1 less 32.
    const straight = i16x8.lt_s(step, sixteen)
    const size = i16x8.add(i16x8.shl(v128.or(step, v128.and(straight, sixteen)), 3), start)
    const bias = v128.and(straight, less)
    const scale = v128.or(v128.and(i16x8.shl(code, 8), top), unit)
    const sizeA = v128.shuffle<i16>(zero, size, 0, 8, 1, 9, 2, 10, 3, 11)
    const sizeB = v128.shuffle<i16>(zero, size, 4, 12, 5, 13, 6, 14, 7, 15)
    const biasA = v128.shuffle<i16>(zero, bias, 0, 8, 1, 9, 2, 10, 3, 11)
    const biasB = v128.shuffle<i16>(zero, bias, 4, 12, 5, 13, 6, 14, 7, 15)
    const scaleA = v128.shuffle<i16>(zero, scale, 0, 8, 1, 9, 2, 10, 3, 11)
    const scaleB = v128.shuffle<i16>(zero, scale, 4, 12, 5, 13, 6, 14, 7, 15)
    v128.store(to, f32x4.mul(f32x4.sub(sizeA, biasA), scaleA))
    v128.store(to, f32x4.mul(f32x4.sub(sizeB, biasB), scaleB), 16)
    to += 32
  }
}

/** [in] `count` i16 (a multiple of 8), [out] codes: for audio that is 16-bit PCM already. */
export function encodeMulawPcm(pcm: usize, payload: usize, count: i32): void {
  const nothing = load<i32>(N_ZERO)
  const quarter = v128.load32_splat(N_QUARTER)
  const half = v128.load32_splat(N_EIGHTH)
  const bias = v128.load32_splat(N_MULAW_BIAS)
  const most = v128.load32_splat(N_MULAW_MAX)
  const top = i16x8.splat(<i16>(255 + MULAW_BASE + nothing))
  const signBit = i16x8.splat(<i16>(128 + nothing))
  const end = payload + <usize>count
  let at = pcm
  for (let to = payload; to < end; to += 8) {
    const x = v128.load(at)
    const low = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(x))
    const high = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(x))
    const a = f32x4.abs(f32x4.add(f32x4.mul(low, quarter), half))
    const b = f32x4.abs(f32x4.add(f32x4.mul(high, quarter), half))
    const sizeA = i32x4.shr_u(f32x4.pmin(f32x4.add(a, bias), most), 19)
    const sizeB = i32x4.shr_u(f32x4.pmin(f32x4.add(b, bias), most), 19)
    const sign = v128.and(i16x8.shr_u(x, 8), signBit)
    const code = i16x8.sub(i16x8.sub(top, i16x8.narrow_i32x4_s(sizeA, sizeB)), sign)
    v128.store64_lane(to, i8x16.narrow_i16x8_u(code, code), 0)
    at += 16
  }
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
