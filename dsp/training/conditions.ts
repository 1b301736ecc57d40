/**
 * The public test: Spanish and English prompts under 37 conditions, all from one seed.
 *
 *   clean, quiet, and { white, pink, car, babble, music, hum, step } × { 20, 15, 10, 5, 0 dB }
 *
 * Each mix lasts 150 s: prompts of 0.5 to 6.5 s at −26 ± 3 dBov with pauses of 0.3 to 3 s, nobody
 * speaking from 45 to 85 s, a floor at −76 dBFS; everything through mu-law. Nothing of it is
 * trained on: another voice, babble of prompts held out, other tracks of music, other noise. The
 * 12 dB step comes each 60 s, so the first falls where nobody speaks.
 */
import { fetchAudio, loadSet } from './audio.ts'
import { isHeldOut, MUSIC_OF_TEST } from './corpus.ts'
import { FLOOR_DBFS, labelsOf } from './labels.ts'
import { between, gauss, pick, seeded, type Random } from './random.ts'
import { addAt, gainOf, RATE_HZ, rms } from './signal.ts'

export const NOISES = ['white', 'pink', 'car', 'babble', 'music', 'hum', 'step'] as const
export const SNRS_DB = [20, 15, 10, 5, 0] as const
export const MIX_SEC = 150
/** Nobody speaks in these frames of 20 ms; false triggers are counted here. */
export const SILENT_FRAMES = { from: 45 * 50 + 10, to: 85 * 50 } as const

export type NoiseName = (typeof NOISES)[number]

export interface Condition {
  noise: NoiseName | 'clean' | 'quiet'
  /** null without noise. */
  snrDb: number | null
}

export const CONDITIONS: readonly Condition[] = [
  { noise: 'clean', snrDb: null },
  { noise: 'quiet', snrDb: null },
  ...NOISES.flatMap((noise) => SNRS_DB.map((snrDb) => ({ noise, snrDb }))),
]

export interface TestSources {
  es: readonly Float32Array[]
  en: readonly Float32Array[]
  babble: readonly Float32Array[]
  music: readonly Float32Array[]
}

export interface TestMix {
  condition: Condition
  samples: Float32Array
  labels: Int8Array
  /** Samples at which speech begins. */
  onsets: number[]
}

export function testSources(): TestSources {
  fetchAudio(['es', 'en', 'fr', 'music'])
  const tracks = loadSet('music', 10_000)
  return {
    es: loadSet('es', 6.5),
    en: loadSet('en', 6.5),
    babble: loadSet('fr', 6.5).filter((_, i) => isHeldOut(i)),
    music: MUSIC_OF_TEST.flatMap((i) => tracks[i] ?? []),
  }
}

/** The 74 mixes, one at a time. */
export function* testMixes(from: TestSources, seed: number): Generator<TestMix> {
  for (const [c, condition] of CONDITIONS.entries()) {
    for (const language of ['es', 'en'] as const) {
      const random = seeded(seed * 1_000 + c * 2 + (language === 'es' ? 0 : 1))
      yield testMix(condition, { from, prompts: from[language], random })
    }
  }
}

function testMix(
  condition: Condition,
  o: { from: TestSources; prompts: readonly Float32Array[]; random: Random },
): TestMix {
  const { random } = o
  const length = MIX_SEC * RATE_HZ
  const levelDb = condition.noise === 'quiet' ? -43 : -26
  const samples = new Float32Array(length)
  const silence = [45 * RATE_HZ, 85 * RATE_HZ] as const
  for (let at = Math.floor(between(random, 0.5, 2) * RATE_HZ); at < length;) {
    const said = pick(random, o.prompts)
    if (at + said.length > silence[0] && at < silence[1]) {
      at = silence[1] + Math.floor(between(random, 0.3, 1) * RATE_HZ)
      continue
    }
    addAt(samples, said, at, gainOf(levelDb + between(random, -3, 3)) / rms(said))
    at += said.length + Math.floor(between(random, 0.3, 3) * RATE_HZ)
  }
  const { frames, onsets } = labelsOf(samples)
  if (condition.snrDb !== null && condition.noise !== 'clean' && condition.noise !== 'quiet') {
    const noise = MAKERS[condition.noise](length, random, o.from)
    addAt(samples, noise, 0, gainOf(levelDb - condition.snrDb) / rms(noise))
  }
  const floor = gainOf(FLOOR_DBFS)
  for (let n = 0; n < length; n++) samples[n] = (samples[n] ?? 0) + floor * gauss(random)
  return { condition, samples, labels: frames, onsets }
}

/** One noise of the test alone, at RMS 1. */
export function testNoise(
  name: NoiseName,
  length: number,
  o: { random: Random; from: TestSources },
): Float32Array {
  const noise = MAKERS[name](length, o.random, o.from)
  const gain = 1 / rms(noise)
  return noise.map((x) => x * gain)
}

type Maker = (length: number, random: Random, from: TestSources) => Float32Array

const MAKERS: Readonly<Record<NoiseName, Maker>> = {
  white: (length, random) => Float32Array.from({ length }, () => gauss(random)),
  pink,
  car,
  babble,
  music: (length, random, { music }) => {
    const out = new Float32Array(length)
    const track = pick(random, music)
    const from = Math.floor(random() * Math.max(0, track.length - length))
    for (let at = -from; at < length; at += track.length) addAt(out, track, at, 1)
    return out
  },
  hum,
  step: (length, random, from) =>
    pink(length, random, from).map((x, n) =>
      Math.floor(n / (60 * RATE_HZ)) % 2 === 1 ? x * gainOf(12) : x,
    ),
}

/** White noise through Paul Kellet's three poles: −3 dB per octave within 0.5 dB. */
function pink(length: number, random: Random, _from: TestSources): Float32Array {
  let [a, b, c] = [0, 0, 0]
  return Float32Array.from({ length }, () => {
    const white = gauss(random)
    a = 0.99765 * a + white * 0.099046
    b = 0.963 * b + white * 0.2965164
    c = 0.57 * c + white * 1.0526913
    return a + b + c + white * 0.1848
  })
}

/** Road noise below 200 Hz, an engine at 1 700 turns a minute, tyres above. */
function car(length: number, random: Random): Float32Array {
  let [road, tyres, phase] = [0, 0, 0]
  return Float32Array.from({ length }, (_, n) => {
    const white = gauss(random)
    road += 0.06 * (white - road)
    tyres += 0.5 * (white - tyres)
    phase += (2 * Math.PI * 28 * (1 + 0.05 * Math.sin(n / 21_000))) / RATE_HZ
    const engine = Math.sin(4 * phase) + 0.6 * Math.sin(6 * phase) + 0.3 * Math.sin(9 * phase)
    return road + 0.03 * tyres + 0.1 * engine
  })
}

/** Eight people who never pause, in another language. */
function babble(length: number, random: Random, from: TestSources): Float32Array {
  const out = new Float32Array(length)
  for (let talker = 0; talker < 8; talker++) {
    for (let at = -Math.floor(random() * 16_000); at < length;) {
      const said = pick(random, from.babble)
      addAt(out, said, at, 1 / rms(said))
      at += said.length
    }
  }
  return out
}

/** 50 Hz and its odd harmonics, and two clicks a second. */
function hum(length: number, random: Random): Float32Array {
  const out = Float32Array.from({ length }, (_, n) => {
    const w = (2 * Math.PI * 50 * n) / RATE_HZ
    return Math.sin(w) + 0.5 * Math.sin(3 * w) + 0.3 * Math.sin(5 * w) + 0.2 * Math.sin(7 * w)
  })
  for (let at = 0; at < length; at += Math.floor(between(random, 0.1, 0.9) * RATE_HZ)) {
    for (let n = 0; n < 40 && at + n < length; n++) {
      out[at + n] = (out[at + n] ?? 0) + 6 * Math.exp(-n / 8) * gauss(random)
    }
  }
  return out
}
