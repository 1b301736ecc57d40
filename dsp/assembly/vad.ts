/**
 * VAD: is there speech in this 20 ms of 8 kHz audio, and since when.
 *
 *   256-point spectrum ─► 18 mel bands ─► band SNR over a noise floor ─┐
 *          └─► autocorrelation ─► periodicity ───────────────────────┼─► logistic score ─► onset, hangover
 *   level, flatness ───────────────────────────────────────────────────┘
 *
 * The floor of each band is the minimum of its smoothed power over 1.9 s (minimum statistics, R.
 * Martin 2001), so it follows a changing background without ever being told what is speech. In the
 * first second there is no such minimum yet: then only periodicity tells a voice from noise. The
 * window looks back 12 ms and never ahead.
 *
 * The features stay in scratch after the call; dsp/training reads them there, so what is trained is
 * what runs.
 */
import { autocorrelation, windowedPower } from './fft'
import {
  DETECTION_FLAGS,
  DETECTION_FRAME,
  DETECTION_LEVEL,
  DETECTION_PROBABILITY,
  DETECTION_START,
  DETECTION_VOICED,
  FLAG_OFFSET,
  FLAG_ONSET,
  FLAG_SPEECH,
  VAD_OFF,
  VAD_ON,
  VAD_STATE,
} from './slot'
import { BAND_EDGES, SCRATCH_FFT, VAD_WEIGHTS } from './tables'

const BANDS: usize = 18
/** Three voiced frames, 60 ms, make speech: a click or a tap on the microphone is over by then. */
const ONSET_FRAMES: i32 = 3
/** 200 ms: spans the stop gaps inside words (≤ 150 ms), not a pause between phrases. */
const HANGOVER_FRAMES: i32 = 10

/**
 * 6 windows of 16 frames = 1.92 s: longer than a breath group's longest run without a dip in some
 * band.
 */
const WINDOWS: usize = 6
const WINDOW_FRAMES: i32 = 16
/**
 * Smoothing of band power before the minimum is taken; with it the minimum lies about 2 dB under
 * the mean.
 */
const SMOOTHING: f32 = 0.3
const MINIMUM_BIAS: f32 = 1.7
/**
 * Power per bin of white noise at −70 dBFS under the window: the idle noise of G.711 is not a floor
 * to compare with.
 */
const QUIETEST: f32 = 1e-5
const FAR_ABOVE: f32 = 1e30
/** Pitch 80…400 Hz. */
const LAG_MIN: usize = 20
const LAG_MAX: usize = 100

// State, from VAD_STATE.
const FRAME: usize = 0
const SPEAKING: usize = 4
const RUN: usize = 8
const START: usize = 12
const VOICED: usize = 16
const WINDOW_AGE: usize = 20
const WINDOW_INDEX: usize = 24
const SLOW_PERIODICITY: usize = 28
const SLOW_LEVEL: usize = 32
const TAIL: usize = 64
const TAIL_BYTES: usize = 96 * 4
const SMOOTH: usize = TAIL + TAIL_BYTES
const MINIMUM: usize = SMOOTH + BANDS * 4
const WINDOW_MINIMA: usize = MINIMUM + BANDS * 4
const SLOW_SNR: usize = WINDOW_MINIMA + WINDOWS * BANDS * 4

// Scratch, from SCRATCH_FFT.
const INPUT: usize = 0
const WORK: usize = 1024
const POWER: usize = 2048
const MAGNITUDE: usize = 2592
const LAGS: usize = 3136
const BAND: usize = 3648
/** Features in the order of the weights; the last weight (63) is the bias. */
export const FEATURES: usize = 3776
export const FEATURE_COUNT: usize = 42
const F_SLOW_SNR: usize = FEATURES + BANDS * 4
const F_REST: usize = F_SLOW_SNR + BANDS * 4

/**
 * [in] 160 f32 at `samples`, high-passed; level in dBFS. [out] a detection record at `detection`.
 */
export function detect(
  slot: usize,
  scratch: usize,
  samples: usize,
  level: f32,
  detection: usize,
): void {
  const state = slot + VAD_STATE
  const work = scratch + SCRATCH_FFT
  memory.copy(work + INPUT, state + TAIL, TAIL_BYTES)
  memory.copy(work + INPUT + TAIL_BYTES, samples, 640)
  memory.copy(state + TAIL, samples + 64 * 4, TAIL_BYTES)
  windowedPower(work + INPUT, work + WORK, work + POWER)
  if (load<i32>(state, FRAME) == 0) forgetFloor(state)
  measureBands(state, work)
  measureShape(state, work, level)
  const probability = score(work)
  store<f32>(detection, probability, DETECTION_PROBABILITY)
  store<f32>(detection, level, DETECTION_LEVEL)
  decide(slot, state, probability, detection)
}

function forgetFloor(state: usize): void {
  for (let at = state + SMOOTH; at < state + SLOW_SNR; at += 4) store<f32>(at, FAR_ABOVE)
  store<i32>(state, -1, START)
  store<i32>(state, -HANGOVER_FRAMES - 1, VOICED)
}

/** Band powers, their floors, and from both the SNR features. */
function measureBands(state: usize, work: usize): void {
  const closing = load<i32>(state, WINDOW_AGE) + 1 >= WINDOW_FRAMES
  const index = load<u32>(state, WINDOW_INDEX)
  for (let b: usize = 0; b < BANDS; b++) {
    const at = b << 2
    const from = load<i32>(BAND_EDGES + at)
    const to = load<i32>(BAND_EDGES + at, 4)
    let power: f32 = 0
    for (let k = from; k < to; k++) power += load<f32>(work + POWER + ((<usize>k) << 2))
    store<f32>(work + BAND + at, power)

    const before = load<f32>(state + SMOOTH + at)
    const smooth = before == FAR_ABOVE ? power : before + SMOOTHING * (power - before)
    store<f32>(state + SMOOTH + at, smooth)
    let lowest = min(load<f32>(state + MINIMUM + at), smooth)
    store<f32>(state + MINIMUM + at, closing ? FAR_ABOVE : lowest)
    if (closing) store<f32>(state + WINDOW_MINIMA + ((<usize>index * BANDS) << 2) + at, lowest)
    for (let w: usize = 0; w < WINDOWS; w++) {
      lowest = min(lowest, load<f32>(state + WINDOW_MINIMA + ((w * BANDS) << 2) + at))
    }
    const floor = max(lowest * MINIMUM_BIAS, QUIETEST * <f32>(to - from))
    const snr = min(max(log2(power / floor), <f32>0), <f32>10)
    const slow = load<f32>(state + SLOW_SNR + at)
    const nextSlow = slow + <f32>0.25 * (snr - slow)
    store<f32>(state + SLOW_SNR + at, nextSlow)
    store<f32>(work + FEATURES + at, snr)
    store<f32>(work + F_SLOW_SNR + at, nextSlow)
  }
  store<i32>(state, closing ? 0 : load<i32>(state, WINDOW_AGE) + 1, WINDOW_AGE)
  if (closing) store<u32>(state, index + 1 == <u32>WINDOWS ? 0 : index + 1, WINDOW_INDEX)
}

/** Periodicity (peak of the compressed spectrum's autocorrelation), flatness and level features. */
function measureShape(state: usize, work: usize, level: f32): void {
  for (let at: usize = 0; at < 516; at += 16) {
    v128.store(work + MAGNITUDE + at, f32x4.sqrt(v128.load(work + POWER + at)))
  }
  autocorrelation(work + MAGNITUDE, work + WORK, work + LAGS)
  let peak: f32 = 0
  for (let lag: usize = LAG_MIN; lag <= LAG_MAX; lag++) {
    peak = max(peak, load<f32>(work + LAGS + (lag << 2)))
  }
  const whole = load<f32>(work + LAGS)
  const periodicity: f32 = whole > 1e-3 ? peak / whole : 0
  let sum: f32 = 1e-9
  let logSum: f32 = 0
  for (let b: usize = 0; b < BANDS; b++) {
    const power = load<f32>(work + BAND + (b << 2)) + <f32>1e-9
    sum += power
    logSum += log2(power)
  }
  const flatness = log2(sum / <f32>BANDS) - logSum / <f32>BANDS
  const loudness = min(max((level + 60) / 30, <f32>0), <f32>2)
  const slowPeriodicity = load<f32>(state, SLOW_PERIODICITY)
  const nextPeriodicity = slowPeriodicity + <f32>0.25 * (periodicity - slowPeriodicity)
  const slowLevel = load<f32>(state, SLOW_LEVEL)
  const nextLevel = slowLevel + <f32>0.25 * (loudness - slowLevel)
  store<f32>(state, nextPeriodicity, SLOW_PERIODICITY)
  store<f32>(state, nextLevel, SLOW_LEVEL)
  store<f32>(work, periodicity, F_REST)
  store<f32>(work, nextPeriodicity, F_REST + 4)
  store<f32>(work, flatness, F_REST + 8)
  store<f32>(work, loudness, F_REST + 12)
  store<f32>(work, nextLevel, F_REST + 16)
  store<f32>(work, loudness - nextLevel, F_REST + 20)
}

function score(work: usize): f32 {
  let sum = load<f32>(VAD_WEIGHTS, 63 * 4)
  for (let i: usize = 0; i < FEATURE_COUNT; i++) {
    sum += load<f32>(VAD_WEIGHTS + (i << 2)) * load<f32>(work + FEATURES + (i << 2))
  }
  return <f32>1 / (<f32>1 + exp2(<f32>-1.442695 * min(max(sum, <f32>-30), <f32>30)))
}

/** Onset, hangover, and the times a turn-taker needs. */
function decide(slot: usize, state: usize, probability: f32, detection: usize): void {
  const frame = load<i32>(state, FRAME)
  let speaking = load<i32>(state, SPEAKING)
  let run = load<i32>(state, RUN)
  let voiced = load<i32>(state, VOICED)
  let flags = 0
  run = probability >= load<f32>(slot, VAD_ON) ? run + 1 : 0
  if (speaking) {
    if (probability >= load<f32>(slot, VAD_OFF)) voiced = frame
    if (frame - voiced >= HANGOVER_FRAMES) {
      speaking = 0
      flags |= FLAG_OFFSET
    }
  } else if (run >= ONSET_FRAMES) {
    speaking = 1
    flags |= FLAG_ONSET
    voiced = frame
    store<i32>(state, frame - ONSET_FRAMES + 1, START)
  }
  if (speaking) flags |= FLAG_SPEECH
  store<i32>(state, frame + 1, FRAME)
  store<i32>(state, speaking, SPEAKING)
  store<i32>(state, run, RUN)
  store<i32>(state, voiced, VOICED)
  store<i32>(detection, frame, DETECTION_FRAME)
  store<i32>(detection, flags, DETECTION_FLAGS)
  store<i32>(detection, load<i32>(state, START), DETECTION_START)
  store<i32>(detection, voiced, DETECTION_VOICED)
}

/** log2 to 0.009: exponent, and a parabola over the mantissa. */
function log2(x: f32): f32 {
  const bits = reinterpret<i32>(x)
  const m = reinterpret<f32>((bits & 0x007fffff) | 0x3f800000)
  return <f32>(bits >> 23) - <f32>127 + (m - 1) * (<f32>1.3465 - <f32>0.3465 * (m - 1))
}

/** 2^x to 0.3 %, for |x| < 126. */
function exp2(x: f32): f32 {
  const whole = floor(x)
  const part = x - whole
  const mantissa: f32 = 1 + part * (<f32>0.6565 + <f32>0.3435 * part)
  return reinterpret<f32>((<i32>whole + 127) << 23) * mantissa
}
