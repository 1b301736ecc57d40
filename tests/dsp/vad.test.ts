import { beforeAll, describe, expect, it } from 'vitest'
import { vadThreshold, type Detection, type SlotFormat } from '../../dsp/slot.ts'
import { chainRig, hearUser, QUIET, slotOf, type ChainRig } from './chain-rig.ts'
import { dbToGain, mix, noise, tone, toL16, voice } from './signals.ts'

const LINE: SlotFormat = { codec: 'L16', lineRateHz: 8_000, ttsRateHz: 8_000 }
const SEC = 8_000
/** Evidence that makes speech, as in assembly/vad.ts. */
const ENOUGH = 0.5

let rig: ChainRig
beforeAll(async () => {
  rig = await chainRig(1)
})

function hear(samples: Float32Array, sensitivity = 0.5, format = LINE): Detection[] {
  slotOf(rig, 0).open(format, { ...QUIET, vadSensitivity: sensitivity })
  return hearUser(rig, 0, toL16(samples), (format.lineRateHz / 50) * 2).detections
}

/** 2 s of room at −60 dBFS, 1.5 s of voice, 2 s of room. */
function sentence(rmsDbfs: number, seed = 11): Float32Array {
  const room = noise(SEC * 5.5, { rmsDbfs: rmsDbfs - 38, seed })
  return mix(room, voice(SEC * 1.5, { rateHz: SEC, rmsDbfs, seed }), 2 * SEC)
}

/** Two moving formants over pulses whose pitch moves by 4 % four times a second, in syllables of 200 ms. */
function buzz(samples: number, hz: number): Float32Array {
  return Float32Array.from({ length: samples }, (_, n) => {
    const t = n / SEC
    // No voice holds its pitch or its vowel; what does is an instrument.
    const turns = hz * (t - (0.04 / (8 * Math.PI)) * Math.cos(8 * Math.PI * t))
    const low = 550 + 280 * Math.sin(2 * Math.PI * 2.1 * t)
    const high = 1_600 + 560 * Math.sin(2 * Math.PI * 1.7 * t)
    let sum = 0
    for (let k = 1; k * hz < 3_500; k++) {
      const near =
        Math.exp(-(((k * hz - low) / 250) ** 2)) + 0.4 * Math.exp(-(((k * hz - high) / 300) ** 2))
      sum += (near + 0.02) * Math.cos(2 * Math.PI * k * turns)
    }
    return 0.1 * sum * (0.3 + 0.7 * Math.sin(Math.PI * ((t * 5) % 1)) ** 2)
  })
}

function onsetsOf(detections: Detection[]): number[] {
  return detections.filter((d) => d.onset).map((d) => d.atMs)
}

describe('vad', () => {
  for (const rmsDbfs of [-60, -40]) {
    it(`hears no speech in 60 s of white noise at ${rmsDbfs} dBFS, from the first frame on`, () => {
      const detections = hear(noise(60 * SEC, { rmsDbfs, seed: 21 }))
      expect(detections.filter((d) => d.speech)).toEqual([])
    })
  }

  it('hears no speech in digital silence, 10 s of 50 Hz hum or one click a second', () => {
    const hum = tone(10 * SEC, { hz: 50, rateHz: SEC, peak: 0.1 })
    const clicks = noise(10 * SEC, { rmsDbfs: -65, seed: 22 })
    for (let at = SEC / 2; at < clicks.length; at += SEC) clicks[at] = 0.8
    for (const samples of [new Float32Array(10 * SEC), hum, clicks]) {
      expect(hear(samples).filter((d) => d.speech)).toEqual([])
    }
  })

  it('declares speech once frames in a row are evidence enough, and dates it to their first', () => {
    for (const sensitivity of [0.2, 0.5, 0.8]) {
      const detections = hear(sentence(-22), sensitivity)
      const on = vadThreshold(sensitivity)
      const at = detections.findIndex((d) => d.onset)
      const first = (detections[at]?.speechStartMs ?? -1) / 20
      const evidence = detections.map((d) => (d.probability - on) / (1 - on))
      const sum = (to: number): number => evidence.slice(first, to).reduce((s, v) => s + v, 0)
      expect(evidence.slice(first, at + 1).every((v) => v >= 0)).toBe(true)
      expect(evidence[first - 1]).toBeLessThan(0)
      expect(sum(at + 1)).toBeGreaterThanOrEqual(ENOUGH - 1e-3)
      expect(sum(at)).toBeLessThan(ENOUGH)
      expect(detections[at]?.speech).toBe(true)
      expect(detections[at - 1]?.speech).toBe(false)
    }
  })

  it('declares speech within 120 ms of a voice that begins at 2 s, over 10 voices', () => {
    const delays = Array.from({ length: 10 }, (_, i) => {
      const first = onsetsOf(hear(sentence(-24, 100 + i)))[0] ?? Infinity
      return first + 20 - 2_000
    })
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(20)
    expect(Math.max(...delays)).toBeLessThanOrEqual(120)
  })

  it('holds speech for 200 ms after the last voiced frame, then releases once', () => {
    const detections = hear(sentence(-22))
    const at = detections.findIndex((d) => d.offset)
    const end = detections[at]
    expect(end?.speech).toBe(false)
    expect((end?.atMs ?? 0) - (end?.lastVoicedMs ?? 0)).toBe(200)
    expect(detections[at - 1]?.speech).toBe(true)
    expect(detections.filter((d) => d.offset)).toHaveLength(onsetsOf(detections).length)
  })

  it('hears one talkspurt of about 1.5 s at −10, −25 and −40 dBFS, 38 dB over the room', () => {
    for (const rmsDbfs of [-10, -25, -40]) {
      const detections = hear(sentence(rmsDbfs))
      expect(onsetsOf(detections)).toHaveLength(1)
      const ms = detections.filter((d) => d.speech).length * 20
      expect(ms).toBeGreaterThan(1_500)
      expect(ms).toBeLessThan(1_900)
    }
  })

  it('hears a voice that begins with the call', () => {
    const samples = voice(2 * SEC, { rateHz: SEC, rmsDbfs: -20, seed: 31 })
    expect(onsetsOf(hear(samples))[0]).toBeLessThan(400)
  })

  it('finds most of a voice 10 dB above white noise', () => {
    const room = noise(8 * SEC, { rmsDbfs: -34, seed: 41 })
    const samples = mix(room, voice(2 * SEC, { rateHz: SEC, rmsDbfs: -24, seed: 41 }), 4 * SEC)
    const speech = hear(samples).filter((d) => d.speech)
    const inside = speech.filter((d) => d.atMs >= 4_000 && d.atMs < 6_300)
    expect(speech.length - inside.length).toBeLessThanOrEqual(5)
    expect(inside.length * 20).toBeGreaterThan(1_200)
  })

  it('adapts to a background that rises by 12 dB within 2 s', () => {
    for (const seed of [51, 52, 53]) {
      const rising = noise(16 * SEC, { rmsDbfs: -52, seed }).map((x, n) =>
        n > 8 * SEC ? x * dbToGain(12) : x,
      )
      const late = hear(rising).filter((d) => d.atMs >= 10_000)
      expect(late.some((d) => d.speech)).toBe(false)
    }
  })

  it('gives the pitch of a voice within 5 %, and none in noise or silence', () => {
    for (const hz of [110, 160, 240]) {
      const detections = hear(
        mix(noise(2 * SEC, { rmsDbfs: -70, seed: 81 }), buzz(SEC, hz), SEC / 2),
      )
      const pitches = detections.slice(40, 70).map((d) => d.pitchHz ?? 0)
      const voiced = pitches.filter((p) => p > 0)
      expect(voiced.length).toBeGreaterThan(8)
      const median = voiced.sort((a, b) => a - b)[Math.floor(voiced.length / 2)] ?? 0
      expect(Math.abs(median / hz - 1)).toBeLessThan(0.05)
      for (const d of detections) {
        expect(d.voicedLevelDbfs).toBe(d.pitchHz === 0 ? -90 : d.levelDbfs)
      }
    }
    const quiet = hear(noise(4 * SEC, { rmsDbfs: -40, seed: 82 })).slice(50)
    expect(quiet.every((d) => d.pitchHz === 0 && d.voicedLevelDbfs === -90)).toBe(true)
  })

  it('starts speech at most once in a minute of held notes', () => {
    const notes = [0, 4, 7, 12, 7, 4].map((semitones) => 130.8 * 2 ** (semitones / 12))
    const tune = Float32Array.from({ length: 60 * SEC }, (_, n) => {
      const t = n / SEC
      const hz = notes[Math.floor(t * 2.5) % notes.length] ?? 0
      let sum = 0
      for (let k = 1; k <= 8; k++) sum += Math.sin(2 * Math.PI * k * hz * t + k * k) / k
      return 0.03 * sum * Math.exp(-3 * ((t * 2.5) % 1))
    })
    const room = mix(noise(60 * SEC, { rmsDbfs: -65, seed: 95 }), tune, 0)
    expect(onsetsOf(hear(room)).length).toBeLessThanOrEqual(1)
  })

  it('leaves no trace in a slot: after loud calls the same audio gives the same detections', () => {
    const samples = sentence(-24)
    const fresh = hear(samples)
    hear(noise(3 * SEC, { rmsDbfs: -6, seed: 91 }))
    hear(sentence(-12, 92))
    expect(hear(samples)).toEqual(fresh)
  })

  it('hears the more the higher the sensitivity: voiced frames never decrease from 0 to 1', () => {
    const room = noise(6 * SEC, { rmsDbfs: -38, seed: 61 })
    const samples = mix(room, voice(2 * SEC, { rateHz: SEC, rmsDbfs: -34, seed: 61 }), 3 * SEC)
    const counts = [0, 0.25, 0.5, 0.75, 1].map(
      (s) => hear(samples, s).filter((d) => d.speech).length,
    )
    expect(counts).toEqual([...counts].sort((a, b) => a - b))
    expect(counts[4]).toBeGreaterThan(counts[0] ?? 0)
  })

  it('decides alike at 8, 16 and 24 kHz', () => {
    const spans = [8_000, 16_000, 24_000].map((rateHz) => {
      const room = noise(rateHz * 4, { rmsDbfs: -60, seed: 71 })
      const samples = mix(room, voice(rateHz, { rateHz, rmsDbfs: -24, seed: 71 }), rateHz * 2)
      const detections = hear(samples, 0.5, { ...LINE, lineRateHz: rateHz })
      return [onsetsOf(detections).length, onsetsOf(detections)[0] ?? 0] as const
    })
    for (const [count, firstMs] of spans) {
      expect(count).toBe(1)
      expect(Math.abs(firstMs - 2_040)).toBeLessThanOrEqual(60)
    }
  })
})
