/**
 * The noises the VAD is trained under. Each kind is drawn anew from the seed for every mix: what is
 * learnt is that noise varies, not a list. The kinds and parameters of the test (conditions.ts) are
 * others on purpose.
 */
import { addHit, anyHit } from './hits.ts'
import { madeMusic, song } from './made-music.ts'
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
