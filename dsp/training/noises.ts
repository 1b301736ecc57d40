/**
 * The noises the VAD is trained under. Each kind is drawn anew from the seed for every mix: what is
 * learnt is that noise varies, not a list. The kinds and parameters of the test (conditions.ts) are
 * others on purpose.
 */
import { between, gauss, pick, type Random } from './random.ts'
import { addAt, atSpeed, inRoom, RATE_HZ, rms } from './signal.ts'

export interface NoiseSources {
  voices: readonly Float32Array[]
  music: readonly Float32Array[]
}

type Noise = (length: number, random: Random, from: NoiseSources) => Float32Array

/** Noise through two random resonances and a tilt, its loudness wandering or pulsing. */
const coloured: Noise = (length, random) => {
  const tilt = between(random, -0.5, 0.97)
  const poles = [0, 1].map(() => {
    const radius = random() < 0.5 ? 0 : between(random, 0.5, 0.97)
    const angle = between(random, 0.05, 3)
    return { a: 2 * radius * Math.cos(angle), b: -radius * radius, y1: 0, y2: 0 }
  })
  const [first, second] = [poles[0]!, poles[1]!]
  const pulse = random() < 0.3 ? between(random, 0.2, 0.95) : 0
  const pulseRate = (2 * Math.PI * between(random, 0.2, 7)) / RATE_HZ
  const wander = random() < 0.4 ? between(random, 0.0005, 0.004) : 0
  let low = 0
  let level = 0
  const out = new Float32Array(length)
  for (let n = 0; n < length; n++) {
    low = tilt * low + gauss(random)
    const y = low + first.a * first.y1 + first.b * first.y2
    first.y2 = first.y1
    first.y1 = y
    const w = y + second.a * second.y1 + second.b * second.y2
    second.y2 = second.y1
    second.y1 = w
    if (wander > 0) level = 0.9999 * level + wander * gauss(random)
    out[n] = w * Math.exp(level) * (1 + pulse * Math.sin(n * pulseRate))
  }
  return out
}

/** 5 to 12 people at once, near and far. */
const babble: Noise = (length, random, { voices }) => {
  const out = new Float32Array(length)
  const talkers = 5 + Math.floor(random() * 8)
  for (let talker = 0; talker < talkers; talker++) {
    const near = 10 ** -between(random, 0, 0.4)
    const speed = between(random, 0.8, 1.25)
    for (let at = -Math.floor(random() * 16_000); at < length;) {
      const said = atSpeed(pick(random, voices), speed)
      addAt(out, said, at, near / rms(said))
      at += said.length + Math.floor(between(random, 0, 4_000))
    }
  }
  return random() < 0.5 ? inRoom(out, random) : out
}

const recordedMusic: Noise = (length, random, { music }) => {
  const track = pick(random, music)
  const speed = between(random, 0.6, 1.6)
  const needed = Math.ceil(length * speed) + 8
  const from = Math.floor(random() * Math.max(1, track.length - needed))
  const played = atSpeed(track.subarray(from, from + needed), speed)
  const out = new Float32Array(length)
  for (let at = 0; at < length; at += Math.max(1, played.length)) addAt(out, played, at, 1)
  return out
}

/**
 * Chords, a melody and sometimes a beat, played by one or two instruments of random timbre: plucked
 * or swelling, plain or in chorus, with vibrato or without.
 */
const madeMusic: Noise = (length, random) => {
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
const song: Noise = (length, random) => {
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

/** A knock, a key, a drum: a resonance or a burst of noise that dies within 10 to 200 ms. */
interface Hit {
  samples: number
  step: number
  noisy: number
  gain: number
}

function anyHit(random: Random): Hit {
  return {
    samples: Math.floor(RATE_HZ * between(random, 0.01, 0.2)),
    step: (2 * Math.PI * between(random, 60, 3_000)) / RATE_HZ,
    noisy: random(),
    gain: between(random, 1, 6),
  }
}

function addHit(out: Float32Array, o: { at: number; hit: Hit; random: Random }): void {
  const { samples, step, noisy, gain } = o.hit
  for (let n = 0; n < samples && o.at + n < out.length; n++) {
    const x = noisy * gauss(o.random) + (1 - noisy) * Math.sin(n * step)
    out[o.at + n] = (out[o.at + n] ?? 0) + gain * Math.exp((-5 * n) / samples) * x
  }
}

/** Knocks and keys over a faint hiss. */
const hits: Noise = (length, random) => {
  const out = Float32Array.from({ length }, () => 0.03 * gauss(random))
  const gap = between(random, 0.05, 1.2) * RATE_HZ
  for (let at = Math.floor(random() * gap); at < length;) {
    addHit(out, { at, hit: anyHit(random), random })
    at += Math.floor(gap * between(random, 0.3, 2))
  }
  return out
}

/** Beeps, rings and sirens: one or two sine waves, keyed, steady or sweeping. */
const tones: Noise = (length, random) => {
  const [low, high] = [between(random, 250, 1_200), between(random, 400, 2_800)]
  const onSec = between(random, 0.05, 2)
  const periodSec = onSec + between(random, 0.02, 3)
  const sweep = random() < 0.3 ? between(random, 0.05, 0.6) : 0
  const sweepRate = (2 * Math.PI * between(random, 0.2, 5)) / RATE_HZ
  const single = random() < 0.5 ? 0 : 1
  let [a, b, gate] = [0, 0, 0]
  return Float32Array.from({ length }, (_, n) => {
    const bend = 1 + sweep * Math.sin(n * sweepRate)
    a += (2 * Math.PI * low * bend) / RATE_HZ
    b += (2 * Math.PI * high * bend) / RATE_HZ
    const on = (n / RATE_HZ) % periodSec < onSec ? 1 : 0
    gate += 0.01 * (on - gate)
    return gate * (Math.sin(a) + single * Math.sin(b)) + 0.01 * gauss(random)
  })
}

/** Machines: a low fundamental with many harmonics that drifts, and noise around it. */
const machine: Noise = (length, random) => {
  const hz = between(random, 40, 240)
  const harmonics = Array.from({ length: 12 }, (_, k) => random() / (1 + 0.4 * k * random()))
  const drift = between(random, 0, 0.15)
  const driftRate = (2 * Math.PI * between(random, 0.05, 0.6)) / RATE_HZ
  const hiss = between(random, 0.05, 2)
  let phase = 0
  return Float32Array.from({ length }, (_, n) => {
    phase += (2 * Math.PI * hz * (1 + drift * Math.sin(n * driftRate))) / RATE_HZ
    let sum = hiss * gauss(random)
    for (let k = 0; k < 12; k++) sum += (harmonics[k] ?? 0) * Math.sin(phase * (k + 1))
    return sum
  })
}

/** Kinds by weight: babble and music are where a voice detector errs. */
const KINDS: readonly Noise[] = [
  coloured,
  coloured,
  coloured,
  coloured,
  babble,
  babble,
  babble,
  recordedMusic,
  recordedMusic,
  recordedMusic,
  madeMusic,
  madeMusic,
  song,
  song,
  hits,
  tones,
  machine,
]

/** One noise, or two at once, at RMS 1. */
export function makeNoise(length: number, random: Random, from: NoiseSources): Float32Array {
  const out = pick(random, KINDS)(length, random, from)
  const gain = 1 / rms(out)
  for (let n = 0; n < length; n++) out[n] = (out[n] ?? 0) * gain
  if (random() < 0.2) {
    const other = pick(random, KINDS)(length, random, from)
    addAt(out, other, 0, between(random, 0.2, 1) / rms(other))
  }
  return out
}
