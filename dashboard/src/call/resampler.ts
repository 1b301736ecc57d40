/**
 * Resampler: streaming polyphase windowed-sinc conversion between any two integer rates, used both ways: the sound
 * card's rate → 16 kHz for the microphone, 16 kHz → the card's rate for playback.
 *
 *   input ─► [ last `taps` samples ] · filter[phase] ─► output      phase advances by from/gcd, modulo to/gcd
 *
 * One filter row per phase, each normalised to unit gain, so a constant stays exactly constant. Delay is half the
 * filter: 0.7 ms at 16 kHz. No allocation after construction.
 */

/** Zero crossings on each side of the sinc: 12 keep aliases 70 dB down and the delay under 1 ms. */
const ZERO_CROSSINGS = 12
/** The pass band ends at this part of the lower Nyquist frequency, leaving room for the filter's slope. */
const PASS_BAND = 0.91
const MAX_INPUT_SAMPLES = 4096

export class Resampler {
  readonly #up: number
  readonly #down: number
  readonly #taps: number
  readonly #filter: Float32Array
  readonly #buffer: Float32Array
  readonly #output: Float32Array
  #filled: number
  #base = 0
  #phase = 0

  /** Rates in Hz, positive integers. */
  constructor(rates: { fromHz: number; toHz: number }) {
    const divisor = gcd(rates.fromHz, rates.toHz)
    this.#up = rates.toHz / divisor
    this.#down = rates.fromHz / divisor
    const cutoff = Math.min(1, rates.toHz / rates.fromHz) * PASS_BAND
    const half = Math.ceil(ZERO_CROSSINGS / cutoff)
    this.#taps = 2 * half
    this.#filter = designFilter({ phases: this.#up, half, cutoff })
    this.#buffer = new Float32Array(this.#taps + MAX_INPUT_SAMPLES)
    this.#output = new Float32Array(Math.ceil((MAX_INPUT_SAMPLES * this.#up) / this.#down) + 2)
    this.#filled = this.#taps - 1
  }

  /**
   * Converts the next samples of the stream.
   *
   * @param input  at most 4096 samples, −1…1
   * @returns      a view that the next call overwrites; its length varies by one sample
   */
  process(input: Float32Array): Float32Array {
    this.#buffer.set(input, this.#filled)
    this.#filled += input.length
    let produced = 0
    while (this.#base + this.#taps <= this.#filled) {
      this.#output[produced++] = this.#convolve()
      this.#phase += this.#down
      this.#base += Math.floor(this.#phase / this.#up)
      this.#phase %= this.#up
    }
    const consumed = Math.min(this.#base, this.#filled)
    this.#buffer.copyWithin(0, consumed, this.#filled)
    this.#filled -= consumed
    this.#base -= consumed
    return this.#output.subarray(0, produced)
  }

  /** Forgets the past: the next sample begins after silence. */
  reset(): void {
    this.#buffer.fill(0)
    this.#filled = this.#taps - 1
    this.#base = 0
    this.#phase = 0
  }

  #convolve(): number {
    const row = this.#phase * this.#taps
    let sum = 0
    for (let k = 0; k < this.#taps; k++) {
      sum += (this.#filter[row + k] ?? 0) * (this.#buffer[this.#base + k] ?? 0)
    }
    return sum
  }
}

function designFilter(design: { phases: number; half: number; cutoff: number }): Float32Array {
  const { phases, half, cutoff } = design
  const taps = 2 * half
  const filter = new Float32Array(phases * taps)
  for (let phase = 0; phase < phases; phase++) {
    const row = filter.subarray(phase * taps, (phase + 1) * taps)
    let sum = 0
    for (let k = 0; k < taps; k++) {
      const at = k - (half - 1) - phase / phases
      row[k] = sinc(at * cutoff) * window(at / half)
      sum += row[k] ?? 0
    }
    for (let k = 0; k < taps; k++) row[k] = (row[k] ?? 0) / sum
  }
  return filter
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
}

/** Blackman window over −1…1, zero outside. */
function window(x: number): number {
  if (Math.abs(x) >= 1) return 0
  return 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x)
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}

/** Rounds −1…1 to 16-bit integers, saturating. */
export function toPcm16(samples: Float32Array, pcm: Int16Array): void {
  for (let i = 0; i < samples.length; i++) {
    const value = Math.round((samples[i] ?? 0) * 32_768)
    pcm[i] = value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : value
  }
}
