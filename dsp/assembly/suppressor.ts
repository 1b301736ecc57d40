/**
 * Noise suppressor: takes steady noise out of the user's audio, for speech-to-text only.
 *
 *   window of 256 ─► FFT ─► power ─► noise of each bin ─► gain ─► smoothed over bins ─► FFT⁻¹ ─► window ─► overlap-add
 *   two per frame           │         presence of speech,   Wiener, decision-directed                          late by
 *                           └─────────  lowest of a second                                                  10 or 6 ms
 *
 * The window rises slowly and falls fast, so that a spectrum of 32 ms costs no more delay than a
 * window of 20 ms. The gain follows the speech that was found one step before (decision-directed,
 * Ephraim and Malah 1984), which is what keeps single bins from flickering as musical tones.
 *
 * The noise of a bin follows its power by how likely speech is absent there (Gerkmann and Hendriks
 * 2012), and never lies under the lowest power of the last 1 to 2 s: after a step it is found again
 * even where every frame looks like speech.
 *
 * 128 bins; the last one (half the rate, where no line has audio) shares the gain of the first.
 */
import { mirrored, transform } from './fft'
import { moveSamples } from './pcm'
import { SUPPRESSOR_STATE } from './slot'
import { FFT_ORDER, FFT_SPLIT_COS, FFT_SPLIT_SIN } from './tables'

/** A table (dsp/suppressor-tables.ts), i32: hop and overlap in samples; then two windows of 256 f32. */
const HOP: usize = 0
const OVERLAP: usize = 4
/** f32: noise lies at most so far above the lowest power; a held vowel is not to be learnt as noise. */
const MOST_OVER_LOWEST: usize = 8
const ANALYSIS: usize = 16
const SYNTHESIS: usize = ANALYSIS + 1024

/** The least a priori SNR: a gain of −16.3 dB; steady noise is taken down by 13 on average. */
const PRIOR_LOWEST: f32 = 0.18
/** Share of the step before in the a priori SNR: more is smoother, less loses less of a word's start. */
const DECISION: f32 = 0.88
/** exp(−γ · ξ ÷ (1 + ξ)) as a power of two, ξ = 15 dB where there is speech. */
const PRESENT_SLOPE: f32 = 1.3985
const PRESENT_ODDS: f32 = 32.62
/** Of one hop, where there is no speech: 0.3 s. Faster, and it follows the ends of words. */
const NOISE_SMOOTHING: f32 = 0.03
/** Smoothing before the minimum is taken, over 1 to 2 s: within that, everybody breathes. */
const POWER_SMOOTHING: f32 = 0.3
const MINIMUM_HOPS: i32 = 100
/** BEGUN when the lowest power is one of whole windows, and the limit until then. */
const KNOWN: i32 = 3
const FAR: f32 = 1e12
/** Power of a bin of white noise at −80 dBFS: nothing below is noise worth finding. */
const QUIETEST: f32 = 1.3e-6

// State, from SUPPRESSOR_STATE; SUPPRESSOR_STATE_BYTES in slot.ts covers it.
const AGE: usize = 0
const BEGUN: usize = 4
const TAIL: usize = 16
const OVERLAPPED: usize = TAIL + 176 * 4
const NOISE: usize = OVERLAPPED + 96 * 4
const CLEAN: usize = NOISE + 512
const SMOOTH: usize = CLEAN + 512
const LOWEST: usize = SMOOTH + 512
const LOWEST_BEFORE: usize = LOWEST + 512

// Scratch: 256 + a hop of input, two FFTs, power and gain with a bin to spare on both sides.
const INPUT: usize = 0
const WORK: usize = 1664
const POWER: usize = WORK + 1024
const GAIN: usize = POWER + 512 + 16
const BACK: usize = GAIN + 512 + 16
const OUT: usize = BACK + 1024
/** In the work area of the resamplers, idle meanwhile: RESAMPLER_WORK_BYTES is more. */
export const SUPPRESSOR_WORK_BYTES: usize = OUT + 1024

/**
 * In place over one frame of 20 ms: two hops of `table` at `samples`, late by its overlap. `work`:
 * SUPPRESSOR_WORK_BYTES.
 */
export function suppressNoise(slot: usize, table: usize, samples: usize, work: usize): void {
  const state = slot + SUPPRESSOR_STATE
  const hop: usize = (<usize>load<i32>(table, HOP)) << 2
  const tail: usize = 1024 - hop
  moveSamples(work + INPUT, state + TAIL, tail)
  moveSamples(work + INPUT + tail, samples, hop << 1)
  moveSamples(state + TAIL, work + INPUT + (hop << 1), tail)
  takeHop(state, table, work + INPUT, samples, work)
  takeHop(state, table, work + INPUT + hop, samples + hop, work)
}

function takeHop(state: usize, table: usize, input: usize, out: usize, work: usize): void {
  forward(table + ANALYSIS, input, work)
  findGains(state, load<f32>(table, MOST_OVER_LOWEST), work)
  backward(work)
  const hop: usize = (<usize>load<i32>(table, HOP)) << 2
  const overlap: usize = (<usize>load<i32>(table, OVERLAP)) << 2
  const from = work + OUT + (1024 - hop - overlap)
  const window = table + SYNTHESIS + (1024 - hop - overlap)
  let at: usize = 0
  for (; at < overlap; at += 16) {
    const fresh = f32x4.mul(v128.load(from + at), v128.load(window + at))
    v128.store(out + at, f32x4.add(fresh, v128.load(state + OVERLAPPED + at)))
  }
  for (; at < hop; at += 16) {
    v128.store(out + at, f32x4.mul(v128.load(from + at), v128.load(window + at)))
  }
  for (let left: usize = 0; left < overlap; left += 16) {
    const late = f32x4.mul(v128.load(from + hop + left), v128.load(window + hop + left))
    v128.store(state + OVERLAPPED + left, late)
  }
}

/** [in] 256 f32. [out] the 128-point FFT of their pairs in WORK, 128 powers in POWER. */
function forward(window: usize, input: usize, base: usize): void {
  const work = base + WORK
  for (let i: usize = 0; i < 128; i += 2) {
    const at = i << 3
    const two = f32x4.mul(v128.load(input + at), v128.load(window + at))
    const first = work + ((<usize>load<u32>(FFT_ORDER + (i << 2))) << 2)
    const second = work + ((<usize>load<u32>(FFT_ORDER + (i << 2), 4)) << 2)
    v128.store_lane<f32>(first, two, 0)
    v128.store_lane<f32>(first, two, 1, 512)
    v128.store_lane<f32>(second, two, 2)
    v128.store_lane<f32>(second, two, 3, 512)
  }
  transform(work)
  const half = f32x4.splat(0.5)
  for (let at: usize = 0; at < 512; at += 16) {
    const ar = v128.load(work + at)
    const ai = v128.load(work + at, 512)
    const br = mirrored(work, at)
    const bi = f32x4.neg(mirrored(work + 512, at))
    const or = f32x4.mul(f32x4.sub(ai, bi), half)
    const oi = f32x4.mul(f32x4.sub(br, ar), half)
    const c = v128.load(FFT_SPLIT_COS + at)
    const s = v128.load(FFT_SPLIT_SIN + at)
    const er = f32x4.mul(f32x4.add(ar, br), half)
    const ei = f32x4.mul(f32x4.add(ai, bi), half)
    const re = f32x4.add(f32x4.add(er, f32x4.mul(or, c)), f32x4.mul(oi, s))
    const im = f32x4.sub(f32x4.add(ei, f32x4.mul(oi, c)), f32x4.mul(or, s))
    v128.store(base + POWER + at, f32x4.add(f32x4.mul(re, re), f32x4.mul(im, im)))
  }
}

/** Follows the noise of every bin, and leaves a gain for each in GAIN. */
function findGains(state: usize, mostOverLowest: f32, work: usize): void {
  if (!load<i32>(state, BEGUN)) begin(state, work)
  const closing = load<i32>(state, AGE) + 1 >= MINIMUM_HOPS
  store<i32>(state, closing ? 0 : load<i32>(state, AGE) + 1, AGE)
  const known = load<i32>(state, BEGUN)
  if (closing && known < KNOWN) store<i32>(state, known + 1, BEGUN)
  const one = f32x4.splat(1)
  const quietest = f32x4.splat(QUIETEST)
  const odds = f32x4.splat(PRESENT_ODDS)
  const slope = f32x4.splat(-PRESENT_SLOPE)
  const noiseShare = f32x4.splat(NOISE_SMOOTHING)
  const powerShare = f32x4.splat(POWER_SMOOTHING)
  const decision = f32x4.splat(DECISION)
  const news = f32x4.splat(<f32>1 - DECISION)
  const priorLowest = f32x4.splat(PRIOR_LOWEST)
  const zero = f32x4.splat(0)
  const most = f32x4.splat(known == KNOWN ? mostOverLowest : FAR)
  for (let at: usize = 0; at < 512; at += 16) {
    const bin = state + at
    const power = v128.load(work + POWER + at)
    const before = v128.load(bin + NOISE)
    const unlikely = powerOfTwo(f32x4.mul(f32x4.div(power, before), slope))
    const presence = f32x4.div(one, f32x4.add(one, f32x4.mul(odds, unlikely)))

    const smoothBefore = v128.load(bin + SMOOTH)
    const smooth = f32x4.add(smoothBefore, f32x4.mul(powerShare, f32x4.sub(power, smoothBefore)))
    v128.store(bin + SMOOTH, smooth)
    const lowest = f32x4.pmin(v128.load(bin + LOWEST), smooth)
    const earlier = v128.load(bin + LOWEST_BEFORE)
    v128.store(bin + LOWEST, closing ? smooth : lowest)
    if (closing) v128.store(bin + LOWEST_BEFORE, lowest)

    const absent = f32x4.mul(noiseShare, f32x4.sub(one, presence))
    const followed = f32x4.add(before, f32x4.mul(absent, f32x4.sub(power, before)))
    const least = f32x4.pmax(f32x4.pmin(lowest, earlier), quietest)
    const noise = f32x4.pmax(f32x4.pmin(followed, f32x4.mul(most, least)), least)
    v128.store(bin + NOISE, noise)

    const over = f32x4.div(one, noise)
    const posterior = f32x4.pmax(f32x4.sub(f32x4.mul(power, over), one), zero)
    const prior = f32x4.pmax(
      f32x4.add(
        f32x4.mul(decision, f32x4.mul(v128.load(bin + CLEAN), over)),
        f32x4.mul(news, posterior),
      ),
      priorLowest,
    )
    const gain = f32x4.div(prior, f32x4.add(one, prior))
    v128.store(bin + CLEAN, f32x4.mul(f32x4.mul(gain, gain), power))
    v128.store(work + GAIN + at, gain)
  }
}

/** The first hop of a call: all that is known of the noise is this. */
function begin(state: usize, work: usize): void {
  for (let at: usize = 0; at < 512; at += 16) {
    const power = f32x4.pmax(v128.load(work + POWER + at), f32x4.splat(QUIETEST))
    v128.store(state + NOISE + at, power)
    v128.store(state + SMOOTH + at, power)
    v128.store(state + LOWEST + at, power)
  }
  store<i32>(state, 1, BEGUN)
}

/**
 * Applies the gains, smoothed over three bins, to the spectrum in WORK; [out] 256 f32 in OUT.
 *
 *   pairs' spectrum A = E + iO, W = e^(−2πik/256), gains g of k and h of 128 − k:
 *   A' = (g + h)/2 · A + (g − h)/2 · (W·O + i·W*·E)
 */
function backward(base: usize): void {
  const work = base + WORK
  const back = base + BACK
  const gains = base + GAIN
  // A neighbour for the first and for the last bin.
  store<f32>(gains - 4, load<f32>(gains, 4))
  store<f32>(gains, load<f32>(gains, 508), 512)
  smoothGains(gains, base + POWER)
  const smoothed = base + POWER
  const half = f32x4.splat(0.5)
  for (let at: usize = 0; at < 512; at += 16) {
    const ar = v128.load(work + at)
    const ai = v128.load(work + at, 512)
    const br = mirrored(work, at)
    const bi = f32x4.neg(mirrored(work + 512, at))
    const er = f32x4.mul(f32x4.add(ar, br), half)
    const ei = f32x4.mul(f32x4.add(ai, bi), half)
    const or = f32x4.mul(f32x4.sub(ai, bi), half)
    const oi = f32x4.mul(f32x4.sub(br, ar), half)
    const c = v128.load(FFT_SPLIT_COS + at)
    const s = v128.load(FFT_SPLIT_SIN + at)
    const g = v128.load(smoothed + at)
    const h = mirrored(smoothed, at)
    const sum = f32x4.mul(f32x4.add(g, h), half)
    const difference = f32x4.mul(f32x4.sub(g, h), half)
    // W·O = (c − is)(or + i·oi), W*·E = (c + is)(er + i·ei).
    const woRe = f32x4.add(f32x4.mul(or, c), f32x4.mul(oi, s))
    const woIm = f32x4.sub(f32x4.mul(oi, c), f32x4.mul(or, s))
    const weRe = f32x4.sub(f32x4.mul(er, c), f32x4.mul(ei, s))
    const weIm = f32x4.add(f32x4.mul(ei, c), f32x4.mul(er, s))
    const re = f32x4.add(f32x4.mul(sum, ar), f32x4.mul(difference, f32x4.sub(woRe, weIm)))
    const im = f32x4.add(f32x4.mul(sum, ai), f32x4.mul(difference, f32x4.add(woIm, weRe)))
    scatter(back, at, re, im)
  }
  transform(back)
  const scale = f32x4.splat(1 / 128)
  for (let at: usize = 0; at < 512; at += 16) {
    // Turned parts in, turned parts out: that makes a forward transform an inverse one.
    const even = f32x4.mul(v128.load(back + at, 512), scale)
    const odd = f32x4.mul(v128.load(back + at), scale)
    const to = base + OUT + (at << 1)
    v128.store(to, v128.shuffle<f32>(even, odd, 0, 4, 1, 5))
    v128.store(to, v128.shuffle<f32>(even, odd, 2, 6, 3, 7), 16)
  }
}

/**
 * ¼, ½, ¼ over neighbouring bins, so that a lone bin does not ring; but at least the cube of its own,
 * so that a line of a voice between two of noise keeps what it has.
 */
function smoothGains(gains: usize, out: usize): void {
  const quarter = f32x4.splat(0.25)
  for (let at: usize = 0; at < 512; at += 16) {
    const centre = v128.load(gains + at)
    const sides = f32x4.add(v128.load(gains + at - 4), v128.load(gains + at + 4))
    const all = f32x4.add(f32x4.add(centre, centre), sides)
    const alone = f32x4.mul(centre, f32x4.mul(centre, centre))
    v128.store(out + at, f32x4.pmax(f32x4.mul(all, quarter), alone))
  }
}

/** Four bins into bit-reversed places, real and imaginary parts changed about. */
function scatter(back: usize, at: usize, re: v128, im: v128): void {
  const a = back + ((<usize>load<u32>(FFT_ORDER + at)) << 2)
  const b = back + ((<usize>load<u32>(FFT_ORDER + at, 4)) << 2)
  const c = back + ((<usize>load<u32>(FFT_ORDER + at, 8)) << 2)
  const d = back + ((<usize>load<u32>(FFT_ORDER + at, 12)) << 2)
  v128.store_lane<f32>(a, im, 0)
  v128.store_lane<f32>(b, im, 1)
  v128.store_lane<f32>(c, im, 2)
  v128.store_lane<f32>(d, im, 3)
  v128.store_lane<f32>(a, re, 0, 512)
  v128.store_lane<f32>(b, re, 1, 512)
  v128.store_lane<f32>(c, re, 2, 512)
  v128.store_lane<f32>(d, re, 3, 512)
}

/** 2^x of four x ≤ 0 to 0.3 %; from −40 down it is 2^−40. */
function powerOfTwo(x: v128): v128 {
  const bounded = f32x4.pmax(x, f32x4.splat(-40))
  const whole = f32x4.floor(bounded)
  const part = f32x4.sub(bounded, whole)
  const exponent = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(whole), i32x4.splat(127)), 23)
  const bend = f32x4.add(f32x4.splat(0.6565), f32x4.mul(part, f32x4.splat(0.3435)))
  return f32x4.mul(exponent, f32x4.add(f32x4.splat(1), f32x4.mul(part, bend)))
}
