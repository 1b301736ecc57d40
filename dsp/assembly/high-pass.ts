/**
 * High-pass at 80 Hz, second order: takes out DC offset and mains hum, which would lift the VAD's
 * noise floor and waste the speech recogniser's range. Direct form II transposed, state of two f32.
 */

/**
 * In place over `count` f32. [in] coefficients b0 b1 b2 a1 a2 at `filter`; [in/out] state at
 * `state`.
 */
export function highPass(filter: usize, state: usize, samples: usize, count: i32): void {
  const b0 = load<f32>(filter)
  const b1 = load<f32>(filter, 4)
  const b2 = load<f32>(filter, 8)
  const a1 = load<f32>(filter, 12)
  const a2 = load<f32>(filter, 16)
  let s1 = load<f32>(state)
  let s2 = load<f32>(state, 4)
  const end = samples + ((<usize>count) << 2)
  for (let at = samples; at < end; at += 4) {
    const x = load<f32>(at)
    const y = b0 * x + s1
    s1 = b1 * x - a1 * y + s2
    s2 = b2 * x - a2 * y
    store<f32>(at, y)
  }
  // Denormal numbers are slow; below −400 dBFS the state is silence.
  store<f32>(state, abs(s1) < 1e-20 ? <f32>0 : s1)
  store<f32>(state, abs(s2) < 1e-20 ? <f32>0 : s2, 4)
}
