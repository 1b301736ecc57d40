/**
 * The constant tables of the DSP core, computed once at start and written into shared memory before
 * a worker runs: filters, FFT, bands, G.711 decoding. Computed rather than stored: a formula can be
 * read, a thousand numbers cannot.
 *
 * Resampling filters: Kaiser window, 85 dB. The narrow side keeps 3.4 kHz (telephony's pass band,
 * ITU-T G.712) and is down by 80 dB at 4.4 kHz; between 16 and 24 kHz it keeps 6.9 kHz. Delay 3 ms,
 * or 1.5 ms between 16 and 24 kHz.
 */

/** Kaiser's β for a stop band of −85 dB: 0.1102 · (85 − 8.7). */
const KAISER_BETA = 8.4

export interface FilterShape {
  up: number
  down: number
  /** Taps of each phase: a multiple of 4 (SIMD), at most 144 (the history a slot keeps). */
  tapsPerPhase: number
  /** −6 dB point over the intermediate rate (input rate · up). */
  cutoff: number
}

/** The shapes for `fromHz` → `toHz`; null when no conversion is needed. */
export function filterShape(fromHz: number, toHz: number): FilterShape | null {
  const key = `${fromHz / 1_000}-${toHz / 1_000}`
  return SHAPES[key] ?? null
}

const SHAPES: Readonly<Record<string, FilterShape>> = {
  '8-16': { up: 2, down: 1, tapsPerPhase: 48, cutoff: 3_900 / 16_000 },
  '16-8': { up: 1, down: 2, tapsPerPhase: 96, cutoff: 3_900 / 16_000 },
  '8-24': { up: 3, down: 1, tapsPerPhase: 48, cutoff: 3_900 / 24_000 },
  '24-8': { up: 1, down: 3, tapsPerPhase: 144, cutoff: 3_900 / 24_000 },
  '24-16': { up: 2, down: 3, tapsPerPhase: 72, cutoff: 7_800 / 48_000 },
  '16-24': { up: 3, down: 2, tapsPerPhase: 48, cutoff: 7_800 / 48_000 },
}

export const FILTER_KEYS: ReadonlyArray<readonly [number, number]> = [
  [8_000, 16_000],
  [16_000, 8_000],
  [8_000, 24_000],
  [24_000, 8_000],
  [24_000, 16_000],
  [16_000, 24_000],
]

/**
 * Modified Bessel function of order 0, by its series (converges for all arguments a window needs).
 */
function bessel0(x: number): number {
  let term = 1
  let sum = 1
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2
    sum += term
  }
  return sum
}

/** Low-pass prototype of `up · tapsPerPhase` taps; the sum of each phase is close to 1. */
export function prototype(shape: FilterShape): Float64Array {
  const length = shape.up * shape.tapsPerPhase
  const middle = (length - 1) / 2
  const taps = Float64Array.from({ length }, (_, n) => {
    const t = n - middle
    const sinc = Math.sin(2 * Math.PI * shape.cutoff * t) / (Math.PI * t)
    const window = bessel0(KAISER_BETA * Math.sqrt(1 - (t / middle) ** 2)) / bessel0(KAISER_BETA)
    return sinc * window
  })
  const sum = taps.reduce((a, b) => a + b, 0)
  return taps.map((tap) => (tap * shape.up) / sum)
}

/** The table resampler.ts reads: i32 header [up, down, taps, 0], then the phases, time-reversed. */
export function filterTable(shape: FilterShape): Uint8Array {
  const bytes = new Uint8Array(16 + shape.up * shape.tapsPerPhase * 4)
  new Int32Array(bytes.buffer, 0, 4).set([shape.up, shape.down, shape.tapsPerPhase, 0])
  const phases = new Float32Array(bytes.buffer, 16)
  const taps = prototype(shape)
  for (let phase = 0; phase < shape.up; phase++) {
    for (let t = 0; t < shape.tapsPerPhase; t++) {
      const reversed = shape.tapsPerPhase - 1 - t
      phases[phase * shape.tapsPerPhase + reversed] = taps[phase + t * shape.up] ?? 0
    }
  }
  return bytes
}

/** Butterworth high-pass of second order at 80 Hz by the bilinear transform: b0 b1 b2 a1 a2. */
export function highPassCoefficients(rateHz: number): Float32Array {
  const k = Math.tan((Math.PI * 80) / rateHz)
  const norm = 1 / (1 + Math.SQRT2 * k + k * k)
  return Float32Array.of(
    norm,
    -2 * norm,
    norm,
    2 * (k * k - 1) * norm,
    (1 - Math.SQRT2 * k + k * k) * norm,
  )
}

/** ITU-T G.191 ulaw_expand. */
function mulawSample(code: number): number {
  const inverted = ~code & 0xff
  const exponent = (inverted >> 4) & 7
  const step = 4 << (exponent + 1)
  const size = (0x80 << exponent) + step * (inverted & 15) + step / 2 - 4 * 33
  return code < 0x80 ? -size : size
}

/** ITU-T G.191 alaw_expand. */
function alawSample(code: number): number {
  const toggled = (code ^ 0x55) & 0x7f
  const exponent = toggled >> 4
  const mantissa = ((toggled & 15) + (exponent > 0 ? 16 : 0)) * 16 + 8
  const size = exponent > 1 ? mantissa << (exponent - 1) : mantissa
  return code > 127 ? size : -size
}

export function mulawDecodeTable(): Float32Array {
  return Float32Array.from({ length: 256 }, (_, code) => mulawSample(code) / 32_768)
}

export function alawDecodeTable(): Float32Array {
  return Float32Array.from({ length: 256 }, (_, code) => alawSample(code) / 32_768)
}

export interface FftTables {
  window: Float32Array
  order: Uint32Array
  cos: Float32Array
  sin: Float32Array
  splitCos: Float32Array
  splitSin: Float32Array
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
