/**
 * DTMF: digits that a carrier sends as sound (ITU-T Q.23 and Q.24).
 *
 *   20 ms Hann window, each 10 ms ─► 8 frequencies ─► strongest row and column ─► three windows in a row ─► digit
 *                                                       twist, purity               same digit, right frequencies, steady
 *
 * A window alone says little: speech often looks like a digit for 20 ms. Three windows span 40 ms,
 * the shortest signal Q.24 demands, and a tone of 23 ms never fills them. The frequency comes from the
 * phase between two windows, far finer than the window's own resolution of 50 Hz.
 */
import { moveSamples } from './pcm'
import { DETECTION_DIGIT, DTMF_STATE } from './slot'
import { DTMF_TABLE } from './tables'

/** Rows 697 770 852 941 Hz, then columns 1209 1336 1477 1633 Hz. Per tone 80 cosines, 80 sines. */
const TONE_BYTES: usize = 640
const TONES: usize = 8
/** Behind the tones: 80 squared window values, then per tone its Hz and its phase step over 80 samples. */
const WINDOW_SQUARED: usize = TONES * TONE_BYTES
const HZ: usize = WINDOW_SQUARED + 320
const STEP: usize = HZ + TONES * 4

// State, from DTMF_STATE: the 80 samples before this frame, then
const RUN: usize = 320
const DIGIT: usize = 324
const MISSES: usize = 328
const HELD: usize = 332
const BEST: usize = 336
const ROW_OFFSET: usize = 340
const COLUMN_OFFSET: usize = 344
const POWER: usize = 348
/** re and im of row and column in the window before. */
const PHASORS: usize = 352
/** 240 samples of window input, then folded sums and differences, then 8 re and 8 im. */
const INPUT: usize = 384
const RE: usize = INPUT + 960
const IM: usize = RE + 32
/** Σw and Σw² of the Hann window. */
const WINDOW_SUM: f32 = 80
const WINDOW_POWER: f32 = 60

/** −45 dBFS: 10 dB under the weakest digit of Q.24. */
const QUIETEST: f32 = 3.2e-5
/** A window goes on with a digit when this share of its energy lies in the two tones. */
const PURE: f32 = 0.72
/** And the best window of a digit reaches this: noise 12 dB down is allowed. */
const PUREST: f32 = 0.9
/** The strongest tone of a group is this much above the next: 5 dB. */
const ALONE: f32 = 0.32
/** Q.24 wants −8 … +4 dB; 1.5 dB more for what the window does to a tone 1.8 % off. */
const TWIST: f32 = 9
/** Of the nominal frequency: must accept 1.8 %, must refuse 3.5 %. */
const OFF_FREQUENCY: f32 = 0.026
/** Hz that a frequency may move between two windows of one digit. */
const UNSTEADY_HZ: f32 = 14
/** Windows without the digit (30 ms) before it can come again: Q.24's shortest pause is 40 ms, its longest gap 10 ms. */
const RELEASE: i32 = 3

/** [in] 160 f32 at 8 kHz. [out] the digit's character that is recognised in this frame, or 0. */
export function findDigit(slot: usize, samples: usize, level: f32, detection: usize): void {
  const state = slot + DTMF_STATE
  let digit = 0
  // Quiet frames only keep the samples that the next window starts with.
  if (level > -45 || load<i32>(state, RUN) > 0 || load<i32>(state, HELD) != 0) {
    moveSamples(state + INPUT, state, 320)
    moveSamples(state + INPUT + 320, samples, 640)
    digit = takeWindow(state, state + INPUT)
    const second = takeWindow(state, state + INPUT + 320)
    if (second != 0) digit = second
  }
  moveSamples(state, samples + 320, 320)
  store<i32>(detection, digit, DETECTION_DIGIT)
}

function takeWindow(state: usize, window: usize): i32 {
  const energy = windowEnergy(window)
  const place = energy > QUIETEST * WINDOW_POWER ? strongest(state, window, energy) : -1
  if (place < 0) {
    miss(state)
    return 0
  }
  return follow(state, place, energy)
}

function miss(state: usize): void {
  store<i32>(state, 0, RUN)
  const misses = load<i32>(state, MISSES) + 1
  store<i32>(state, misses, MISSES)
  if (misses >= RELEASE) store<i32>(state, 0, HELD)
}

/** Σ (w·x)². */
function windowEnergy(window: usize): f32 {
  let sum = f32x4.splat(0)
  for (let i: usize = 0; i < 320; i += 16) {
    const later = v128.load(window + 320 + i)
    const back = v128.load(window + 304 - i)
    const earlier = v128.shuffle<f32>(back, back, 3, 2, 1, 0)
    const power = f32x4.add(f32x4.mul(later, later), f32x4.mul(earlier, earlier))
    sum = f32x4.add(sum, f32x4.mul(power, v128.load(DTMF_TABLE + WINDOW_SQUARED + i)))
  }
  return total(sum)
}

/** Row · 4 + column when two tones stand alone in their groups and hold half of the energy; else −1. */
function strongest(state: usize, window: usize, energy: f32): i32 {
  correlate(state, window, 0)
  const row = best(state, 0)
  const needed = energy * ((WINDOW_SUM * WINDOW_SUM) / WINDOW_POWER) * <f32>0.5
  if (row < 0 || power(state, row) < needed * <f32>0.05) return -1
  correlate(state, window, 4)
  const column = best(state, 4)
  if (column < 0) return -1
  const low = power(state, row)
  const high = power(state, column)
  if (low + high < needed * <f32>0.5) return -1
  if (low > high * (TWIST * <f32>1.6) || high > low * (TWIST * <f32>1.6)) return -1
  return (row << 2) | (column - 4)
}

function power(state: usize, tone: i32): f32 {
  const at = state + ((<usize>tone) << 2)
  const re = load<f32>(at, RE)
  const im = load<f32>(at, IM)
  return re * re + im * im
}

/** The strongest of four tones from `first` on, or −1 when another is nearly as strong. */
function best(state: usize, first: i32): i32 {
  let most: f32 = 0
  let next: f32 = 0
  let tone = -1
  for (let i = first; i < first + 4; i++) {
    const p = power(state, i)
    if (p > most) {
      next = most
      most = p
      tone = i
    } else if (p > next) next = p
  }
  return next < most * ALONE ? tone : -1
}

/** re and im of four tones: the window folded around its middle, even part with cosines, odd part with sines. */
function correlate(state: usize, window: usize, first: usize): void {
  for (let tone = first; tone < first + 4; tone += 2) {
    const a = DTMF_TABLE + tone * TONE_BYTES
    let reA = f32x4.splat(0)
    let imA = f32x4.splat(0)
    let reB = f32x4.splat(0)
    let imB = f32x4.splat(0)
    for (let i: usize = 0; i < 320; i += 16) {
      const later = v128.load(window + 320 + i)
      const back = v128.load(window + 304 - i)
      const earlier = v128.shuffle<f32>(back, back, 3, 2, 1, 0)
      const even = f32x4.add(later, earlier)
      const odd = f32x4.sub(later, earlier)
      reA = f32x4.add(reA, f32x4.mul(even, v128.load(a + i)))
      imA = f32x4.add(imA, f32x4.mul(odd, v128.load(a + i, 320)))
      reB = f32x4.add(reB, f32x4.mul(even, v128.load(a + i, 640)))
      imB = f32x4.add(imB, f32x4.mul(odd, v128.load(a + i, 960)))
    }
    const at = state + (tone << 2)
    store<f32>(at, total(reA), RE)
    store<f32>(at, total(imA), IM)
    store<f32>(at, total(reB), RE + 4)
    store<f32>(at, total(imB), IM + 4)
  }
}

/** A window that looks like the digit at `place`: is it the third of a steady one? */
function follow(state: usize, place: i32, energy: f32): i32 {
  const row = place >> 2
  const column = (place & 3) + 4
  let run = load<i32>(state, DIGIT) == place ? load<i32>(state, RUN) + 1 : 1
  store<i32>(state, place, DIGIT)
  const rowOffset = run > 1 ? offsetHz(state, row, PHASORS) : 0
  const columnOffset = run > 1 ? offsetHz(state, column, PHASORS + 8) : 0
  keepPhasor(state, row, PHASORS)
  keepPhasor(state, column, PHASORS + 8)
  if (run == 1) {
    store<f32>(state, 0, BEST)
    store<i32>(state, 1, RUN)
    return 0
  }
  const low = power(state, row) * windowLoss(rowOffset)
  const high = power(state, column) * windowLoss(columnOffset)
  const pure: f32 = ((low + high) * 2 * WINDOW_POWER) / (energy * WINDOW_SUM * WINDOW_SUM)
  const right =
    pure > PURE &&
    abs(rowOffset) < load<f32>(DTMF_TABLE + HZ + ((<usize>row) << 2)) * OFF_FREQUENCY &&
    abs(columnOffset) < load<f32>(DTMF_TABLE + HZ + ((<usize>column) << 2)) * OFF_FREQUENCY &&
    low < high * TWIST &&
    high < low * TWIST &&
    (run == 2 || steady(state, rowOffset, columnOffset, low + high))
  store<f32>(state, rowOffset, ROW_OFFSET)
  store<f32>(state, columnOffset, COLUMN_OFFSET)
  store<f32>(state, low + high, POWER)
  if (!right) {
    miss(state)
    store<i32>(state, 1, RUN)
    store<f32>(state, 0, BEST)
    return 0
  }
  store<i32>(state, run, RUN)
  store<f32>(state, max(load<f32>(state, BEST), pure), BEST)
  if (run < 3 || load<f32>(state, BEST) < PUREST) return 0
  store<i32>(state, 0, MISSES)
  if (load<i32>(state, HELD) == place + 1) return 0
  store<i32>(state, place + 1, HELD)
  return digitAt(place)
}

function steady(state: usize, rowOffset: f32, columnOffset: f32, sum: f32): bool {
  const before = load<f32>(state, POWER)
  return (
    abs(rowOffset - load<f32>(state, ROW_OFFSET)) < UNSTEADY_HZ &&
    abs(columnOffset - load<f32>(state, COLUMN_OFFSET)) < UNSTEADY_HZ &&
    sum < before * <f32>2.5 &&
    before < sum * <f32>2.5
  )
}

function keepPhasor(state: usize, tone: i32, at: usize): void {
  const from = state + ((<usize>tone) << 2)
  store<f32>(state + at, load<f32>(from, RE))
  store<f32>(state + at, load<f32>(from, IM), 4)
}

/** How far a tone is from its nominal frequency, −50…50 Hz, by the phase it gained in 10 ms. */
function offsetHz(state: usize, tone: i32, at: usize): f32 {
  const from = state + ((<usize>tone) << 2)
  const re = load<f32>(from, RE)
  // The sine correlation has the sign of −sin φ.
  const im = -load<f32>(from, IM)
  const re0 = load<f32>(state + at)
  const im0 = -load<f32>(state + at, 4)
  const turned = angle(im * re0 - re * im0, re * re0 + im * im0)
  const step = load<f32>(DTMF_TABLE + STEP + ((<usize>tone) << 2))
  let gained = turned - step
  if (gained > 3.1415927) gained -= 6.2831853
  if (gained < -3.1415927) gained += 6.2831853
  return gained * <f32>(100.0 / 6.2831853)
}

/** What a Hann window of 20 ms takes from the power of a tone `hz` beside its centre, as the factor that gives it back. */
function windowLoss(hz: f32): f32 {
  const u = hz * <f32>0.02
  const gain: f32 = <f32>1 - u * u * (<f32>0.645 - <f32>0.17 * u * u)
  return <f32>1 / (gain * gain)
}

/** atan2 to 0.005 rad. */
function angle(y: f32, x: f32): f32 {
  const high = max(abs(x), abs(y))
  if (high == 0) return 0
  const ratio = min(abs(x), abs(y)) / high
  let a: f32 = ratio * (<f32>0.7853982 + (1 - ratio) * (<f32>0.2447 + <f32>0.0663 * ratio))
  if (abs(y) > abs(x)) a = <f32>1.5707963 - a
  if (x < 0) a = <f32>3.1415927 - a
  return y < 0 ? -a : a
}

/** 1 2 3 A · 4 5 6 B · 7 8 9 C · * 0 # D */
function digitAt(place: i32): i32 {
  const row = place >> 2
  const column = place & 3
  if (column == 3) return 65 + row
  if (row < 3) return 49 + row * 3 + column
  return column == 0 ? 42 : column == 1 ? 48 : 35
}

function total(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) +
    f32x4.extract_lane(x, 1) +
    f32x4.extract_lane(x, 2) +
    f32x4.extract_lane(x, 3)
  )
}
