/**
 * Mixer: the agent's voice over a bed, and a soft ceiling above both.
 *
 * The bed is a loop shared by all calls; the slot holds only its position and its present gain.
 * Gains move along straight lines within a frame and meet at frame borders, so neither clicks.
 */

import { N_KNEE, N_PCM_UNIT } from './tables'

/** In place over `count` f32 (a multiple of 4): gain moves from `from` to `to`, linearly. */
export function ramp(samples: usize, count: i32, from: f32, to: f32): void {
  if (from == 1 && to == 1) return
  const step: f32 = (to - from) / <f32>count
  let gain = f32x4.add(f32x4.splat(from), f32x4.mul(f32x4.splat(step), f32x4(1, 2, 3, 4)))
  const stride = f32x4.splat(step * 4)
  for (let at = samples; at < samples + ((<usize>count) << 2); at += 16) {
    v128.store(at, f32x4.mul(v128.load(at), gain))
    gain = f32x4.add(gain, stride)
  }
}

/**
 * Adds `count` samples (a multiple of 8) of the loop `bed` (i16, `length` samples, a multiple of 8)
 * from `position` on, with a gain moving from `from` to `to`, and limits the sum as limit() does.
 * Returns the next position.
 */
export function addBed(
  samples: usize,
  count: i32,
  bed: usize,
  length: i32,
  position: i32,
  from: f32,
  to: f32,
): i32 {
  const unit = load<f32>(N_PCM_UNIT)
  const step: f32 = ((to - from) * unit) / <f32>count
  let gain = f32x4.add(f32x4.splat(from * unit), f32x4.mul(f32x4.splat(step), f32x4(1, 2, 3, 4)))
  let next = f32x4.add(gain, f32x4.splat(step * 4))
  const stride = f32x4.splat(step * 8)
  const end = samples + ((<usize>count) << 2)
  const loopEnd = bed + ((<usize>length) << 1)
  let at = bed + ((<usize>position) << 1)
  let most = f32x4.splat(0)
  let more = f32x4.splat(0)
  for (let out = samples; out < end; out += 32) {
    const pcm = v128.load(at)
    const low = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(pcm))
    const high = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(pcm))
    const a = f32x4.add(v128.load(out), f32x4.mul(low, gain))
    const b = f32x4.add(v128.load(out, 16), f32x4.mul(high, next))
    v128.store(out, a)
    v128.store(out, b, 16)
    most = f32x4.pmax(most, f32x4.abs(a))
    more = f32x4.pmax(more, f32x4.abs(b))
    gain = f32x4.add(gain, stride)
    next = f32x4.add(next, stride)
    at += 16
    if (at >= loopEnd) at = bed
  }
  const knee = v128.load32_splat(N_KNEE)
  if (v128.any_true(f32x4.gt(f32x4.pmax(most, more), knee))) bend(samples, end, knee)
  return <i32>((at - bed) >> 1)
}

/**
 * Adds white noise of this RMS to `count` f32 (a multiple of 4). Four xorshift generators (Marsaglia
 * 2003: 13, 17, 5) whose state is kept xored with constants, so that zeros are a good start.
 */
export function addComfortNoise(samples: usize, count: i32, rms: f32, state: usize): void {
  const seed = i32x4(0x2545f491, 0x1b873593, 0x3c6ef372, 0x5bd1e995)
  // Uniform over ±√3 · RMS has that RMS.
  const scale = f32x4.splat(rms * <f32>(1.7320508 / 2147483648.0))
  let x = v128.xor(v128.load(state), seed)
  for (let at = samples; at < samples + ((<usize>count) << 2); at += 16) {
    x = v128.xor(x, i32x4.shl(x, 13))
    x = v128.xor(x, i32x4.shr_u(x, 17))
    x = v128.xor(x, i32x4.shl(x, 5))
    v128.store(at, f32x4.add(v128.load(at), f32x4.mul(f32x4.convert_i32x4_s(x), scale)))
  }
  v128.store(state, v128.xor(x, seed))
}

/**
 * In place over `count` f32 (a multiple of 8): |x| ≤ 0.8 (−1.9 dBFS) unchanged, above it the curve
 * bends, KNEE + (1 − KNEE)·u / (1 + u), and never reaches full scale.
 */
export function limit(samples: usize, count: i32): void {
  const end = samples + ((<usize>count) << 2)
  const knee = v128.load32_splat(N_KNEE)
  let most = f32x4.splat(0)
  let more = f32x4.splat(0)
  for (let at = samples; at < end; at += 32) {
    most = f32x4.pmax(most, f32x4.abs(v128.load(at)))
    more = f32x4.pmax(more, f32x4.abs(v128.load(at, 16)))
  }
  if (v128.any_true(f32x4.gt(f32x4.pmax(most, more), knee))) bend(samples, end, knee)
}

function bend(samples: usize, end: usize, knee: v128): void {
  const one = f32x4.splat(1)
  const room = f32x4.sub(one, knee)
  const signBit = i32x4.splat(0x80000000)
  for (let at = samples; at < end; at += 16) {
    const x = v128.load(at)
    const size = f32x4.abs(x)
    const over = f32x4.gt(size, knee)
    if (!v128.any_true(over)) continue
    const u = f32x4.div(f32x4.sub(size, knee), room)
    const bent = f32x4.add(knee, f32x4.mul(room, f32x4.div(u, f32x4.add(one, u))))
    const signed = v128.or(bent, v128.and(x, signBit))
    v128.store(at, v128.bitselect(signed, x, over))
  }
}
