import { beforeAll, describe, expect, it } from 'vitest'
import type { SlotFormat, SlotSettings } from '../../dsp/slot.ts'
import { suppressorWindows } from '../../dsp/suppressor-tables.ts'
import { chainRig, QUIET, slotOf, type ChainRig } from './chain-rig.ts'
import {
  amplitudeAt,
  dbToGain,
  mix,
  noise,
  rms,
  seeded,
  toDb,
  tone,
  toL16,
  voice,
} from './signals.ts'

let rig: ChainRig
beforeAll(async () => {
  rig = await chainRig(2)
})

const RATES = [8_000, 16_000] as const
/** Late by the overlap of the windows: 10 ms at 8 kHz, 6 ms at 16 kHz. */
const DELAY_SAMPLES = { 8_000: 80, 16_000: 96 } as const
type Rate = (typeof RATES)[number]

/** What speech-to-text hears of a line, both at `rateHz`, −1…1. */
function heard(samples: Float32Array, rateHz: Rate, settings: Partial<SlotSettings>): Float32Array {
  const format: SlotFormat = {
    codec: 'L16',
    lineRateHz: rateHz,
    ttsRateHz: 8_000,
    sttRateHz: rateHz,
  }
  slotOf(rig, 0).open(format, { ...QUIET, ...settings })
  return hearOn(toL16(samples), (rateHz / 50) * 2)
}

function hearOn(line: Uint8Array, payloadBytes: number): Float32Array {
  const slot = slotOf(rig, 0)
  const out: number[] = []
  for (let at = 0; at + payloadBytes <= line.length; at += payloadBytes) {
    slot.pushPayload(line.subarray(at, at + payloadBytes))
    rig.run(0)
    slot.drain((_, pcm) => out.push(...pcm))
  }
  return Float32Array.from(out, (x) => x / 32_768)
}

function siSdrDb(y: Float32Array, x: Float32Array): number {
  let [xy, xx] = [0, 0]
  y.forEach((value, n) => {
    xy += value * (x[n] ?? 0)
    xx += (x[n] ?? 0) ** 2
  })
  let [signal, rest] = [0, 0]
  y.forEach((value, n) => {
    const wanted = ((x[n] ?? 0) * xy) / xx
    signal += wanted ** 2
    rest += (value - wanted) ** 2
  })
  return 10 * Math.log10(signal / rest)
}

/** Seconds of noise with this spectrum at RMS 1. */
const NOISES: Readonly<Record<string, (samples: number, rateHz: number) => Float32Array>> = {
  white: (samples) => noise(samples, { rmsDbfs: 0, seed: 3 }),
  /** Each octave as loud as the next, by the sum of slower and slower noises. */
  pink: (samples) => {
    const random = seeded(4)
    const rows = new Float32Array(12)
    const out = Float32Array.from({ length: samples }, (_, n) => {
      rows.forEach((_, k) => {
        if (n % 2 ** k === 0) rows[k] = random() - 0.5
      })
      return rows.reduce((sum, x) => sum + x, 0)
    })
    return scaled(out)
  },
  hum: (samples, rateHz) => {
    const hiss = noise(samples, { rmsDbfs: -26, seed: 5 })
    return scaled(
      hiss.map((x, n) => {
        let sum = x
        for (let h = 1; h <= 9; h++)
          sum += Math.sin((2 * Math.PI * 50 * h * n) / rateHz + h * h) / h
        return sum
      }),
    )
  },
}

function scaled(x: Float32Array): Float32Array {
  const gain = 1 / rms(x)
  return x.map((value) => value * gain)
}

function at(x: Float32Array, dbfs: number): Float32Array {
  return x.map((value) => value * dbToGain(dbfs))
}

describe('noise suppressor', () => {
  it.each(RATES)('windows of one hop and the next add up to 1 at %i Hz', (rateHz) => {
    const { hop, overlap, analysis, synthesis } = suppressorWindows(rateHz)
    const both = analysis.map((x, n) => x * (synthesis[n] ?? 0))
    for (let n = 256 - hop - overlap; n < 256 - hop; n++) {
      expect((both[n] ?? 0) + (both[n + hop] ?? 0)).toBeCloseTo(1, 5)
    }
    for (let n = 256 - hop; n < 256 - overlap; n++) expect(both[n]).toBeCloseTo(1, 5)
    expect(overlap * 1_000).toBeLessThanOrEqual(10 * rateHz)
  })

  it.each(RATES)('takes 12 dB or more off steady noise of any level at %i Hz', (rateHz) => {
    for (const [name, make] of Object.entries(NOISES)) {
      const sound = make(5 * rateHz, rateHz)
      for (const dbfs of [-26, -46]) {
        const line = at(sound, dbfs)
        const off = rms(heard(line, rateHz, {}), 3 * rateHz)
        const on = rms(heard(line, rateHz, { suppressNoise: true }), 3 * rateHz)
        expect(toDb(off / on), `${name} at ${dbfs} dBFS`).toBeGreaterThan(12)
      }
    }
  })

  it.each(RATES)(
    'brings speech nearer to the clean one, from 0 to 20 dB SNR, at %i Hz',
    (rateHz) => {
      const speech = new Float32Array(6 * rateHz)
      const said = voice(1.6 * rateHz, { rateHz, rmsDbfs: -26, seed: 8 })
      speech.set(said, rateHz)
      speech.set(said, 3.5 * rateHz)
      const clean = heard(speech, rateHz, {})
      const delay = DELAY_SAMPLES[rateHz]
      for (const [name, make] of Object.entries(NOISES)) {
        for (const snrDb of [0, 10, 15, 20]) {
          const line = mix(speech, at(make(speech.length, rateHz), -26 - snrDb), 0)
          const before = siSdrDb(heard(line, rateHz, {}), clean)
          const after = heard(line, rateHz, { suppressNoise: true }).subarray(delay)
          expect(siSdrDb(after, clean) - before, `${name} at ${snrDb} dB`).toBeGreaterThan(0)
        }
      }
    },
  )

  it.each(RATES)('is late by its overlap, within 10 ms, at %i Hz', (rateHz) => {
    const sweep = Float32Array.from({ length: 2 * rateHz }, (_, n) => {
      const t = n / rateHz
      return t < 0.5 ? 0 : 0.3 * Math.sin(2 * Math.PI * (300 + 600 * t) * t)
    })
    const off = heard(sweep, rateHz, {})
    const on = heard(sweep, rateHz, { suppressNoise: true })
    let [best, most] = [-1, -Infinity]
    for (let delay = 0; delay <= rateHz / 50; delay++) {
      let sum = 0
      for (let n = 0; n + delay < on.length; n++) sum += (off[n] ?? 0) * (on[n + delay] ?? 0)
      if (sum > most) [best, most] = [delay, sum]
    }
    expect(best).toBe(DELAY_SAMPLES[rateHz])
    expect((best * 1_000) / rateHz).toBeLessThanOrEqual(10)
  })

  it('takes 10 dB off again from 2.25 s after a step of 12 dB', () => {
    const sound = at(noise(48_000, { rmsDbfs: 0, seed: 9 }), -50).map((x, n) =>
      n < 16_000 ? x : x * dbToGain(12),
    )
    const off = rms(heard(sound, 8_000, {}), 34_000, 46_000)
    const on = rms(heard(sound, 8_000, { suppressNoise: true }), 34_000, 46_000)
    expect(toDb(off / on)).toBeGreaterThan(10)
  })

  it('leaves silence silent: not a sample other than 0', () => {
    expect(rms(heard(new Float32Array(8_000), 8_000, { suppressNoise: true }))).toBe(0)
  })

  it.each(RATES)('leaves a line of 200 Hz between those of hum as it was, at %i Hz', (rateHz) => {
    const hum = Float32Array.from({ length: 6 * rateHz }, (_, n) =>
      [50, 100, 300, 400].reduce(
        (x, hz) => x + 0.01 * Math.sin((2 * Math.PI * hz * n) / rateHz),
        0,
      ),
    )
    const said = tone(0.4 * rateHz, { hz: 200, rateHz, peak: 0.1 })
    const line = [3, 4, 5].reduce<Float32Array>((all, sec) => mix(all, said, sec * rateHz), hum)
    const [off, on] = [false, true].map((suppressNoise) => {
      const out = heard(line, rateHz, { suppressNoise })
      return amplitudeAt(out.subarray(4.2 * rateHz, 4.35 * rateHz), 200, rateHz)
    })
    expect(Math.abs(toDb((on ?? 0) / (off ?? 1)))).toBeLessThan(0.5)
  })

  it('leaves a clean voice as loud as it was, within 1 dB', () => {
    const said = mix(
      new Float32Array(24_000),
      voice(16_000, { rateHz: 8_000, rmsDbfs: -20, seed: 3 }),
      4_000,
    )
    const off = rms(heard(said, 8_000, {}))
    const on = rms(heard(said, 8_000, { suppressNoise: true }))
    expect(Math.abs(toDb(on / off))).toBeLessThan(1)
  })

  it('leaves no musical tones: no bin of the rest sticks out 2.5 times as far as in the noise', () => {
    const line = at(noise(64_000, { rmsDbfs: 0, seed: 10 }), -40)
    const sticksOut = (x: Float32Array): number => {
      const powers: number[] = []
      for (let from = 24_000; from + 256 <= x.length; from += 512) {
        const window = x.subarray(from, from + 256)
        for (let hz = 500; hz < 3_500; hz += 125) powers.push(amplitudeAt(window, hz, 8_000) ** 2)
      }
      const mean = powers.reduce((sum, p) => sum + p, 0) / powers.length
      powers.sort((a, b) => b - a)
      return (powers[Math.floor(powers.length / 200)] ?? 0) / mean
    }
    const before = sticksOut(heard(line, 8_000, {}))
    const after = sticksOut(heard(line, 8_000, { suppressNoise: true }))
    expect(after / before).toBeLessThan(2.5)
  })

  it('gives the same bits whether frames come one by one or many at once', () => {
    const line = toL16(
      mix(
        noise(16_000, { rmsDbfs: -40, seed: 2 }),
        voice(8_000, { rateHz: 8_000, rmsDbfs: -26, seed: 1 }),
        4_000,
      ),
    )
    const format: SlotFormat = { codec: 'L16', lineRateHz: 8_000, ttsRateHz: 8_000 }
    const settings = { ...QUIET, suppressNoise: true }
    slotOf(rig, 0).open(format, settings)
    const single = hearOn(line, 320)
    slotOf(rig, 0).open(format, settings)
    const many = hearOn(line, 1_600)
    expect(many).toEqual(single)
  })

  it('leaves no trace in a slot that is opened again', () => {
    const line = at(noise(8_000, { rmsDbfs: 0, seed: 12 }), -30)
    const first = heard(line, 8_000, { suppressNoise: true })
    heard(tone(16_000, { hz: 700, rateHz: 8_000, peak: 0.9 }), 8_000, { suppressNoise: true })
    expect(heard(line, 8_000, { suppressNoise: true })).toEqual(first)
  })

  it('changes neither detections nor levels: the VAD hears the line as it is', () => {
    const line = toL16(
      mix(
        noise(32_000, { rmsDbfs: -45, seed: 2 }),
        voice(16_000, { rateHz: 16_000, rmsDbfs: -26, seed: 1 }),
        8_000,
      ),
    )
    const detections = (suppressNoise: boolean): unknown[] => {
      const slot = slotOf(rig, 0)
      slot.open({ codec: 'L16', lineRateHz: 16_000, ttsRateHz: 8_000 }, { ...QUIET, suppressNoise })
      const found: unknown[] = []
      for (let from = 0; from + 640 <= line.length; from += 640) {
        slot.pushPayload(line.subarray(from, from + 640))
        rig.run(0)
        slot.drain((detection) => found.push({ ...detection }))
      }
      return found
    }
    expect(detections(true)).toEqual(detections(false))
  })
})
