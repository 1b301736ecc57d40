/**
 * Mixer: the agent's voice over a bed, and a soft ceiling above both.
 *
 * The bed is a loop shared by all calls; the slot holds only its position and its present gain.
 * Gains move along straight lines within a frame and meet at frame borders, so neither clicks.
 */

/**
 * Below 0.8 (−1.9 dBFS) the limiter is transparent; above, the curve bends and never reaches full
 * scale.
 */
const KNEE: f32 = 0.8

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
 * Adds `count` samples of the loop `bed` (i16, `length` samples) from `position` on, with a gain
 * moving from `from` to `to`. Returns the next position.
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
  const step: f32 = (to - from) / <f32>count
  let gain = from
  let at = position
  for (let i = 0; i < count; i++) {
    gain += step
    const out = samples + ((<usize>i) << 2)
    const sample = <f32>load<i16>(bed + ((<usize>at) << 1)) * <f32>(1.0 / 32768.0)
    store<f32>(out, load<f32>(out) + sample * gain)
    if (++at == length) at = 0
  }
  return at
}

/**
 * In place over `count` f32 (a multiple of 4): |x| ≤ KNEE unchanged, above it KNEE + (1 − KNEE)·u /
 * (1 + u).
 */
export function limit(samples: usize, count: i32): void {
  const knee = f32x4.splat(KNEE)
  const room = f32x4.splat(1 - KNEE)
  const one = f32x4.splat(1)
  const signBit = i32x4.splat(0x80000000)
  for (let at = samples; at < samples + ((<usize>count) << 2); at += 16) {
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
