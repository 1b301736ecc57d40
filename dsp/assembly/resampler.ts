/**
 * Polyphase resampler between 8, 16 and 24 kHz, one 20 ms block at a time.
 *
 *   table: [L][M][K][0] then L phases of K taps, time-reversed
 *   out[n] = Σ taps[n·M mod L][t] · in[⌊n·M / L⌋ − K + 1 + t]
 *
 * All six ratios divide a 20 ms block evenly, so a block starts in phase 0 and the only state is
 * the last K − 1 input samples, which lie in front of the block. Design of the filters and their
 * figures: dsp/tables.ts.
 */

/**
 * [in] block at `input`, preceded by ≥ K − 1 samples of history; [out] `count` f32 (a multiple of
 * 4).
 */
export function resample(table: usize, input: usize, out: usize, count: i32): void {
  const up = load<i32>(table)
  const down = load<i32>(table, 4)
  const taps = load<i32>(table, 8)
  const phaseBytes: usize = (<usize>taps) << 2
  const first = table + 16
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
    v128.store(out + ((<usize>n) << 2), sumOfEach(a, b, c, d))
  }
}

/** [Σa, Σb, Σc, Σd]. */
function sumOfEach(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 1, 4, 5), v128.shuffle<f32>(a, b, 2, 3, 6, 7))
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 1, 4, 5), v128.shuffle<f32>(c, d, 2, 3, 6, 7))
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 2, 4, 6), v128.shuffle<f32>(ab, cd, 1, 3, 5, 7))
}
