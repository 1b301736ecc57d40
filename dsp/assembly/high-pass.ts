/**
 * High-pass at 80 Hz, second order: takes out DC offset and mains hum, which would lift the VAD's
 * noise floor and waste the speech recogniser's range.
 *
 * A recursive filter waits for itself at every sample. Taken four samples at once, each output is a
 * sum over the four inputs and the two state values, and only the state is waited for: a quarter of
 * the time. The columns: dsp/tables.ts, highPassBlock.
 */

/** In place over `count` f32 (a multiple of 4). [in] 12 vectors; [in/out] four f32 at `state`. */
export function highPass(columns: usize, state: usize, samples: usize, count: i32): void {
  const y0 = v128.load(columns)
  const y1 = v128.load(columns, 16)
  const y2 = v128.load(columns, 32)
  const y3 = v128.load(columns, 48)
  const y4 = v128.load(columns, 64)
  const y5 = v128.load(columns, 80)
  const z0 = v128.load(columns, 96)
  const z1 = v128.load(columns, 112)
  const z2 = v128.load(columns, 128)
  const z3 = v128.load(columns, 144)
  const z4 = v128.load(columns, 160)
  const z5 = v128.load(columns, 176)
  let s = v128.load(state)
  const end = samples + ((<usize>count) << 2)
  for (let at = samples; at < end; at += 16) {
    const x0 = v128.load32_splat(at)
    const x1 = v128.load32_splat(at, 4)
    const x2 = v128.load32_splat(at, 8)
    const x3 = v128.load32_splat(at, 12)
    const s1 = v128.shuffle<f32>(s, s, 0, 0, 0, 0)
    const s2 = v128.shuffle<f32>(s, s, 1, 1, 1, 1)
    const fromX = f32x4.add(
      f32x4.add(f32x4.mul(y0, x0), f32x4.mul(y1, x1)),
      f32x4.add(f32x4.mul(y2, x2), f32x4.mul(y3, x3)),
    )
    const stateFromX = f32x4.add(
      f32x4.add(f32x4.mul(z0, x0), f32x4.mul(z1, x1)),
      f32x4.add(f32x4.mul(z2, x2), f32x4.mul(z3, x3)),
    )
    v128.store(at, f32x4.add(fromX, f32x4.add(f32x4.mul(y4, s1), f32x4.mul(y5, s2))))
    s = f32x4.add(stateFromX, f32x4.add(f32x4.mul(z4, s1), f32x4.mul(z5, s2)))
  }
  // Denormal numbers are slow; below −400 dBFS the state is silence.
  v128.store(state, v128.and(s, f32x4.gt(f32x4.abs(s), f32x4.splat(1e-20))))
}
