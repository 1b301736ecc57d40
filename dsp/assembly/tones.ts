/**
 * Call-progress tones: what a network, a fax or an answering machine says (ITU-T E.180, Q.35, T.30).
 *
 *   spectrum of the VAD ─► one or two lines that hold nearly all energy? ─► class of the frame
 *   classes, frame by frame ─► segments with a length ─► cadence ─► tone
 *
 * Costs next to nothing: the spectrum is there, and quiet frames are not looked at. Its 31 Hz bins do
 * not part 440 from 480 Hz, nor 425 from 440: for ringing and busy the cadence decides, not the pitch.
 */
import { DETECTION_TONE, TONE_STATE } from './slot'
import { SCRATCH_FFT } from './tables'

export const TONE_RINGBACK: i32 = 1
export const TONE_BUSY: i32 = 2
export const TONE_SIT: i32 = 3
export const TONE_FAX_CALLING: i32 = 4
export const TONE_FAX_ANSWER: i32 = 5
export const TONE_BEEP: i32 = 6

/** 129 powers |X|², left by the VAD (vad-features.ts). */
const SPECTRUM: usize = SCRATCH_FFT + 2048
const BIN_HZ: f32 = 31.25
/** Bins from 190 Hz on: below lie hum and what the high-pass left. */
const FIRST: i32 = 6
const LAST: i32 = 126
/** Share of the energy within two bins of one or two lines. Vowels reach 0.9 for a frame or two. */
const PURE: f32 = 0.96

// Classes of a frame.
const NONE: i32 = 0
/** 380 … 500 Hz, or 480 and 620 Hz together: ringing, busy, congestion. */
const LOW: i32 = 1
const SIT_FIRST: i32 = 2
const SIT_SECOND: i32 = 3
const SIT_THIRD: i32 = 4
const CALLING: i32 = 5
const ANSWER: i32 = 6
/** Any other single line. */
const OTHER: i32 = 7

// State, from TONE_STATE.
const CLASS: usize = 0
/** Frames of the present class. */
const LENGTH: usize = 4
/** Frame that broke the class, if it was only one: a segment survives one odd frame. */
const ODD: usize = 8
const HZ: usize = 12
/** Cadence of low tones: the last on-length, and how many like it came with a short pause between. */
const LAST_ON: usize = 16
const CYCLES: usize = 20
const PAUSE: usize = 24
const SIT_STAGE: usize = 28
/** A finished single line waits for 100 ms without tone before it is a beep. */
const BEEP_FRAMES: usize = 32
const LEVEL: usize = 36

/** [in] the VAD's spectrum in scratch; level in dBFS. [out] the tone recognised in this frame, or 0. */
export function findTone(slot: usize, scratch: usize, level: f32, detection: usize): void {
  const state = slot + TONE_STATE
  let kind = NONE
  let hz: f32 = 0
  if (level > -45) {
    hz = lines(scratch + SPECTRUM)
    kind = hz > 0 ? classOf(hz, load<i32>(state, CLASS)) : hz < 0 ? LOW : NONE
    // A beep keeps its pitch; a whistle or a sung vowel does not.
    if (kind == OTHER && load<i32>(state, CLASS) == OTHER) {
      if (abs(hz - load<f32>(state, HZ)) > 12 || abs(level - load<f32>(state, LEVEL)) > 3) {
        kind = NONE
        store<i32>(state, 0, BEEP_FRAMES)
      }
    }
  }
  store<i32>(detection, step(state, kind, hz, level), DETECTION_TONE)
}

/** Frequency of a single line, Hz; −1 for 480 + 620 Hz; 0 for anything else. */
function lines(spectrum: usize): f32 {
  let total: f32 = 1e-12
  let most: f32 = 0
  let peak = FIRST
  for (let k = FIRST; k <= LAST; k++) {
    const p = load<f32>(spectrum + ((<usize>k) << 2))
    total += p
    if (p > most) {
      most = p
      peak = k
    }
  }
  const first = around(spectrum, peak)
  if (first > total * PURE) return pitch(spectrum, peak)
  if (first < total * <f32>0.4) return 0
  let next: f32 = 0
  let second = -1
  for (let k = FIRST; k <= LAST; k++) {
    const p = load<f32>(spectrum + ((<usize>k) << 2))
    if (p > next && (k < peak - 3 || k > peak + 3)) {
      next = p
      second = k
    }
  }
  if (second < 0 || first + around(spectrum, second) < total * PURE) return 0
  const low = pitch(spectrum, min(peak, second))
  const high = pitch(spectrum, max(peak, second))
  return abs(low - 480) < 20 && abs(high - 620) < 20 ? -1 : 0
}

function around(spectrum: usize, bin: i32): f32 {
  let sum: f32 = 0
  for (let k = max(bin - 2, 0); k <= min(bin + 2, 128); k++) {
    sum += load<f32>(spectrum + ((<usize>k) << 2))
  }
  return sum
}

/** A Hann window's peak between its bins: the ratio r of the two highest amplitudes gives (2r − 1) / (r + 1). */
function pitch(spectrum: usize, bin: i32): f32 {
  const at = spectrum + ((<usize>bin) << 2)
  const middle = sqrt(load<f32>(at))
  const below = sqrt(load<f32>(at - 4))
  const above = sqrt(load<f32>(at, 4))
  const side = max(below, above)
  const ratio = side / max(middle, <f32>1e-9)
  const shift = max(<f32>0, (2 * ratio - 1) / (ratio + 1))
  return (<f32>bin + (above > below ? shift : -shift)) * BIN_HZ
}

function classOf(hz: f32, before: i32): i32 {
  if (hz > 380 && hz < 500) return LOW
  if (hz > 895 && hz < 1_005) return before == OTHER ? OTHER : SIT_FIRST
  if (hz > 1_350 && hz < 1_450)
    return before == SIT_FIRST || before == SIT_SECOND ? SIT_SECOND : OTHER
  if (hz > 1_750 && hz < 1_805)
    return before == SIT_SECOND || before == SIT_THIRD ? SIT_THIRD : OTHER
  if (hz > 1_062 && hz < 1_138) return CALLING
  if (hz > 2_075 && hz < 2_125) return ANSWER
  // Below 550 Hz some vowels are as pure.
  return hz > 550 && hz < 3_000 ? OTHER : NONE
}

/** Moves the cadence on by a frame of class `kind`; returns the tone that is certain now, or 0. */
function step(state: usize, kind: i32, hz: f32, level: f32): i32 {
  const before = load<i32>(state, CLASS)
  if (kind == before) {
    store<i32>(state, 0, ODD)
    const length = load<i32>(state, LENGTH) + 1
    store<i32>(state, length, LENGTH)
    return kind == NONE ? quiet(state, length) : sounding(state, kind, length)
  }
  // One frame at a tone's edge, or hit by noise, may look like anything.
  if (before != NONE && load<i32>(state, ODD) == 0) {
    store<i32>(state, 1, ODD)
    return 0
  }
  const length = load<i32>(state, LENGTH)
  store<i32>(state, 0, ODD)
  store<i32>(state, kind, CLASS)
  store<i32>(state, 1, LENGTH)
  store<f32>(state, hz, HZ)
  store<f32>(state, level, LEVEL)
  if (before == NONE) {
    store<i32>(state, length, PAUSE)
    return 0
  }
  return ended(state, before, kind, length)
}

function sounding(state: usize, kind: i32, length: i32): i32 {
  // T.30: the answering fax sends 2 100 Hz for 2.6 to 4 s; the caller 1 100 Hz for 0.5 s, which ended() sees.
  if (kind == ANSWER && length == 25) return TONE_FAX_ANSWER
  // Q.35: three tones of 330 ms (±70 ms), each higher than the one before.
  if (kind == SIT_THIRD && length == 9 && load<i32>(state, SIT_STAGE) == 2) {
    store<i32>(state, 0, SIT_STAGE)
    return TONE_SIT
  }
  if (kind == LOW && length == 4 && load<i32>(state, CYCLES) >= 2 && inBusyPause(state)) {
    store<i32>(state, 0, CYCLES)
    return TONE_BUSY
  }
  return 0
}

function inBusyPause(state: usize): bool {
  const pause = load<i32>(state, PAUSE)
  return pause >= 6 && pause <= 40
}

function quiet(state: usize, length: i32): i32 {
  if (length > 40) store<i32>(state, 0, CYCLES)
  if (length == 5 && load<i32>(state, BEEP_FRAMES) > 0) {
    store<i32>(state, 0, BEEP_FRAMES)
    return TONE_BEEP
  }
  return 0
}

/** A segment of class `kind`, `length` frames long, has ended; `next` follows. */
function ended(state: usize, kind: i32, next: i32, length: i32): i32 {
  if (kind == SIT_FIRST) store<i32>(state, length >= 10 && next == SIT_SECOND ? 1 : 0, SIT_STAGE)
  if (kind == SIT_SECOND) {
    const going = length >= 10 && next == SIT_THIRD && load<i32>(state, SIT_STAGE) == 1
    store<i32>(state, going ? 2 : 0, SIT_STAGE)
  }
  if (kind == CALLING && length >= 20 && length <= 32) return TONE_FAX_CALLING
  // 120 ms … 1.6 s of one steady line, then nothing. The first tone of a SIT alone is a beep too.
  const single = kind == OTHER || kind == SIT_FIRST || kind == CALLING
  store<i32>(state, single && next == NONE && length >= 6 && length <= 80 ? length : 0, BEEP_FRAMES)
  return kind == LOW ? lowEnded(state, length) : 0
}

/** E.180: ringing is on for 0.7 to 2.5 s, busy and congestion for 0.1 to 0.66 s with pauses as long. */
function lowEnded(state: usize, length: i32): i32 {
  const like = abs(length - load<i32>(state, LAST_ON)) <= 4 && inBusyPause(state)
  store<i32>(state, length <= 36 ? (like ? load<i32>(state, CYCLES) + 1 : 1) : 0, CYCLES)
  store<i32>(state, length, LAST_ON)
  return length >= 38 && length <= 130 ? TONE_RINGBACK : 0
}
