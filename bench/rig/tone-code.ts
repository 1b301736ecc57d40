/**
 * Tone code: a sound in which every 20 ms frame says which frame it is, so that an echo can be
 * matched frame by frame after decoding, resampling, mixing and encoding.
 *
 *   frame n  ─►  one of 8 tones, by a seeded sequence of 1 024 symbols in which no 4 neighbours occur twice
 *
 * A chain may shift the sound by part of a frame. Of a frame's two halves one is always free of the
 * neighbour's tone, so both are decoded and the cleaner one is used (echo-probe.ts decides).
 */
import { DECODED, encodeSample } from './mulaw.ts'

/**
 * 300 Hz apart: three times the 100 Hz that 10 ms can tell apart; all inside the telephone band.
 */
const TONES_HZ = [600, 900, 1_200, 1_500, 1_800, 2_100, 2_400, 2_700]
const RATE_HZ = 8_000
const FRAME_SAMPLES = 160
export const HALF_SAMPLES = 80
/** −12 dBFS: loud enough for 8 bits, no work for a limiter. */
const AMPLITUDE = 8_192
/** Below −40 dBFS a half frame holds no tone. */
const SILENT_POWER = 327 ** 2
/** A tone must hold this share of the power, else the frame is damaged. */
const PURE_SHARE = 0.7

export const CODE_LENGTH = 1_024
/** So many symbols in a row name one place in the sequence. */
export const WORD_LENGTH = 4

/** mulberry32: a small seeded generator of numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export class ToneCode {
  readonly symbols: readonly number[]
  /** The base64 (216 ASCII bytes) of each place's frame. */
  readonly frames: readonly Buffer[]
  readonly #places = new Map<number, number>()

  constructor(seed: number) {
    this.symbols = makeSequence(seededRandom(seed), this.#places)
    const bySymbol = TONES_HZ.map((hz) => toneFrame(hz))
    this.frames = this.symbols.map((symbol) => bySymbol[symbol] ?? Buffer.alloc(0))
  }

  /** The place (0…1023) where these four symbols begin, or null when they occur nowhere. */
  placeOf(word: readonly number[]): number | null {
    return this.#places.get(wordKey(word)) ?? null
  }
}

/**
 * The tone in half a frame of PCMU (80 bytes from `from`): 0…7; −1 silence; −2 no clear tone. `expected` is looked for first: the
 * tones are orthogonal over 10 ms, so that only one can hold PURE_SHARE of the power, and no other need be asked when it does.
 * Synchronous, no allocation, about 0.2 µs for the expected tone and 0.7 µs for another.
 */
export function decodeHalf(payload: Uint8Array, from: number, expected = -1): number {
  let power = 0
  for (let i = from; i < from + HALF_SAMPLES; i++) power += (DECODED[payload[i] ?? 0xff] ?? 0) ** 2
  power /= HALF_SAMPLES
  if (power < SILENT_POWER) return -1
  const least = power * PURE_SHARE
  if (expected >= 0 && tonePower(payload, from, COEFFICIENTS[expected] ?? 0) > least)
    return expected
  let best = -2
  let bestPower = least
  for (let tone = 0; tone < COEFFICIENTS.length; tone++) {
    const found = tonePower(payload, from, COEFFICIENTS[tone] ?? 0)
    if (found > bestPower) {
      best = tone
      bestPower = found
    }
  }
  return best
}

const COEFFICIENTS = TONES_HZ.map((hz) => 2 * Math.cos((2 * Math.PI * hz) / RATE_HZ))

/** Goertzel; the mean power of a pure tone equals the mean power of the samples. */
function tonePower(payload: Uint8Array, from: number, coefficient: number): number {
  let before = 0
  let last = 0
  for (let i = from; i < from + HALF_SAMPLES; i++) {
    const next = (DECODED[payload[i] ?? 0xff] ?? 0) + coefficient * last - before
    before = last
    last = next
  }
  const squared = last * last + before * before - coefficient * last * before
  return (2 * squared) / HALF_SAMPLES ** 2
}

/** Every tone is a multiple of 50 Hz, so each frame holds whole periods and begins at phase 0. */
function toneFrame(hz: number): Buffer {
  const payload = Buffer.alloc(FRAME_SAMPLES)
  for (let i = 0; i < FRAME_SAMPLES; i++) {
    payload[i] = encodeSample(Math.round(AMPLITUDE * Math.sin((2 * Math.PI * hz * i) / RATE_HZ)))
  }
  return Buffer.from(payload.toString('base64'), 'latin1')
}

function wordKey(word: readonly number[]): number {
  return word.reduce((key, symbol) => key * TONES_HZ.length + symbol, 0)
}

/**
 * Draws symbols so that neighbours differ and no word repeats, also across the seam; starts over
 * when it is stuck.
 */
function makeSequence(random: () => number, places: Map<number, number>): number[] {
  for (;;) {
    places.clear()
    const symbols: number[] = []
    const fits = (at: number): boolean => {
      const word = Array.from(
        { length: WORD_LENGTH },
        (_, i) => symbols[(at + i) % CODE_LENGTH] ?? 0,
      )
      const key = wordKey(word)
      if (places.has(key)) return false
      places.set(key, at)
      return true
    }
    while (symbols.length < CODE_LENGTH && extend(symbols, random, fits));
    const seamFits = symbols[0] !== symbols.at(-1) && [3, 2, 1].every((n) => fits(CODE_LENGTH - n))
    if (symbols.length === CODE_LENGTH && seamFits) return symbols
  }
}

function extend(symbols: number[], random: () => number, fits: (at: number) => boolean): boolean {
  for (let attempt = 0; attempt < 64; attempt++) {
    const symbol = Math.floor(random() * TONES_HZ.length)
    if (symbol === symbols.at(-1)) continue
    symbols.push(symbol)
    if (symbols.length < WORD_LENGTH || fits(symbols.length - WORD_LENGTH)) return true
    symbols.pop()
  }
  return false
}
