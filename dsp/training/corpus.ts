/**
 * Corpus: labelled mixes the VAD is trained on, all from one seed.
 *
 *   prompts ─► speed ─► handset ─► level ─┬─► joined by pauses ─► room ─┐
 *                                         └─► labels                    ├─► sum ─► 8 kHz mix
 *                     noise (noises.ts) ─► SNR −3…30 dB, steps ─────────┘
 *
 * Voices: French, Russian and two Italian ones. Spanish and English, which the tests use, are one
 * other woman and never come here; nor do every fifth French prompt (the babble of the test) and
 * two tracks of the music (conditions.ts).
 */
import { fetchAudio, loadSet } from './audio.ts'
import { FLOOR_DBFS, labelsOf } from './labels.ts'
import { makeNoise, type NoiseSources } from './noises.ts'
import { between, pick, type Random } from './random.ts'
import { addAt, atSpeed, gainOf, inRoom, RATE_HZ, rms, throughHandset } from './signal.ts'

export interface Mix {
  /** 8 kHz, −1…1. */
  samples: Float32Array
  /** Per 20 ms frame: 1 speech, 0 none, −1 not scored. */
  labels: Int8Array
}

export interface CorpusSources extends NoiseSources {
  /** One list per voice, so that each is heard equally often. */
  speakers: readonly Float32Array[][]
}

/** Tracks by their place in the sorted package: three to train on, two only to test. */
export const MUSIC_OF_TRAINING = [0, 1, 3]
export const MUSIC_OF_TEST = [2, 4]

/** Every fifth prompt of a voice, kept from training. */
export function isHeldOut(index: number): boolean {
  return index % 5 === 2
}

/** The audio of the training corpus. Throws where it is absent and cannot be fetched. */
export function trainingSources(): CorpusSources {
  fetchAudio(['fr', 'it', 'ru', 'it2', 'music'])
  const kept = loadSet('fr').filter((_, i) => !isHeldOut(i))
  const speakers = [kept, loadSet('it'), loadSet('ru'), loadSet('it2')]
  const tracks = loadSet('music', 10_000)
  return {
    speakers,
    voices: speakers.flat(),
    music: MUSIC_OF_TRAINING.flatMap((i) => tracks[i] ?? []),
  }
}

/** One mix of `seconds`. One in four has no speech at all, and its noise is loud. */
export function makeMix(seconds: number, from: CorpusSources, random: Random): Mix {
  const length = seconds * RATE_HZ
  const level = gainOf(between(random, -46, -16))
  const reverberant = random() < 0.4
  const isSilent = random() < 0.25
  const dry = isSilent ? new Float32Array(length) : conversation(length, level, { from, random })
  const labels = labelsOf(dry, { tailMs: reverberant ? 160 : 40 }).frames
  const samples = reverberant ? inRoom(dry, random) : dry
  if (isSilent || random() < 0.9) {
    addNoise(samples, isSilent ? level * 3 : level, { from, random })
    if (random() < 0.15) addNoise(samples, level * 0.3, { from, random })
  }
  const floor = gainOf(between(random, FLOOR_DBFS, -62)) * 1.732
  for (let n = 0; n < length; n++) {
    samples[n] = (samples[n] ?? 0) + floor * (2 * random() - 1)
  }
  return { samples, labels }
}

/** One or two people who speak in turn, with pauses of 0.1 to 4 s. */
function conversation(
  length: number,
  level: number,
  o: { from: CorpusSources; random: Random },
): Float32Array {
  const { random } = o
  const out = new Float32Array(length)
  const people = Array.from({ length: random() < 0.3 ? 2 : 1 }, () => ({
    prompts: pick(random, o.from.speakers),
    speed: between(random, 0.74, 1.36),
  }))
  const busy = between(random, 0.3, 4)
  for (let at = Math.floor(random() ** 2 * 4 * RATE_HZ); at < length;) {
    const person = pick(random, people)
    const said = atSpeed(pick(random, person.prompts), person.speed * between(random, 0.96, 1.04))
    throughHandset(said, random)
    addAt(out, said, at, (level * gainOf(between(random, -4, 4))) / rms(said))
    at += said.length + Math.floor(RATE_HZ * between(random, 0.1, busy))
  }
  return out
}

/** Noise at a random SNR, which by chance steps, comes late or leaves. */
function addNoise(
  to: Float32Array,
  level: number,
  o: { from: CorpusSources; random: Random },
): void {
  const { random } = o
  const noise = makeNoise(to.length, random, o.from)
  let gain = level * gainOf(-between(random, -3, 27))
  const kind = random()
  const at = Math.floor(random() * to.length)
  const before = kind < 0.08 ? 0 : kind < 0.25 ? gainOf(between(random, -16, 16)) : 1
  // Never far over full scale: a line clips, and so does the codec behind this.
  gain = Math.min(gain, 0.25)
  for (let n = 0; n < to.length; n++) {
    to[n] = (to[n] ?? 0) + (noise[n] ?? 0) * gain * (n < at ? before : 1)
  }
}
