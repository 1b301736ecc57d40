/**
 * The constant tables of the DSP core, computed once at start and written into shared memory before
 * a worker runs: FFT, bands, G.711, high-pass. Computed rather than stored: a formula can be read, a
 * thousand numbers cannot. Resampling filters: dsp/filters.ts.
 */

/** The numbers of assembly/tables.ts, in its order. What they are for: assembly/g711.ts, pcm, level, mixer. */
export const NUMBERS: Float32Array = Float32Array.of(
  0,
  8_192,
  2_048,
  1 / 8,
  1 / 32,
  0.25,
  33,
  33 / 8_192,
  1.5 * 2 ** 23,
  32_768,
  1 / 32_768,
  0.97,
  0.8,
  1,
  60,
  -60,
  -Math.LOG2E,
  0.69312419,
  0.24024099,
  0.055906426,
  0.009582852,
  1.3465,
  0.3465,
  new Float32Array(Int32Array.of(0x007fffff).buffer)[0] ?? 0,
  10,
  1e30,
  0.3,
  1.7,
)

export const POWERS_OF_TWO: Uint8Array = Uint8Array.from({ length: 16 }, (_, n) => 1 << (n & 7))

/**
 * Butterworth high-pass of second order at 80 Hz by the bilinear transform, as assembly/high-pass.ts
 * wants it: four samples at once.
 *
 *   y[0…3] = Σ x[i] · response delayed by i   +   s1 · decay1 + s2 · decay2
 *   s'     = Σ x[i] · A^(3−i)·B               +   A⁴ · s                      (direct form II transposed)
 *
 * 12 vectors of 4 f32: the columns of y for x0…x3, s1, s2, then those of s' (two values, twice).
 */
export function highPassBlock(rateHz: number): Float32Array {
  const k = Math.tan((Math.PI * 80) / rateHz)
  const norm = 1 / (1 + Math.SQRT2 * k + k * k)
  const [b0, b1, b2] = [norm, -2 * norm, norm]
  const a1 = 2 * (k * k - 1) * norm
  const a2 = (1 - Math.SQRT2 * k + k * k) * norm
  /** What one impulse at input `x` or in the state does to four outputs and to the state after them. */
  const follow = (x: number, first: readonly [number, number]): [number[], number[]] => {
    let [s1, s2] = first
    const y = [0, 1, 2, 3].map((n) => {
      const input = n === x ? 1 : 0
      const output = b0 * input + s1
      s1 = b1 * input - a1 * output + s2
      s2 = b2 * input - a2 * output
      return output
    })
    return [y, [s1, s2, s1, s2]]
  }
  const columns = [
    ...[0, 1, 2, 3].map((x) => follow(x, [0, 0])),
    follow(-1, [1, 0]),
    follow(-1, [0, 1]),
  ]
  return Float32Array.from([
    ...columns.flatMap(([y]) => y),
    ...columns.flatMap(([, state]) => state),
  ])
}

const DTMF_HZ = [697, 770, 852, 941, 1_209, 1_336, 1_477, 1_633] as const

/** What assembly/dtmf.ts reads: a Hann window of 160 samples folded around its middle. ITU-T Q.23. */
export function dtmfTable(): Float32Array {
  const half = Array.from({ length: 80 }, (_, i) => i + 0.5)
  const hann = (n: number): number => 0.5 + 0.5 * Math.cos((2 * Math.PI * n) / 160)
  const turn = (hz: number, n: number): number => (2 * Math.PI * hz * n) / 8_000
  return Float32Array.from([
    ...DTMF_HZ.flatMap((hz) => [
      ...half.map((n) => hann(n) * Math.cos(turn(hz, n))),
      ...half.map((n) => hann(n) * Math.sin(turn(hz, n))),
    ]),
    ...half.map((n) => hann(n) ** 2),
    ...DTMF_HZ,
    // The phase gained in 80 samples, −π…π.
    ...DTMF_HZ.map((hz) => turn(hz, 80) - 2 * Math.PI * Math.round(turn(hz, 80) / (2 * Math.PI))),
  ])
}

export interface FftTables {
  window: Float32Array
  order: Uint32Array
  cos: Float32Array
  sin: Float32Array
  splitCos: Float32Array
  splitSin: Float32Array
  down: Float32Array
  across: Float32Array
}

/** cos and sin of 2π·j·q/32 for rows j = 0…7 and q = 1, 2, 3: assembly/spectrum.ts. */
function downTwiddles(): Float32Array {
  return Float32Array.from({ length: 48 }, (_, i) => {
    const angle = (2 * Math.PI * Math.floor(i / 6) * (1 + (Math.floor(i / 2) % 3))) / 32
    return i % 2 === 0 ? Math.cos(angle) : Math.sin(angle)
  })
}

/** For each group of four k: cos of lane 1 at the four, sin, and the same for lanes 2 and 3. Angles 2π·lane·k/128. */
function acrossTwiddles(): Float32Array {
  return Float32Array.from({ length: 192 }, (_, i) => {
    const lane = 1 + (Math.floor(i / 8) % 3)
    const k = Math.floor(i / 24) * 4 + (i % 4)
    const angle = (2 * Math.PI * lane * k) / 128
    return i % 8 < 4 ? Math.cos(angle) : Math.sin(angle)
  })
}

/** Tables of the 256-point real FFT in fft.ts. */
export function fftTables(): FftTables {
  const wave = (length: number, f: (n: number) => number): Float32Array =>
    Float32Array.from({ length }, (_, n) => f(n))
  const cos = new Float32Array(124)
  const sin = new Float32Array(124)
  for (let half = 4; half <= 64; half *= 2) {
    for (let j = 0; j < half; j++) {
      cos[half - 4 + j] = Math.cos((Math.PI * j) / half)
      sin[half - 4 + j] = Math.sin((Math.PI * j) / half)
    }
  }
  return {
    window: wave(256, (n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / 256)),
    order: Uint32Array.from({ length: 128 }, (_, n) => {
      let reversed = 0
      for (let bit = 0; bit < 7; bit++) reversed |= ((n >> bit) & 1) << (6 - bit)
      return reversed
    }),
    cos,
    sin,
    splitCos: wave(128, (k) => Math.cos((2 * Math.PI * k) / 256)),
    splitSin: wave(128, (k) => Math.sin((2 * Math.PI * k) / 256)),
    down: downTwiddles(),
    across: acrossTwiddles(),
  }
}

/**
 * Borders of the 18 bands in bins of 31.25 Hz: equal steps in mel from 90 to 3 900 Hz, each at
 * least one bin.
 */
export function bandEdges(): Int32Array {
  const mel = (hz: number): number => 2595 * Math.log10(1 + hz / 700)
  const hz = (m: number): number => 700 * (10 ** (m / 2595) - 1)
  const edges = new Int32Array(19)
  for (let b = 0; b <= 18; b++) {
    const at = hz(mel(90) + ((mel(3_900) - mel(90)) * b) / 18)
    edges[b] = Math.max(Math.round(at / 31.25), b === 0 ? 0 : (edges[b - 1] ?? 0) + 1)
  }
  return edges
}

/**
 * Power in each band of white noise at −70 dBFS under the window, the idle noise of G.711; the two
 * bands that only fill a vector get 1.
 */
export function bandQuietest(): Float32Array {
  const edges = bandEdges()
  return Float32Array.from({ length: 20 }, (_, b) =>
    b < 18 ? 1e-5 * ((edges[b + 1] ?? 0) - (edges[b] ?? 0)) : 1,
  )
}

/** 1e−9, far below any noise, and 1 for the two bands that only fill a vector. */
export function bandLeast(): Float32Array {
  return Float32Array.from({ length: 20 }, (_, b) => (b < 18 ? 1e-9 : 1))
}

/** All bits set for the bins of each band, of the 16 from its first one on; none for the two that only fill a vector. */
export function bandMasks(): Int32Array {
  const edges = bandEdges()
  return Int32Array.from({ length: 20 * 16 }, (_, i) => {
    const b = i >> 4
    return b < 18 && (i & 15) < (edges[b + 1] ?? 0) - (edges[b] ?? 0) ? -1 : 0
  })
}

/**
 * Evens out what the Hann window takes from long lags: one over the root of the window's own
 * autocorrelation. 0 beyond lag 100.
 */
export function lagGains(): Float32Array {
  const { window } = fftTables()
  const overlap = (lag: number): number => {
    let sum = 0
    for (let n = 0; n + lag < 256; n++) sum += (window[n] ?? 0) * (window[n + lag] ?? 0)
    return sum
  }
  return Float32Array.from({ length: 104 }, (_, lag) =>
    lag <= 100 ? Math.sqrt(overlap(0) / overlap(lag)) : 0,
  )
}
