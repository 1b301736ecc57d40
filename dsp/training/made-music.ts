/**
 * Music that is made, not recorded: the tracks there are would soon be known by heart.
 *
 *   instrument (timbre, attack, vibrato) ─► notes ─┬─► madeMusic  chords and a melody at random
 *   hits ─► drums ─────────────────────────────────┴─► song       parts that come again, bar by bar
 */
import { addHit, anyHit, type Hit } from './hits.ts'
import { between, pick, type Random } from './random.ts'
import { RATE_HZ } from './signal.ts'

/**
 * Chords, a melody and sometimes a beat, played by one or two instruments of random timbre: plucked
 * or swelling, plain or in chorus, with vibrato or without.
 */
export function madeMusic(length: number, random: Random): Float32Array {
  const out = new Float32Array(length)
  const beat = Math.floor(RATE_HZ * between(random, 0.12, 0.8))
  const root = between(random, 70, 300)
  const scale = pick(random, SCALES)
  const drums = random() < 0.5
  const band = random() < 0.5 ? [instrument(random)] : [instrument(random), instrument(random)]
  for (let at = 0; at < length; at += beat) {
    const notes = Math.floor(random() * 4)
    for (let note = 0; note < notes; note++) {
      const hz = root * 2 ** (pick(random, scale) / 12 + Math.floor(random() * 3) - 0.5)
      const samples = Math.floor(beat * between(random, 0.7, 4))
      addNote(out, pick(random, band), { at, samples, hz })
    }
    if (drums && random() < 0.7) addHit(out, { at, hit: anyHit(random), random })
  }
  return out
}

interface Part {
  /** What is played on each of the 16 steps of a bar: semitones over the chord; null for nothing. */
  steps: (number | null)[]
  by: Instrument
  octave: number
  stepsHeld: number
  gain: number
}

/**
 * A song: bass, chords and a melody in bars that come again, notes held in tune, and a drum kit that
 * strikes through them. What is on the line when a radio is on.
 */
export function song(length: number, random: Random): Float32Array {
  const out = new Float32Array(length)
  const step = Math.floor(RATE_HZ * between(random, 0.07, 0.22))
  const root = between(random, 65, 130)
  const scale = pick(random, SCALES)
  const chords = Array.from({ length: 4 }, () => pick(random, scale) % 12)
  const parts = [
    part(random, { steps: [0, 0, 0, 7, 12], octave: 0, busy: between(random, 0.1, 0.6) }),
    part(random, { steps: [0, 4, 7], octave: 1, busy: between(random, 0.05, 0.4) }),
    part(random, { steps: scale, octave: random() < 0.5 ? 1 : 2, busy: between(random, 0, 0.5) }),
  ]
  const kit = random() < 0.7 ? drumKit(random) : []
  for (let n = 0, at = 0; at < length; n++, at = n * step) {
    const chord = chords[Math.floor(n / 16) % 4] ?? 0
    for (const { steps, by, octave, stepsHeld, gain } of parts) {
      const semitones = steps[n % 16] ?? null
      if (semitones === null) continue
      const hz = root * 2 ** (octave + (chord + semitones) / 12)
      const samples = Math.floor(step * stepsHeld * between(random, 0.9, 1.1))
      addNote(out, by, { at, samples, hz, gain })
    }
    for (const { beats, hit } of kit) if (beats[n % 16] === true) addHit(out, { at, hit, random })
  }
  return out
}

function part(random: Random, o: { steps: readonly number[]; octave: number; busy: number }): Part {
  return {
    steps: Array.from({ length: 16 }, () => (random() < o.busy ? pick(random, o.steps) : null)),
    by: instrument(random),
    octave: o.octave,
    stepsHeld: between(random, 0.8, 8),
    gain: between(random, 0.2, 1.2),
  }
}

/** Something low, something that hisses on every other beat, something short and quiet. */
function drumKit(random: Random): { beats: boolean[]; hit: Hit }[] {
  const loud = between(random, 0.3, 5)
  const seconds = [
    between(random, 0.05, 0.2),
    between(random, 0.06, 0.3),
    between(random, 0.01, 0.08),
  ]
  const share = [0.3, 0.1, 0.6]
  return seconds.map((sec, i) => ({
    beats: Array.from(
      { length: 16 },
      (_, n) => (i === 1 ? n % 8 === 4 : n % 8 === 0) || random() < share[i]! * random(),
    ),
    hit: {
      samples: Math.floor(RATE_HZ * sec),
      step:
        (2 * Math.PI * (i === 0 ? between(random, 50, 120) : between(random, 150, 3_000))) /
        RATE_HZ,
      noisy: i === 0 ? between(random, 0, 0.2) : between(random, 0.5, 1),
      gain: loud * (i === 2 ? 0.3 : 1) * between(random, 0.5, 1),
    },
  }))
}

const SCALES: readonly (readonly number[])[] = [
  [0, 2, 4, 5, 7, 9, 11, 12, 16, 19],
  [0, 2, 3, 5, 7, 8, 10, 12, 15, 19],
  [0, 3, 5, 7, 10, 12],
]

interface Instrument {
  /** One period of 512 samples for each number of harmonics that a pitch leaves room for. */
  waves: Float32Array[]
  attack: number
  fade: number
  vibrato: number
  vibratoRate: number
  detune: number
}

function instrument(random: Random): Instrument {
  const bright = between(random, 0.2, 0.97)
  const odd = random() < 0.3
  const peak = Math.floor(between(random, 1, 7))
  const gains = Array.from(
    { length: 16 },
    (_, k) => (odd && k % 2 === 1 ? 0.05 : 1) * bright ** Math.abs(k + 1 - peak) * random(),
  )
  const waves = gains.map((_, count) =>
    Float32Array.from({ length: 512 }, (__, n) => {
      let sum = 0
      for (let k = 0; k <= count; k++) {
        sum += (gains[k] ?? 0) * Math.sin((2 * Math.PI * (k + 1) * n) / 512 + k * k)
      }
      return sum
    }),
  )
  return {
    waves,
    attack: 1 / (RATE_HZ * between(random, 0.004, random() < 0.4 ? 0.5 : 0.03)),
    fade: between(random, 0.2, 6),
    vibrato: random() < 0.4 ? between(random, 0.001, 0.015) : 0,
    vibratoRate: (2 * Math.PI * between(random, 3, 8)) / RATE_HZ,
    detune: random() < 0.5 ? between(random, 0.002, 0.012) : 0,
  }
}

function addNote(
  out: Float32Array,
  by: Instrument,
  o: { at: number; samples: number; hz: number; gain?: number },
): void {
  const wave = by.waves[Math.min(15, Math.max(0, Math.floor(3_800 / o.hz) - 1))]
  if (wave === undefined) return
  const step = (512 * o.hz) / RATE_HZ
  const decay = Math.exp(-by.fade / o.samples)
  let [one, two, level] = [o.at % 512, 100, o.gain ?? 1]
  for (let n = 0; n < o.samples && o.at + n < out.length; n++) {
    const bend = by.vibrato > 0 ? 1 + by.vibrato * Math.sin(n * by.vibratoRate) : 1
    one += step * bend
    level *= decay
    let value = wave[one & 511] ?? 0
    if (by.detune > 0) {
      two += step * bend * (1 + by.detune)
      value += wave[two & 511] ?? 0
    }
    const end = Math.min(1, (o.samples - n) * 0.01)
    out[o.at + n] = (out[o.at + n] ?? 0) + level * Math.min(1, n * by.attack) * end * value
  }
}
