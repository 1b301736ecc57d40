/**
 * Corpus: labelled mixes of speech and noise for training and measuring the VAD.
 *
 * Speech is prompts of Debian's asterisk-core-sounds packages (8 kHz WAV), joined by pauses; noise
 * is made here from the seed, except babble (other prompts) and music on hold. A frame is speech by
 * the energy of the clean signal, before anything is mixed in; frames near the border are not
 * scored.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Random = () => number

export function seeded(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export interface Mix {
  /** 8 kHz. */
  samples: Float32Array
  /** Per 20 ms frame: 1 speech, 0 none, −1 not scored. */
  labels: Int8Array
}

/** All 8 kHz mono WAV files under a directory, from 0.5 s to `longestSec`, sorted by path. */
export function loadPrompts(directory: string, o: { longestSec: number }): Float32Array[] {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  const prompts = names
    .filter((name) => name.endsWith('.wav'))
    .sort()
    .map((name) => {
      const bytes = readFileSync(join(directory, name))
      const count = Math.floor((bytes.length - 44) / 2)
      return Float32Array.from({ length: count }, (_, n) => bytes.readInt16LE(44 + n * 2) / 32_768)
    })
  return prompts.filter((p) => p.length > 4_000 && p.length < o.longestSec * 8_000)
}

function rms(x: Float32Array): number {
  return Math.sqrt(x.reduce((s, v) => s + v * v, 0) / x.length) + 1e-9
}

function pick<T>(list: readonly T[], random: Random): T {
  const item = list[Math.floor(random() * list.length)]
  if (item === undefined) throw new Error('an empty list has nothing to pick from')
  return item
}

/**
 * Labels by 5 ms energies: above max(floor + 10 dB, peak − 42 dB); gaps to 100 ms are speech, to
 * 300 ms unscored.
 */
function labelsOf(clean: Float32Array): Int8Array {
  const blocks = Math.floor(clean.length / 40)
  const db = Float32Array.from({ length: blocks }, (_, b) => {
    let sum = 1e-10
    for (let n = 0; n < 40; n++) sum += (clean[b * 40 + n] ?? 0) ** 2
    return 10 * Math.log10(sum / 40)
  })
  const peak = Math.max(...db)
  const loud = Int8Array.from(db, (v) => (v > Math.max(-76 + 10, peak - 42) ? 1 : 0))
  let last = -1_000
  for (let b = 0; b < blocks; b++) {
    if (loud[b] !== 1) continue
    const gap = b - last - 1
    if (gap > 0 && gap <= 20) loud.fill(1, last + 1, b)
    else if (gap > 20 && gap <= 60) loud.fill(-1, last + 1, b)
    else if (gap > 60) loud.fill(-1, last + 1, last + 9)
    last = b
  }
  return Int8Array.from({ length: Math.floor(blocks / 4) }, (_, f) => {
    const four = loud.subarray(f * 4, f * 4 + 4)
    if (four.every((v) => v === 1)) return 1
    return four.every((v) => v === 0) ? 0 : -1
  })
}

function colouredNoise(length: number, random: Random): Float32Array {
  const kind = Math.floor(random() * 4)
  const k = 0.02 + 0.5 * random() ** 2
  const rate = (2 * Math.PI * (0.3 + 4 * random())) / 8_000
  const depth = random() < 0.4 ? 0.8 * random() : 0
  let low = 0
  let pink = 0
  return Float32Array.from({ length }, (_, n) => {
    const white = random() + random() + random() - 1.5
    low += k * (white - low)
    pink = 0.99 * pink + 0.1 * white
    const hum = Math.sin(n * 0.0393) + 0.5 * Math.sin(n * 0.1178) + 0.3 * Math.sin(n * 0.1963)
    const base = [white, low, pink + 0.2 * white, 0.6 * hum + 0.5 * white][kind] ?? white
    const click = random() < 0.00008 ? 8 * (random() - 0.5) : 0
    return (base + click) * (1 + depth * Math.sin(n * rate))
  })
}

function babble(length: number, voices: Float32Array[], random: Random): Float32Array {
  const out = new Float32Array(length)
  for (let talker = 0; talker < 8; talker++) {
    for (let at = -Math.floor(random() * 20_000); at < length;) {
      const prompt = pick(voices, random)
      const gain = 1 / rms(prompt)
      for (let n = Math.max(0, -at); n < prompt.length && at + n < length; n++) {
        out[at + n] = (out[at + n] ?? 0) + (prompt[n] ?? 0) * gain
      }
      at += prompt.length
    }
  }
  return out
}

/** Faster and higher, or slower and lower: more voices out of few. */
function atSpeed(prompt: Float32Array, speed: number): Float32Array {
  return Float32Array.from({ length: Math.floor(prompt.length / speed) - 1 }, (_, n) => {
    const at = n * speed
    const whole = Math.floor(at)
    const before = prompt[whole] ?? 0
    return before + (at - whole) * ((prompt[whole + 1] ?? 0) - before)
  })
}

/**
 * One mix of about `seconds`: speech at −16 to −44 dBFS with pauses, under one kind of noise at 0
 * to 30 dB SNR.
 */
export function makeMix(
  o: { seconds: number; speech: Float32Array[]; others: Float32Array[]; music: Float32Array[] },
  random: Random,
): Mix {
  const length = o.seconds * 8_000
  const clean = new Float32Array(length)
  const level = 10 ** ((-16 - 28 * random()) / 20)
  const noiseOnly = random() < 0.12
  if (!noiseOnly) {
    for (let at = Math.floor(random() * 16_000); at < length;) {
      const prompt = atSpeed(pick(o.speech, random), 0.82 + 0.4 * random())
      const gain = level / rms(prompt)
      for (let n = 0; n < prompt.length && at + n < length; n++)
        clean[at + n] = (prompt[n] ?? 0) * gain
      at += prompt.length + Math.floor(8_000 * (0.3 + 2.7 * random()))
    }
  }
  const labels = noiseOnly ? new Int8Array(length / 160) : labelsOf(clean)
  const source = random()
  let noise = colouredNoise(length, random)
  if (source < 0.15) noise = babble(length, o.others, random)
  else if (source < 0.27 && o.music.length > 0) {
    const music = pick(o.music, random)
    const start = Math.floor(random() * Math.max(1, music.length - length))
    noise = Float32Array.from({ length }, (_, n) => music[(start + n) % music.length] ?? 0)
  }
  const snrDb = random() < 0.15 ? 45 : 30 * random()
  const gain = (level * 10 ** (-snrDb / 20)) / rms(noise)
  const step = random() < 0.2 ? Math.floor(random() * length) : length
  const floorGain = 10 ** (-76 / 20)
  const samples = clean.map((x, n) => {
    const stepped = n >= step ? 4 : 1
    return x + (noise[n] ?? 0) * gain * stepped + (random() - 0.5) * 3.4 * floorGain
  })
  return { samples, labels }
}
