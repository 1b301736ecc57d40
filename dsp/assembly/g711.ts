/**
 * G.711, both laws, bit-exact with ITU-T G.191 (ulaw_compress, alaw_compress and their inverses).
 *
 * Encoding has no table and no loop over segments: a magnitude converted to f32 already holds the
 * segment in its exponent and the step in the top four bits of its mantissa, so (bits >> 19) minus
 * a constant is the code. The conversion is exact, since magnitudes stay below 2^13.
 */
import { ALAW_DECODE, MULAW_DECODE } from './tables'

/** G.191 works on 14 bits and adds 33, which puts the start of every segment on a power of two. */
const MULAW_BIAS: i32 = 33
const MULAW_MAX: i32 = 0x1fff
/** (127 + 5) << 4: exponent of the lowest µ-law segment (32…63), biased as in IEEE 754. */
const MULAW_BASE: i32 = 132 << 4
/** (127 + 3) << 4: magnitudes 16…31 are A-law segment 1, whose exponent is 4. */
const ALAW_BASE: i32 = 130 << 4

/** [in] `count` codes, [out] as many f32 in −1…1. */
export function decodeMulaw(payload: usize, out: usize, count: i32): void {
  lookUp(payload, out, count, MULAW_DECODE)
}

/** [in] `count` codes, [out] as many f32 in −1…1. */
export function decodeAlaw(payload: usize, out: usize, count: i32): void {
  lookUp(payload, out, count, ALAW_DECODE)
}

function lookUp(payload: usize, out: usize, count: i32, table: usize): void {
  for (let i: usize = 0; i < <usize>count; i += 4) {
    const codes = load<u32>(payload + i)
    const at = out + (i << 2)
    store<f32>(at, load<f32>(table + ((codes & 255) << 2)))
    store<f32>(at, load<f32>(table + (((codes >> 8) & 255) << 2)), 4)
    store<f32>(at, load<f32>(table + (((codes >> 16) & 255) << 2)), 8)
    store<f32>(at, load<f32>(table + ((codes >> 24) << 2)), 12)
  }
}

/** [in] `count` f32 (a multiple of 8) in −1…1, rounded to 16 bits first; [out] codes. */
export function encodeMulaw(samples: usize, payload: usize, count: i32): void {
  for (let i: usize = 0; i < <usize>count; i += 8) {
    const at = samples + (i << 2)
    const low = mulawCodes(toInt(v128.load(at)))
    const high = mulawCodes(toInt(v128.load(at, 16)))
    storeBytes(payload + i, low, high)
  }
}

/** [in] `count` f32 (a multiple of 8) in −1…1, rounded to 16 bits first; [out] codes. */
export function encodeAlaw(samples: usize, payload: usize, count: i32): void {
  for (let i: usize = 0; i < <usize>count; i += 8) {
    const at = samples + (i << 2)
    const low = alawCodes(toInt(v128.load(at)))
    const high = alawCodes(toInt(v128.load(at, 16)))
    storeBytes(payload + i, low, high)
  }
}

/** Four samples as 16-bit integers in 32-bit lanes, saturated. */
function toInt(samples: v128): v128 {
  const wide = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(samples, f32x4.splat(32768))))
  return i32x4.min_s(i32x4.max_s(wide, i32x4.splat(-32768)), i32x4.splat(32767))
}

function mulawCodes(sample: v128): v128 {
  const sign = i32x4.shr_s(sample, 31)
  // sample ^ sign is the one's complement G.191 takes of negative samples.
  const magnitude = i32x4.min_s(
    i32x4.add(i32x4.shr_s(v128.xor(sample, sign), 2), i32x4.splat(MULAW_BIAS)),
    i32x4.splat(MULAW_MAX),
  )
  const code = i32x4.sub(i32x4.shr_s(f32x4.convert_i32x4_s(magnitude), 19), i32x4.splat(MULAW_BASE))
  // Inverted on the line; the sign bit is 1 for positive samples.
  return i32x4.sub(i32x4.splat(255), i32x4.add(code, v128.and(sign, i32x4.splat(128))))
}

function alawCodes(sample: v128): v128 {
  const sign = i32x4.shr_s(sample, 31)
  const magnitude = i32x4.shr_s(v128.xor(sample, sign), 4)
  const curved = i32x4.sub(
    i32x4.shr_s(f32x4.convert_i32x4_s(magnitude), 19),
    i32x4.splat(ALAW_BASE),
  )
  const straight = i32x4.lt_s(magnitude, i32x4.splat(16))
  const code = v128.bitselect(magnitude, curved, straight)
  const signed = v128.or(code, v128.andnot(i32x4.splat(128), sign))
  return v128.xor(signed, i32x4.splat(0x55))
}

function storeBytes(out: usize, low: v128, high: v128): void {
  const words = i16x8.narrow_i32x4_s(low, high)
  v128.store64_lane(out, i8x16.narrow_i16x8_u(words, words), 0)
}
