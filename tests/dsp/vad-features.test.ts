import { beforeAll, describe, expect, it } from 'vitest'
import { detector, type Detector } from '../../dsp/training/detector.ts'
import { mix, noise, tone, voice } from './signals.ts'

const SEC = 8_000
const BANDS = 18
const [PERIODICITY, LAG_JUMP, FLATNESS, TOTAL_SNR, LOUDNESS] = [36, 38, 39, 40, 42]

let chain: Detector
beforeAll(async () => {
  chain = await detector()
})

/** Features of every frame of a new call. */
function featuresOf(samples: Float32Array): Float32Array[] {
  chain.open('PCMU')
  const rows: Float32Array[] = []
  for (let at = 0; at + 160 <= samples.length; at += 160) {
    chain.hear(samples.subarray(at, at + 160))
    rows.push(chain.features.slice())
  }
  return rows
}

function meanOf(rows: readonly Float32Array[], feature: number): number {
  return rows.reduce((sum, row) => sum + (row[feature] ?? 0), 0) / rows.length
}

function bandSnr(row: Float32Array): number {
  return row.subarray(0, BANDS).reduce((sum, v) => sum + v, 0) / BANDS
}

describe('vad features', () => {
  it('are 52 and finite in digital silence, at full scale and in noise', () => {
    const loud = tone(SEC, { hz: 440, rateHz: SEC, peak: 1 })
    for (const samples of [new Float32Array(SEC), loud, noise(SEC, { rmsDbfs: -30, seed: 1 })]) {
      const rows = featuresOf(samples)
      expect(rows[0]).toHaveLength(52)
      expect(rows.every((row) => row.every((v) => Number.isFinite(v) && Math.abs(v) <= 3))).toBe(
        true,
      )
    }
  })

  it('find a period in a voice and none in white noise', () => {
    const voiced = featuresOf(voice(2 * SEC, { rateHz: SEC, rmsDbfs: -20, seed: 5 })).slice(5)
    const white = featuresOf(noise(2 * SEC, { rmsDbfs: -20, seed: 5 })).slice(5)
    expect(meanOf(voiced, PERIODICITY)).toBeGreaterThan(0.5)
    expect(meanOf(white, PERIODICITY)).toBeLessThan(0.3)
    expect(meanOf(voiced, LAG_JUMP)).toBeLessThan(0.25)
    expect(meanOf(white, LAG_JUMP)).toBeGreaterThan(0.4)
  })

  it('call white noise flat and a tone not', () => {
    const white = featuresOf(noise(SEC, { rmsDbfs: -20, seed: 6 }))
    const pure = featuresOf(tone(SEC, { hz: 1_000, rateHz: SEC, peak: 0.3 }))
    expect(meanOf(white, FLATNESS)).toBeLessThan(0.4)
    expect(meanOf(pure, FLATNESS)).toBeGreaterThan(1)
  })

  it('put a voice 20 dB above noise at 4 to 8 doublings of power over the floor', () => {
    const room = noise(6 * SEC, { rmsDbfs: -44, seed: 7 })
    const samples = mix(room, voice(2 * SEC, { rateHz: SEC, rmsDbfs: -24, seed: 7 }), 3 * SEC)
    const rows = featuresOf(samples)
    expect(meanOf(rows.slice(100, 150), TOTAL_SNR)).toBeLessThan(0.15)
    const during = meanOf(rows.slice(160, 240), TOTAL_SNR) * 4
    expect(during).toBeGreaterThan(4)
    expect(during).toBeLessThan(8)
  })

  it('take a step of noise by 12 dB for the floor within 2 s', () => {
    const samples = noise(12 * SEC, { rmsDbfs: -50, seed: 8 }).map((x, n) =>
      n < 6 * SEC ? x : x * 4,
    )
    const rows = featuresOf(samples)
    const before = rows.slice(250, 299).map(bandSnr)
    const after = rows.slice(400, 600).map(bandSnr)
    expect(bandSnr(rows[305]!)).toBeGreaterThan(0.7)
    expect(Math.max(...after)).toBeLessThan(Math.max(...before) * 1.5)
  })

  it('follow the level: 30 dB are 1, and −60 dBFS is 0', () => {
    const at = (rmsDbfs: number): number =>
      meanOf(featuresOf(noise(SEC, { rmsDbfs, seed: 9 })), LOUDNESS)
    expect(at(-30)).toBeCloseTo(1, 1)
    expect(at(-70)).toBeCloseTo(0, 1)
  })
})
