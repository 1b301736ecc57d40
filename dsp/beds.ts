/**
 * Beds: background sound under the agent's voice, so that the line does not sound dead while Andrea
 * thinks.
 *
 * Generated from a fixed seed, so nobody's recording is in the repository and every server sounds
 * the same. A bed is a loop: whatever rings past its end is folded back onto its start, and so the
 * joint is like any other place.
 */

import { lowPass } from './filters.ts'

export type BedName = 'none' | 'office' | 'cafe' | 'callcenter'
export const BED_NAMES = ['office', 'cafe', 'callcenter'] as const

/** Whether a bed of this name comes with the core; others are uploaded (uploaded-beds.ts). */
export function isBuiltInBed(name: string): name is Exclude<BedName, 'none'> {
  return (BED_NAMES as readonly string[]).includes(name)
}

/** Long enough not to be heard as a rhythm; 576 KB at 48 kHz. */
export const LOOP_SEC = 6
/** RMS −26 dBFS at bedGain 1: at the usual gain of 0.3 about 25 dB under a voice. */
const LOOP_RMS = 0.05

type Random = () => number

/** mulberry32: small, seeded, good enough for noise. −1…1. */
function seededRandom(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2_147_483_648 - 1
  }
}

interface Sketch {
  loop: Float32Array
  rateHz: number
  random: Random
}

/** Adds `length` samples of `sound` at `start`, folded into the loop. */
function addSound(
  sketch: Sketch,
  at: { start: number; length: number },
  sound: (n: number) => number,
): void {
  const { loop } = sketch
  for (let n = 0; n < at.length; n++) {
    const place = (at.start + n) % loop.length
    loop[place] = (loop[place] ?? 0) + sound(n)
  }
}

/**
 * Air: noise through a one-pole low-pass, run twice around so that the filter's state closes the
 * circle.
 */
function addAir(sketch: Sketch, cutoffHz: number, gain: number): void {
  const { loop, rateHz, random } = sketch
  const noise = Float32Array.from(loop, () => random())
  const k = 1 - Math.exp((-2 * Math.PI * cutoffHz) / rateHz)
  const scale = gain / Math.sqrt(k / (2 - k))
  let y = 0
  for (let n = 0; n < loop.length * 2; n++) {
    const place = n % loop.length
    y += k * ((noise[place] ?? 0) - y)
    if (n >= loop.length) loop[place] = (loop[place] ?? 0) + y * scale
  }
}

/** A distant voice: syllables of a harmonic tone under two wandering resonances, no words. */
function addMurmur(sketch: Sketch, pitchHz: number, gain: number): void {
  const { loop, rateHz, random } = sketch
  let start = Math.floor((random() + 1) * 0.5 * loop.length)
  let left = loop.length
  while (left > 0) {
    const length = Math.floor(rateHz * (0.14 + 0.08 * random()))
    const f1 = 500 + 200 * random()
    const f2 = 1_400 + 500 * random()
    const pitch = pitchHz * (1 + 0.12 * random())
    const strength = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((h) => {
      const near = (f: number, width: number): number => 1 / (1 + ((h * pitch - f) / width) ** 2)
      return (near(f1, 120) + 0.5 * near(f2, 160)) / Math.sqrt(h)
    })
    const phase = random() * Math.PI
    addSound(sketch, { start, length }, (n) => {
      const envelope = Math.sin((Math.PI * n) / length) ** 2
      const step = (2 * Math.PI * pitch * n) / rateHz + phase
      let sum = 0
      for (let h = 0; h < strength.length; h++) sum += (strength[h] ?? 0) * Math.sin(step * (h + 1))
      return gain * envelope * sum
    })
    const pause = random() > 0.6 ? 0.4 + 0.3 * random() : 0.02
    const used = length + Math.floor(pause * rateHz)
    start += used
    left -= used
  }
}

/** Keyboards, cups: a short burst of a few decaying partials. */
function addTaps(
  sketch: Sketch,
  taps: { count: number; hz: number; decaySec: number; gain: number },
): void {
  const { loop, rateHz, random } = sketch
  for (let i = 0; i < taps.count; i++) {
    const start = Math.floor((random() + 1) * 0.5 * loop.length)
    const hz = Math.min(taps.hz * (1 + 0.3 * random()), rateHz * 0.45)
    const strength = taps.gain * (0.6 + 0.4 * random())
    const length = Math.floor(rateHz * taps.decaySec * 7)
    addSound(sketch, { start, length }, (n) => {
      const t = n / rateHz
      const attack = Math.min(1, t / 0.001)
      return strength * attack * Math.exp(-t / taps.decaySec) * Math.sin(2 * Math.PI * hz * t)
    })
  }
}

const RECIPES: Readonly<Record<Exclude<BedName, 'none'>, (sketch: Sketch) => void>> = {
  office(sketch) {
    addAir(sketch, 400, 1)
    addMurmur(sketch, 120, 0.5)
    addTaps(sketch, { count: 40, hz: 1_900, decaySec: 0.006, gain: 1.6 })
  },
  cafe(sketch) {
    addAir(sketch, 700, 0.6)
    for (const pitch of [105, 130, 175, 210, 235]) addMurmur(sketch, pitch, 0.8)
    addTaps(sketch, { count: 14, hz: 2_900, decaySec: 0.05, gain: 1 })
  },
  callcenter(sketch) {
    addAir(sketch, 500, 0.6)
    for (const pitch of [115, 140, 190, 220]) addMurmur(sketch, pitch, 0.7)
    addTaps(sketch, { count: 70, hz: 2_100, decaySec: 0.005, gain: 1.2 })
  },
}

/** The loop at 8 kHz. Above 4 kHz a room far away has nothing to say. */
function synthesize(name: Exclude<BedName, 'none'>): Float32Array {
  const seed = 1 + BED_NAMES.indexOf(name)
  const sketch: Sketch = {
    loop: new Float32Array(LOOP_SEC * 8_000),
    rateHz: 8_000,
    random: seededRandom(seed),
  }
  RECIPES[name](sketch)
  const power = sketch.loop.reduce((sum, x) => sum + x * x, 0) / sketch.loop.length
  const scale = LOOP_RMS / Math.sqrt(power)
  return sketch.loop.map((x) => x * scale)
}

/** Raises a loop's rate from 8 kHz, around the circle. */
function raiseRate(loop: Float32Array, toHz: number): Float32Array {
  const up = toHz / 8_000
  if (up === 1) return loop
  const tapsPerPhase = 48
  const taps = Float32Array.from(lowPass(up * tapsPerPhase, 3_900 / toHz), (tap) => tap * up)
  const before = Float32Array.from([...loop.subarray(loop.length - tapsPerPhase), ...loop])
  const out = new Float32Array(loop.length * up)
  for (let n = 0; n < loop.length; n++) {
    for (let phase = 0; phase < up; phase++) {
      let sum = 0
      for (let t = 0; t < tapsPerPhase; t++) {
        sum += (taps[phase + t * up] ?? 0) * (before[tapsPerPhase + n - t] ?? 0)
      }
      out[n * up + phase] = sum
    }
  }
  return out
}

const cache = new Map<string, Int16Array>()

/**
 * A bed at a rate: LOOP_SEC of mono PCM, the same samples in every process. Computed once per
 * process.
 */
export function bedLoop(name: Exclude<BedName, 'none'>, rateHz: number): Int16Array {
  const key = `${name}-${rateHz}`
  const known = cache.get(key)
  if (known !== undefined) return known
  const narrow = cache.get(`${name}-8000`)
  const loop =
    narrow === undefined ? synthesize(name) : Float32Array.from(narrow, (x) => x / 32_767)
  const pcm = Int16Array.from(raiseRate(loop, rateHz), (x) =>
    Math.round(Math.max(-1, Math.min(1, x)) * 32_767),
  )
  cache.set(key, pcm)
  return pcm
}
