/**
 * Noise suppression, measured from outside: two slots hear the same line, one with it and one
 * without, and what they give to speech-to-text is compared.
 *
 *   noise alone ──────► power without ÷ power with                     attenuation
 *   speech + noise ───► SI-SDR of both against the speech alone        gain, in dB
 *   a click ──────────► its place in both                              delay
 *
 * At 8 kHz (PCMU) and at 16 kHz (L16), in and out, so that only the suppressor lies between the two.
 * The voices are of 8 kHz; at 16 kHz white and pink noise fill the band above them. Figures are the
 * worst of both rates.
 */
import { bindKernel, constant } from '../../dsp/host.ts'
import { Slot } from '../../dsp/slot.ts'
import {
  type NoiseName,
  type TestSources,
  testNoise,
  testSources,
} from '../../dsp/training/conditions.ts'
import { between, gauss, pick, seeded, type Random } from '../../dsp/training/random.ts'
import { addAt, gainOf, RATE_HZ, rms } from '../../dsp/training/signal.ts'
import { rounded } from '../rig/report.ts'
import { coreResampler, openCore, type Core } from './core.ts'
import { medianNs } from './timing.ts'

const RATES_HZ = [8_000, 16_000] as const
type RateHz = (typeof RATES_HZ)[number]
const MIX_SEC = 30
/** Of the noise that goes up by 12 dB after a minute, the mix has what begins here. */
const STEP_FROM_SEC = 45
/** Of the mixes, and of the noise whose attenuation is measured. */
const SPEECH_DBFS = -26
const SNRS_DB = [0, 5, 10, 15, 20]
const NOISES: readonly NoiseName[] = ['white', 'pink', 'car', 'hum', 'babble', 'music', 'step']

export interface SuppressionResult {
  us: number
  atRate: readonly SuppressionAtRate[]
}

export interface SuppressionAtRate {
  rateHz: RateHz
  delayMs: number
  /** By noise: the least of the levels it was played at. */
  attenuationDb: ReadonlyMap<string, number>
  gains: readonly SuppressionGain[]
}

export interface SuppressionGain {
  noise: string
  snrDb: number
  voice: string
  /** SI-SDR with suppression less that without. */
  gainDb: number
}

/** Takes a minute and a half, most of it the making of the mixes. */
export async function measureSuppression(): Promise<SuppressionResult> {
  const core = await openCore()
  const from = testSources()
  const atRate = RATES_HZ.map((rateHz) => {
    const line = openLine(core, rateHz)
    const delay = delayOf(line)
    return {
      rateHz,
      delayMs: (delay * 1_000) / rateHz,
      attenuationDb: attenuations(line),
      gains: [...gainsOf(line, from, delay)],
    }
  })
  return { us: costUs(core), atRate }
}

/** Measures, writes the figures, and gives the rows of the table. */
export async function suppressionRows(figures: Record<string, number>): Promise<string[][]> {
  const { us, atRate } = await measureSuppression()
  const sorted = atRate.flatMap(({ gains }) => gains.map((one) => one.gainDb)).sort((a, b) => a - b)
  const attenuations = atRate.flatMap(({ attenuationDb }) => [...attenuationDb.values()])
  figures['nsUs'] = rounded(us, 2)
  figures['nsDelayMs'] = rounded(Math.max(...atRate.map((one) => one.delayMs)), 1)
  figures['nsAttenuationDb'] = rounded(Math.min(...attenuations), 1)
  figures['nsSiSdrGainDb'] = rounded(sorted[0] ?? NaN, 2)
  figures['nsSiSdrGainMedianDb'] = rounded(sorted[sorted.length >> 1] ?? NaN, 2)
  return [
    [
      `noise suppression, ${us.toFixed(1)} µs, ${figures['nsDelayMs']} ms late`,
      'attenuation dB',
      ...SNRS_DB.map((snr) => `SI-SDR + at ${snr} dB`),
    ],
    ...atRate.flatMap(rowsAtRate),
  ]
}

function rowsAtRate({ rateHz, attenuationDb, gains }: SuppressionAtRate): string[][] {
  const least = (noise: string, snrDb: number): string =>
    Math.min(
      ...gains.filter((one) => one.noise === noise && one.snrDb === snrDb).map((one) => one.gainDb),
    ).toFixed(1)
  return NOISES.map((noise) => [
    `${noise}, ${rateHz / 1_000} kHz`,
    attenuationDb.get(noise)?.toFixed(1) ?? '',
    ...SNRS_DB.map((snr) => least(noise, snr)),
  ])
}

interface Line {
  core: Core
  rateHz: RateHz
  /** What speech-to-text hears, −1…1; `coded`: as a carrier sends it at 8 kHz, by µ-law. */
  hear(samples: Float32Array, o: { suppress: boolean; coded: boolean }): Float32Array
}

function openLine(core: Core, rateHz: RateHz): Line {
  const kernel = bindKernel(core.dsp.share)
  const slot = new Slot(core.dsp, 0)
  const size = rateHz / 50
  return {
    core,
    rateHz,
    hear(samples, o) {
      const mulawWanted = o.coded && rateHz === 8_000
      slot.open(
        {
          codec: mulawWanted ? 'PCMU' : 'L16',
          lineRateHz: rateHz,
          ttsRateHz: 16_000,
          sttRateHz: rateHz,
        },
        { vadSensitivity: 0.5, bed: 'none', bedGain: 0, suppressNoise: o.suppress },
      )
      core.dsp.writeList(0, [0])
      const frames = Math.floor(samples.length / size)
      const out = new Float32Array(frames * size)
      const pcm = new Int16Array(size)
      const bytes = new Uint8Array(pcm.buffer)
      for (let frame = 0; frame < frames; frame++) {
        for (let n = 0; n < size; n++) {
          const x = samples[frame * size + n] ?? 0
          pcm[n] = Math.max(-32_768, Math.min(32_767, Math.round(x * 32_768)))
        }
        slot.pushPayload(mulawWanted ? mulaw(core, pcm) : bytes)
        kernel.run(0, 1)
        slot.drain((_, heard) => out.set(heard, frame * size))
      }
      return out.map((x) => x / 32_768)
    },
  }
}

function mulaw(core: Core, pcm: Int16Array): Uint8Array {
  core.words.set(pcm, core.at.out >> 1)
  core.dsp.functions.encodeMulawPcm(core.at.out, core.at.codes, pcm.length)
  return core.bytes.slice(core.at.codes, core.at.codes + pcm.length)
}

/** 8 kHz audio at the line's rate. */
function atLineRate({ core, rateHz }: Line, samples: Float32Array): Float32Array {
  if (rateHz === 8_000) return samples
  const { convert } = coreResampler(core, 8_000, rateHz, '-strict')
  const frames = Math.floor(samples.length / 160)
  const out = new Float32Array(frames * 320)
  for (let frame = 0; frame < frames; frame++) {
    out.set(convert(samples.subarray(frame * 160, frame * 160 + 160)), frame * 320)
  }
  return out
}

/** White and pink are the same at any rate; the others are of 8 kHz. At RMS 1. */
function noiseOf(
  line: Line,
  name: NoiseName,
  o: { sec: number; random: Random; from: TestSources },
): Float32Array {
  const fillsBand = name === 'white' || name === 'pink'
  const fromSec = name === 'step' ? STEP_FROM_SEC : 0
  const rateHz = fillsBand ? line.rateHz : 8_000
  const noise = testNoise(name, (fromSec + o.sec) * rateHz, o).subarray(fromSec * rateHz)
  const played = fillsBand ? noise : atLineRate(line, noise)
  const gain = 1 / rms(played)
  return played.map((x) => x * gain)
}

/** Where the suppressed audio fits the other best, samples. */
function delayOf(line: Line): number {
  const { rateHz } = line
  const random = seeded(7)
  const sweep = Float32Array.from({ length: 4 * rateHz }, (_, n) => {
    const t = n / rateHz
    return (
      0.3 * Math.sin(2 * Math.PI * (300 + 350 * t) * t) * (t > 1 ? 1 : 0) + 1e-4 * gauss(random)
    )
  })
  const plain = line.hear(sweep, { suppress: false, coded: false })
  const late = line.hear(sweep, { suppress: true, coded: false })
  let [best, most] = [0, -Infinity]
  for (let delay = 0; delay <= rateHz / 40; delay++) {
    let sum = 0
    for (let n = rateHz; n + delay < late.length; n++)
      sum += (plain[n] ?? 0) * (late[n + delay] ?? 0)
    if (sum > most) [best, most] = [delay, sum]
  }
  return best
}

const STEADY = ['white', 'pink', 'car', 'hum'] as const

function steady(line: Line, name: (typeof STEADY)[number], sec: number): Float32Array {
  const from = { es: [], en: [], babble: [], music: [] }
  if (name !== 'hum') return noiseOf(line, name, { sec, random: seeded(11), from })
  const random = seeded(5)
  return Float32Array.from({ length: sec * line.rateHz }, (_, n) => {
    let sum = 0.05 * gauss(random)
    for (let h = 1; h <= 12; h++)
      sum += Math.sin((2 * Math.PI * 50 * h * n) / line.rateHz + h * h) / h
    return sum
  })
}

/** Noise alone, from the third second on: what is left of it. */
function attenuations(line: Line): Map<string, number> {
  const found = new Map<string, number>()
  for (const name of STEADY) {
    const noise = steady(line, name, 8)
    for (const snrDb of SNRS_DB) {
      const gain = gainOf(SPEECH_DBFS - snrDb) / rms(noise)
      const samples = noise.map((x) => x * gain)
      const [off, on] = [false, true].map((suppress) =>
        rms(line.hear(samples, { suppress, coded: true }).subarray(3 * line.rateHz)),
      )
      const db = 20 * Math.log10((off ?? 0) / (on ?? 1))
      found.set(name, Math.min(found.get(name) ?? Infinity, db))
    }
  }
  return found
}

function* gainsOf(line: Line, from: TestSources, delay: number): Generator<SuppressionGain> {
  for (const [v, voice] of (['es', 'en'] as const).entries()) {
    const speech = atLineRate(line, speechOf(from[voice], 100 + v))
    const clean = line.hear(speech, { suppress: false, coded: false })
    for (const [i, noise] of NOISES.entries()) {
      const random = seeded(1_000 + 10 * i + v)
      const sound = noiseOf(line, noise, { sec: MIX_SEC, random, from })
      for (const snrDb of SNRS_DB) {
        const mix = Float32Array.from(speech)
        addAt(mix, sound, 0, gainOf(SPEECH_DBFS - snrDb))
        const off = line.hear(mix, { suppress: false, coded: true })
        const on = line.hear(mix, { suppress: true, coded: true })
        const whole = clean.length - delay
        const before = siSdrDb(off.subarray(0, whole), clean)
        yield { noise, snrDb, voice, gainDb: siSdrDb(on.subarray(delay), clean) - before }
      }
    }
  }
}

/** Prompts at −26 ± 3 dBFS with pauses of 0.3 to 1.5 s. */
function speechOf(prompts: readonly Float32Array[], seed: number): Float32Array {
  const random = seeded(seed)
  const out = new Float32Array(MIX_SEC * RATE_HZ)
  for (let at = RATE_HZ; at < out.length;) {
    const said = pick(random, prompts)
    addAt(out, said, at, gainOf(SPEECH_DBFS + between(random, -3, 3)) / rms(said))
    at += said.length + Math.floor(between(random, 0.3, 1.5) * RATE_HZ)
  }
  return out
}

/** Scale-invariant ratio of signal to distortion (Le Roux et al. 2019), dB; `x` may be the longer one. */
export function siSdrDb(y: Float32Array, x: Float32Array): number {
  let [xy, xx] = [0, 0]
  for (let n = 0; n < y.length; n++) {
    xy += (x[n] ?? 0) * (y[n] ?? 0)
    xx += (x[n] ?? 0) ** 2
  }
  const scale = xy / xx
  let [signal, rest] = [0, 0]
  for (let n = 0; n < y.length; n++) {
    const wanted = scale * (x[n] ?? 0)
    signal += wanted ** 2
    rest += ((y[n] ?? 0) - wanted) ** 2
  }
  return 10 * Math.log10(signal / rest)
}

/** One frame of noise at 8 kHz, the dearest the suppressor knows. */
function costUs(core: Core): number {
  const random = seeded(3)
  const samples = core.at.samples >> 2
  const table = constant(core.dsp.layout, 'SUPPRESSOR_8K')
  const slot = core.dsp.slotAddress(1)
  const noise = Float32Array.from({ length: 160 }, () => 0.02 * gauss(random))
  const times = medianNs([
    {
      name: 'suppressor',
      run() {
        for (let n = 0; n < 160; n++) core.floats[samples + n] = noise[n]!
        core.dsp.functions.suppressNoise(slot, table, core.at.samples, core.at.work)
      },
    },
    {
      name: 'copy',
      run() {
        for (let n = 0; n < 160; n++) core.floats[samples + n] = noise[n]!
      },
    },
  ])
  return ((times.get('suppressor') ?? NaN) - (times.get('copy') ?? 0)) / 1_000
}
