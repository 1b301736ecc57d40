/**
 * Filters of the resampler (assembly/resampler.ts): Kaiser windows around a sinc, for every pair of
 * a rate that comes in and a rate that goes out.
 *
 *            flat to   down 85 dB from   delay
 *   8 kHz    3.4 kHz   4.6 kHz           2.4 … 2.7 ms   also 16, 22.05, 24 or 48 kHz to 8 kHz
 *   16 kHz   6.8 kHz   9.2 kHz           1.2 ms
 *   24 kHz   9.4 kHz   12.7 kHz          0.8 … 1.6 ms
 *
 * Half-band and third-band filters cut at 4 kHz exactly, which makes every second or third tap zero
 * and puts 4.0 to 4.6 kHz at −6 dB and more: telephony has nothing there (ITU-T G.712 ends at
 * 3.4 kHz).
 */
import { constant, type Layout } from './layout.ts'

/** Kaiser's β for a stop band of −89 dB: 0.1102 · (89 − 8.7). */
const KAISER_BETA = 8.85

/** Odd-placed taps of the half-band filter (79 in all), and taps per phase of the third-band one. */
const TAPS = 40

export const LINE_RATES_HZ = [8_000, 16_000, 24_000, 48_000] as const
export const TTS_RATES_HZ = [8_000, 16_000, 22_050, 24_000, 48_000] as const
export type LineRateHz = (typeof LINE_RATES_HZ)[number]
export type TtsRateHz = (typeof TTS_RATES_HZ)[number]

/** Every conversion a slot can need: TTS rates to line rates, and so also a line's to 8 and 16 kHz. */
export const FILTER_KEYS: ReadonlyArray<readonly [number, number]> = TTS_RATES_HZ.flatMap((from) =>
  LINE_RATES_HZ.filter((to) => to !== from).map((to) => [from, to] as const),
)

/** Plans to choose instead, where 4.05 to 4.6 kHz must be silent too: 4.5 ms late. */
export const STRICT_KEYS = ['8000-16000-strict', '16000-8000-strict'] as const

type PlanKind =
  | 'POLYPHASE'
  | 'DOUBLE'
  | 'HALVE'
  | 'TRIPLE'
  | 'THIRD'
  | 'SIXTH'
  | 'SIXFOLD'
  | 'STRICT_DOUBLE'
  | 'STRICT_HALVE'

interface Plan {
  kind: PlanKind
  up: number
  down: number
  taps: number
  /** Samples of input in front of a block. */
  history: number
  coefficients: Float32Array
}

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

/** Low-pass of `length` taps with its −6 dB point at `cutoff` of the rate it runs at; sums to 1. */
export function lowPass(length: number, cutoff: number): Float64Array {
  const middle = (length - 1) / 2
  const taps = Float64Array.from({ length }, (_, n) => {
    const t = n - middle
    const sinc = t === 0 ? 2 * cutoff : Math.sin(2 * Math.PI * cutoff * t) / (Math.PI * t)
    return sinc * (bessel0(KAISER_BETA * Math.sqrt(1 - (t / middle) ** 2)) / bessel0(KAISER_BETA))
  })
  const sum = taps.reduce((a, b) => a + b, 0)
  return taps.map((tap) => tap / sum)
}

/** The taps of a half-band filter at odd distances from its middle: outermost first, one side. */
function halfBand(taps: number, gain: number): number[] {
  const middle = taps - 1
  const h = lowPass(2 * taps - 1, 1 / 4)
  const side = Array.from({ length: taps / 2 }, (_, t) => h[middle + taps - 1 - 2 * t] ?? 0)
  // The middle tap is applied as exactly a half, so the rest must sum to a half too.
  const sum = 2 * side.reduce((a, b) => a + b, 0)
  return side.map((tap) => (tap * gain * 0.5) / sum)
}

/** One phase of the third-band filter; the other is its mirror image, the third is the middle tap. */
function thirdBand(gain: number): number[] {
  const middle = (3 * TAPS - 2) / 2
  const h = lowPass(3 * TAPS - 1, 1 / 6)
  const phase = Array.from({ length: TAPS }, (_, t) => h[middle + middle - 3 * t] ?? 0)
  const sum = phase.reduce((a, b) => a + b, 0)
  return phase.map((tap) => (tap * gain) / 3 / sum)
}

/** (sum, difference) of each pair of mirrored taps, for assembly's triple(). */
function pairs(phase: readonly number[]): number[] {
  const reversed = phase.toReversed()
  return Array.from({ length: phase.length / 2 }, (_, t) => {
    const [p, q] = [reversed[t] ?? 0, phase[t] ?? 0]
    return [(p + q) / 2, (p - q) / 2]
  }).flat()
}

/** L phases of `taps`, time-reversed; each sums to 1, so that a constant stays one. */
function phases(up: number, taps: number, cutoff: number): number[] {
  const h = lowPass(up * taps, cutoff)
  return Array.from({ length: up }, (_, phase) => {
    const row = Array.from({ length: taps }, (_, t) => h[phase + (taps - 1 - t) * up] ?? 0)
    const sum = row.reduce((a, b) => a + b, 0)
    return row.map((tap) => tap / sum)
  }).flat()
}

const SHORT_TAPS = 10

/** At 16 kHz: from 3.4 to 4.05 kHz the Kaiser window needs 140 for 89 dB; two phases of a multiple of four. */
const STRICT_TAPS = 144
const STRICT_CUTOFF_HZ = 3_725

/** (sum, difference) of the two phases of a doubling filter of an even length, which mirror each other. */
function strictPairs(): number[] {
  const h = lowPass(STRICT_TAPS, STRICT_CUTOFF_HZ / 16_000)
  // Output 2n + p sums h[p + 2j] · x[n − j].
  const phase = Array.from({ length: STRICT_TAPS / 2 }, (_, j) => 2 * (h[2 * j] ?? 0))
  const sum = phase.reduce((a, b) => a + b, 0)
  return pairs(phase.map((tap) => tap / sum))
}

/** h[0], h[2] … and h[1], h[3] … of the first half of a halving filter of an even length. */
function strictHalves(): number[] {
  const h = lowPass(STRICT_TAPS, STRICT_CUTOFF_HZ / 16_000)
  const place = Array.from({ length: STRICT_TAPS / 4 }, (_, i) => 2 * i)
  return [...place.map((j) => h[j] ?? 0), ...place.map((j) => h[j + 1] ?? 0)]
}

function planOf(kind: PlanKind, up: number, down: number): Plan {
  const shape = { kind, up, down, taps: TAPS }
  const plan = (history: number, coefficients: number[]): Plan => ({
    ...shape,
    history,
    coefficients: Float32Array.from(coefficients),
  })
  switch (kind) {
    case 'DOUBLE':
      return plan(TAPS, halfBand(TAPS, 2))
    case 'HALVE':
      return plan(2 * TAPS, halfBand(TAPS, 1))
    case 'TRIPLE':
      return plan(TAPS, pairs(thirdBand(3)))
    case 'THIRD':
      return plan(3 * TAPS, thirdBand(1))
    case 'SIXTH':
      return plan(6 * TAPS + 2 * SHORT_TAPS, [...thirdBand(1), ...halfBand(SHORT_TAPS, 1)])
    case 'SIXFOLD':
      return plan(TAPS + 4, [...pairs(thirdBand(3)), ...halfBand(SHORT_TAPS, 2)])
    case 'STRICT_DOUBLE':
      return { ...plan(STRICT_TAPS / 2, strictPairs()), taps: STRICT_TAPS / 2 }
    case 'STRICT_HALVE':
      return { ...plan(STRICT_TAPS, strictHalves()), taps: STRICT_TAPS }
    case 'POLYPHASE':
      throw new RangeError('a polyphase plan needs its taps and cutoff')
  }
}

/** `cutoffHz` is the −6 dB point. */
function polyphase(fromHz: number, toHz: number, o: { taps: number; cutoffHz: number }): Plan {
  let [a, b] = [fromHz, toHz]
  while (b > 0) [a, b] = [b, a % b]
  const up = toHz / a
  const coefficients = phases(up, o.taps, o.cutoffHz / (fromHz * up))
  return {
    kind: 'POLYPHASE',
    up,
    down: fromHz / a,
    taps: o.taps,
    history: o.taps,
    coefficients: Float32Array.from(coefficients),
  }
}

const PLANS: Readonly<Record<string, () => Plan>> = {
  '8000-16000': () => planOf('DOUBLE', 2, 1),
  '8000-16000-strict': () => planOf('STRICT_DOUBLE', 2, 1),
  '16000-8000-strict': () => planOf('STRICT_HALVE', 1, 2),
  '24000-48000': () => planOf('DOUBLE', 2, 1),
  '16000-8000': () => planOf('HALVE', 1, 2),
  '48000-24000': () => planOf('HALVE', 1, 2),
  '8000-24000': () => planOf('TRIPLE', 3, 1),
  '16000-48000': () => planOf('TRIPLE', 3, 1),
  '24000-8000': () => planOf('THIRD', 1, 3),
  '48000-16000': () => planOf('THIRD', 1, 3),
  '48000-8000': () => planOf('SIXTH', 1, 6),
  '8000-48000': () => planOf('SIXFOLD', 6, 1),
  '16000-24000': () => polyphase(16_000, 24_000, { taps: 40, cutoffHz: 8_000 }),
  '24000-16000': () => polyphase(24_000, 16_000, { taps: 60, cutoffHz: 8_000 }),
  '22050-8000': () => polyphase(22_050, 8_000, { taps: 104, cutoffHz: 4_000 }),
  '22050-16000': () => polyphase(22_050, 16_000, { taps: 52, cutoffHz: 8_000 }),
  '22050-24000': () => polyphase(22_050, 24_000, { taps: 40, cutoffHz: 11_025 }),
  '22050-48000': () => polyphase(22_050, 48_000, { taps: 40, cutoffHz: 11_025 }),
}

const HEADER_BYTES = 32
const cache = new Map<string, Plan>()

function planFor(key: string): Plan | null {
  const known = cache.get(key)
  if (known !== undefined) return known
  const plan = PLANS[key]?.() ?? null
  if (plan !== null) cache.set(key, plan)
  return plan
}

/** Bytes of a plan in memory; 0 when the rates need none. */
export function planBytes(key: string): number {
  const plan = planFor(key)
  return plan === null ? 0 : HEADER_BYTES + plan.coefficients.byteLength
}

/** Samples of input that must lie in front of a block; 0 when the rates need no conversion. */
export function planHistory(key: string): number {
  return planFor(key)?.history ?? 0
}

/** The table that assembly/resampler.ts reads. Throws RangeError when there is no such plan. */
export function planTable(key: string, layout: Layout): Uint8Array {
  const plan = planFor(key)
  if (plan === null) throw new RangeError(`no resampling plan ${key}`)
  const bytes = new Uint8Array(planBytes(key))
  new Int32Array(bytes.buffer, 0, 5).set([
    constant(layout, `KIND_${plan.kind}`),
    plan.up,
    plan.down,
    plan.taps,
    plan.history,
  ])
  new Float32Array(bytes.buffer, HEADER_BYTES).set(plan.coefficients)
  return bytes
}
