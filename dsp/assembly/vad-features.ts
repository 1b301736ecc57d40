/**
 * What the VAD looks at: 52 features of 20 ms, from a window of 32 ms that never looks ahead.
 *
 *   256-point power ─► 18 mel bands ─► log, less the floor ──► band SNR, spectral shape, flux
 *          └─ root ─┬► autocorrelation ─► highest peak ──────► periodicity, lag, glide of the pitch
 *                   └► peaks, beside those of before ────────► persistence of tones
 *   level ─────────────────────────────────────────────────► loudness, and above its average
 *
 * The last eight tell music from voices: notes stand still, and a voice glides by 1 % and more from
 * frame to frame. Four of them are averages over about 1.3 s, longer than a syllable.
 *
 * The floor of each band is the minimum of its smoothed power over 1.6 to 1.9 s (minimum
 * statistics, R. Martin 2001): it follows a changing background without ever being told what is
 * speech, and a step of 12 dB is forgotten within 2 s. In the first second there is no such minimum
 * yet; the network has learnt from calls that begin that way.
 *
 * Bands are kept as 20 f32 so that five vectors hold them; the two behind the last are 1, whose
 * logarithm is 0. Features stay in scratch after the call: dsp/training reads them there, so what
 * is trained is what runs.
 */
import { moveSamples } from './pcm'
import { autocorrelation, windowedPower } from './spectrum'
import { VAD_STATE } from './slot'
import {
  BAND_EDGES,
  BAND_LEAST,
  BAND_MASKS,
  BAND_QUIETEST,
  LAG_GAIN,
  N_10,
  N_FAR_ABOVE,
  N_LOG_1,
  N_LOG_2,
  N_MANTISSA,
  N_MINIMUM_BIAS,
  N_ONE,
  N_QUARTER,
  N_SMOOTHING,
  SCRATCH_FFT,
} from './tables'
import { sumOfEach } from './resampler'

const BANDS: usize = 18
const ROW: usize = 80
/** Five closed windows of 16 frames and the open one: 1.6 to 1.92 s. */
const WINDOWS: usize = 5
const WINDOW_FRAMES: i32 = 16
/** Shares of the newest frame in the average glide (0.7 s) and in the longest averages (1.3 s). */
const GLIDE_SHARE: f32 = 0.03
const LONG_SHARE: f32 = 0.015
/** Pitch 80…400 Hz. */
const LAG_MIN: i32 = 20
const LAG_VECTORS_END: usize = 104

// State, from VAD_STATE; what lies before is vad.ts's own.
const STATE: usize = VAD_STATE + 64
const WINDOW_AGE: usize = 0
const WINDOW_INDEX: usize = 4
const SLOW_PERIODICITY: usize = 8
const SLOW_LOUDNESS: usize = 12
const LAST_LAG: usize = 16
/** Pitch glide, weighted by how periodic the frames were, and the sum of the weights. */
const GLIDE: usize = 20
const GLIDE_WEIGHT: usize = 24
const SLOW_PERSISTENCE: usize = 28
/** Averages over about 1.3 s of persistence, periodicity, SNR and flux. */
const LONG: usize = 32
const TAIL: usize = 64
const TAIL_BYTES: usize = 96 * 4
const SMOOTH: usize = TAIL + TAIL_BYTES
const LAST_LOG: usize = SMOOTH + ROW
const MINIMUM: usize = LAST_LOG + ROW
const WINDOW_MINIMA: usize = MINIMUM + ROW
/** Peaks of bins 4 to 123 as they were on average of the frames before. */
const PEAKS: usize = WINDOW_MINIMA + WINDOWS * ROW
const PEAKS_FIRST: usize = 4 * 4
const PEAKS_END: usize = 124 * 4
/** Bytes of slot state used here, from STATE. */
const STATE_BYTES: usize = PEAKS + (PEAKS_END - PEAKS_FIRST)
export const VAD_NETWORK_STATE: usize = STATE + ((STATE_BYTES + 15) & ~15)

// Scratch, from SCRATCH_FFT.
const INPUT: usize = 0
const POWER: usize = 2048
const MAGNITUDE: usize = 2592
const LAGS: usize = 3136
const BAND: usize = 3648
export const FEATURES: usize = 3744
export const FEATURE_COUNT: i32 = 52
/** The network's scratch begins here. */
export const VAD_NETWORK_SCRATCH: usize = 3968
/** SPECTRUM_WORK_BYTES. */
const WORK: usize = 4448
const F_SHAPE: usize = FEATURES + BANDS * 4
const F_REST: usize = F_SHAPE + BANDS * 4
/** Periodicity of the frame, about 0.15 in noise and above 0.5 in a clear vowel. */
export const F_PERIODICITY: usize = F_REST
/** Averages of persistence, periodicity, SNR and flux over about 1.3 s. */
export const F_LONG: usize = F_REST + 48
/** Not a feature: lag of the highest peak in samples of 8 kHz, to a fraction. */
export const LAG: usize = F_REST + 64

/** [in] 160 f32 at `samples`, high-passed, and their level in dBFS; [out] FEATURES in scratch. */
export function measure(slot: usize, scratch: usize, samples: usize, level: f32): void {
  const state = slot + STATE
  const work = scratch + SCRATCH_FFT
  moveSamples(work + INPUT, state + TAIL, TAIL_BYTES)
  moveSamples(work + INPUT + TAIL_BYTES, samples, 640)
  moveSamples(state + TAIL, samples + 64 * 4, TAIL_BYTES)
  windowedPower(work + INPUT, work + WORK, work + POWER)
  sumBands(work)
  if (load<i32>(slot + VAD_STATE) == 0) begin(state, work)
  measureBands(state, work)
  measurePeriod(state, work)
  measurePersistence(state, work)
  averageLong(state, work)
  const loudness = min(max((level + 60) / 30, <f32>0), <f32>2)
  const slow = load<f32>(state, SLOW_LOUDNESS)
  store<f32>(state, slow + <f32>0.1 * (loudness - slow), SLOW_LOUDNESS)
  store<f32>(work, loudness, F_REST + 24)
  store<f32>(work, loudness - slow, F_REST + 28)
}

/** The first frame of a call: nothing is known of its floor. */
function begin(state: usize, work: usize): void {
  for (let at: usize = 0; at < ROW; at += 16) {
    const power = v128.load(work + BAND + at)
    v128.store(state + SMOOTH + at, power)
    v128.store(state + LAST_LOG + at, log2(power))
  }
  for (let at = MINIMUM; at < PEAKS; at += 16) {
    v128.store(state + at, v128.load32_splat(N_FAR_ABOVE))
  }
}

/** Four bands at a time: a band is up to 16 bins from its first one, of which a mask leaves its own. */
function sumBands(work: usize): void {
  let masks = BAND_MASKS
  for (let at: usize = 0; at < ROW; at += 16) {
    const a = bandSum(work, BAND_EDGES + at, masks)
    const b = bandSum(work, BAND_EDGES + at + 4, masks + 64)
    const c = bandSum(work, BAND_EDGES + at + 8, masks + 128)
    const d = bandSum(work, BAND_EDGES + at + 12, masks + 192)
    v128.store(work + BAND + at, f32x4.add(sumOfEach(a, b, c, d), v128.load(BAND_LEAST + at)))
    masks += 256
  }
}

function bandSum(work: usize, edge: usize, masks: usize): v128 {
  const at = work + POWER + ((<usize>load<i32>(edge)) << 2)
  const low = f32x4.add(
    v128.and(v128.load(at), v128.load(masks)),
    v128.and(v128.load(at, 16), v128.load(masks, 16)),
  )
  const high = f32x4.add(
    v128.and(v128.load(at, 32), v128.load(masks, 32)),
    v128.and(v128.load(at, 48), v128.load(masks, 48)),
  )
  return f32x4.add(low, high)
}

/** Floors, and from band powers and floors every feature of the spectrum. */
function measureBands(state: usize, work: usize): void {
  const closing = load<i32>(state, WINDOW_AGE) + 1 >= WINDOW_FRAMES
  const index = load<u32>(state, WINDOW_INDEX)
  const open = state + WINDOW_MINIMA + <usize>index * ROW
  let powers = f32x4.splat(0)
  let floors = f32x4.splat(0)
  let logs = f32x4.splat(0)
  let flux = f32x4.splat(0)
  const smoothing = v128.load32_splat(N_SMOOTHING)
  const bias = v128.load32_splat(N_MINIMUM_BIAS)
  const quarter = v128.load32_splat(N_QUARTER)
  const ten = v128.load32_splat(N_10)
  const farAbove = v128.load32_splat(N_FAR_ABOVE)
  for (let at: usize = 0; at < ROW; at += 16) {
    const inBand = at == 64 ? i32x4(-1, -1, 0, 0) : i32x4.splat(-1)
    const power = v128.load(work + BAND + at)
    const before = v128.load(state + SMOOTH + at)
    const smooth = f32x4.add(before, f32x4.mul(smoothing, f32x4.sub(power, before)))
    v128.store(state + SMOOTH + at, smooth)
    let lowest = f32x4.min(v128.load(state + MINIMUM + at), smooth)
    v128.store(state + MINIMUM + at, closing ? farAbove : lowest)
    if (closing) v128.store(open + at, lowest)
    const minima = state + WINDOW_MINIMA + at
    const early = f32x4.min(v128.load(minima), v128.load(minima, ROW))
    const late = f32x4.min(v128.load(minima, 2 * ROW), v128.load(minima, 3 * ROW))
    lowest = f32x4.min(f32x4.min(lowest, v128.load(minima, 4 * ROW)), f32x4.min(early, late))
    const floor = f32x4.max(f32x4.mul(lowest, bias), v128.load(BAND_QUIETEST + at))
    const snr = f32x4.min(f32x4.max(log2(f32x4.div(power, floor)), f32x4.splat(0)), ten)
    v128.store(work + FEATURES + at, f32x4.mul(snr, quarter))
    const log = log2(power)
    flux = f32x4.add(flux, f32x4.abs(f32x4.sub(log, v128.load(state + LAST_LOG + at))))
    v128.store(state + LAST_LOG + at, log)
    logs = f32x4.add(logs, log)
    powers = f32x4.add(powers, v128.and(power, inBand))
    floors = f32x4.add(floors, v128.and(floor, inBand))
  }
  store<i32>(state, closing ? 0 : load<i32>(state, WINDOW_AGE) + 1, WINDOW_AGE)
  if (closing) store<u32>(state, index + 1 == <u32>WINDOWS ? 0 : index + 1, WINDOW_INDEX)
  const mean = sumLanes(logs) / <f32>BANDS
  const total = sumLanes(powers)
  // Overwrites the two lanes behind the bands' SNR; its own two are overwritten by the rest.
  for (let at: usize = 0; at < ROW; at += 16) {
    const log = v128.load(state + LAST_LOG + at)
    const shape = f32x4.mul(f32x4.sub(log, f32x4.splat(mean)), quarter)
    v128.store(work + F_SHAPE + at, clamp(shape, 3))
  }
  const both = log2(f32x4(total / <f32>BANDS, total / sumLanes(floors), 1, 1))
  store<f32>(work, (f32x4.extract_lane(both, 0) - mean) * 0.25, F_REST + 12)
  const snr = f32x4.extract_lane(both, 1) * <f32>0.25
  store<f32>(work, min(max(snr, <f32>-0.5), <f32>2.5), F_REST + 16)
  store<f32>(work, min(sumLanes(flux) * <f32>0.25, <f32>54) / <f32>BANDS, F_REST + 20)
}

/** Highest peak of the autocorrelation of the magnitude spectrum within the range of pitch. */
function measurePeriod(state: usize, work: usize): void {
  for (let at: usize = 0; at < 516; at += 16) {
    v128.store(work + MAGNITUDE + at, f32x4.sqrt(v128.load(work + POWER + at)))
  }
  autocorrelation(work + MAGNITUDE, work + WORK, work + LAGS)
  const whole = load<f32>(work + LAGS)
  let best = f32x4.splat(0)
  for (let lag: usize = (<usize>LAG_MIN) << 2; lag < LAG_VECTORS_END << 2; lag += 16) {
    const value = f32x4.mul(v128.load(work + LAGS + lag), v128.load(LAG_GAIN + lag))
    v128.store(work + LAGS + lag, value)
    best = f32x4.pmax(best, value)
  }
  const peak = max(
    max(f32x4.extract_lane(best, 0), f32x4.extract_lane(best, 1)),
    max(f32x4.extract_lane(best, 2), f32x4.extract_lane(best, 3)),
  )
  const most = f32x4.splat(peak)
  let lag: usize = (<usize>LAG_MIN) << 2
  let found: v128
  do {
    found = f32x4.eq(v128.load(work + LAGS + lag), most)
    lag += 16
  } while (!v128.any_true(found) && lag < LAG_VECTORS_END << 2)
  // The first of them; without any (not a number) the last vector's first.
  lag += (((<usize>ctz(i32x4.bitmask(found) | 16)) & 3) << 2) - 16
  const periodicity: f32 = whole > 1e-3 ? peak / whole : 0
  const fraction = vertex(work + LAGS + lag, lag == (<usize>LAG_MIN) << 2)
  const at: f32 = <f32>(lag >> 2) + fraction
  const last = load<f32>(state, LAST_LAG)
  const jump = last > 0 ? min(abs(logOf(at / last)), <f32>1) : <f32>1
  const slow = load<f32>(state, SLOW_PERIODICITY)
  const nextSlow = slow + <f32>0.25 * (periodicity - slow)
  store<f32>(state, nextSlow, SLOW_PERIODICITY)
  store<f32>(state, at, LAST_LAG)
  const glide = last > 0 ? min(<f32>16 * abs(at / last - 1), <f32>1) : <f32>1
  const weight = periodicity * periodicity
  const weights = load<f32>(state, GLIDE_WEIGHT)
  const allWeights = weights + GLIDE_SHARE * (weight - weights)
  const glides = load<f32>(state, GLIDE)
  const allGlides = glides + GLIDE_SHARE * (weight * glide - glides)
  store<f32>(state, allWeights, GLIDE_WEIGHT)
  store<f32>(state, allGlides, GLIDE)
  store<f32>(work, glide, F_REST + 32)
  store<f32>(work, allGlides / (allWeights + <f32>1e-3), F_REST + 36)
  store<f32>(work, periodicity, F_PERIODICITY)
  store<f32>(work, nextSlow, F_REST + 4)
  store<f32>(work, jump, F_REST + 8)
  store<f32>(work, at, LAG)
}

/**
 * How far the peaks of the spectrum stand where they stood: the cosine between them and their
 * average over about 100 ms. What lies between two bins on both sides is taken off a bin, so that
 * neither a tilt nor noise counts.
 */
function measurePersistence(state: usize, work: usize): void {
  const half = f32x4.splat(0.5)
  const share = v128.load32_splat(N_QUARTER)
  let both = f32x4.splat(0)
  let now = f32x4.splat(0)
  let before = f32x4.splat(0)
  for (let at: usize = PEAKS_FIRST; at < PEAKS_END; at += 16) {
    const from = work + MAGNITUDE + at
    const sides = f32x4.add(v128.load(from - 8), v128.load(from, 8))
    const peak = f32x4.sub(v128.load(from), f32x4.mul(half, sides))
    const last = v128.load(state + PEAKS + at - PEAKS_FIRST)
    both = f32x4.add(both, f32x4.mul(peak, last))
    now = f32x4.add(now, f32x4.mul(peak, peak))
    before = f32x4.add(before, f32x4.mul(last, last))
    const next = f32x4.add(last, f32x4.mul(share, f32x4.sub(peak, last)))
    v128.store(state + PEAKS + at - PEAKS_FIRST, next)
  }
  const scale = sqrt<f32>(sumLanes(now) * sumLanes(before)) + <f32>1e-6
  const persistence = sumLanes(both) / scale
  const slow = load<f32>(state, SLOW_PERSISTENCE)
  const next = slow + <f32>0.15 * (persistence - slow)
  store<f32>(state, next, SLOW_PERSISTENCE)
  store<f32>(work, persistence, F_REST + 40)
  store<f32>(work, next, F_REST + 44)
}

/** Over about 1.3 s: persistence, periodicity, SNR and flux. */
function averageLong(state: usize, work: usize): void {
  const now = f32x4(
    load<f32>(work, F_REST + 40),
    load<f32>(work, F_PERIODICITY),
    load<f32>(work, F_REST + 16),
    load<f32>(work, F_REST + 20),
  )
  const before = v128.load(state + LONG)
  const next = f32x4.add(before, f32x4.mul(f32x4.splat(LONG_SHARE), f32x4.sub(now, before)))
  v128.store(state + LONG, next)
  v128.store(work + F_LONG, next)
}

/** Where between its neighbours a peak lies: vertex of the parabola through the three, ±0.5. */
function vertex(at: usize, isFirst: bool): f32 {
  if (isFirst) return 0
  const left = load<f32>(at - 4)
  const right = load<f32>(at, 4)
  const bend = left + right - 2 * load<f32>(at)
  if (bend >= -1e-9) return 0
  return min(max((<f32>0.5 * (left - right)) / bend, <f32>-0.5), <f32>0.5)
}

function clamp(x: v128, limit: f32): v128 {
  return f32x4.max(f32x4.min(x, f32x4.splat(limit)), f32x4.splat(-limit))
}

function sumLanes(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) +
    f32x4.extract_lane(x, 1) +
    (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  )
}

/** log2 of four positive numbers to 0.009: exponent, and a parabola over the mantissa. */
function log2(x: v128): v128 {
  const one = v128.load32_splat(N_ONE)
  const mantissa = v128.load32_splat(N_MANTISSA)
  const exponent = f32x4.convert_i32x4_s(i32x4.shr_s(i32x4.sub(x, one), 23))
  const fraction = f32x4.sub(v128.or(v128.and(x, mantissa), one), one)
  const bend = f32x4.sub(
    v128.load32_splat(N_LOG_1),
    f32x4.mul(v128.load32_splat(N_LOG_2), fraction),
  )
  return f32x4.add(exponent, f32x4.mul(fraction, bend))
}

function logOf(x: f32): f32 {
  return f32x4.extract_lane(log2(f32x4.splat(x)), 0)
}
