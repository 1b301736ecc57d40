import { beforeAll, describe, expect, it } from 'vitest'
import { constant } from '../../dsp/host.ts'
import { seeded } from './signals.ts'
import { chainRig, hearUser, PHONE, QUIET, slotOf, type ChainRig } from './chain-rig.ts'
import { amplitudeAt, noise, rms, toDb, toL16, tone, voice } from './signals.ts'

const SLOTS = 200
let rig: ChainRig
beforeAll(async () => {
  rig = await chainRig(SLOTS)
})

describe('user chain', () => {
  it('keeps a 1 kHz tone at its level at 16 kHz, from each line rate, within 0.1 dB', () => {
    for (const lineRateHz of [8_000, 16_000, 24_000]) {
      slotOf(rig, 0).open({ codec: 'L16', lineRateHz, ttsRateHz: 8_000 }, QUIET)
      const line = toL16(tone(lineRateHz, { hz: 1_000, rateHz: lineRateHz, peak: 0.5 }))
      const { pcm } = hearUser(rig, 0, line, (lineRateHz / 50) * 2)
      const level = amplitudeAt(pcm.subarray(1_600), 1_000, 16_000) / 32_768
      expect(Math.abs(toDb(level / 0.5))).toBeLessThan(0.1)
    }
  })

  it('keeps 4.2 kHz from a line of 16 kHz out of 8 kHz by 85 dB where rates are strict', () => {
    const format = { ...PHONE, codec: 'L16', lineRateHz: 16_000, sttRateHz: 8_000 } as const
    const line = toL16(tone(16_000, { hz: 4_200, rateHz: 16_000, peak: 0.9 }))
    const levels = [false, true].map((strictRates) => {
      slotOf(rig, 0).open({ ...format, strictRates }, QUIET)
      const { pcm } = hearUser(rig, 0, line, 640)
      return Math.max(...pcm.filter((_, n) => n > 3_200 && n % 320 < 160).map(Math.abs))
    })
    expect(levels[0]).toBeGreaterThan(1_000)
    expect(levels[1]).toBeLessThanOrEqual(2)
  })

  it('removes DC and lowers 30 Hz by more than 15 dB', () => {
    slotOf(rig, 0).open({ codec: 'L16', lineRateHz: 8_000, ttsRateHz: 8_000 }, QUIET)
    const hum = tone(16_000, { hz: 30, rateHz: 8_000, peak: 0.4 }).map((x) => x + 0.3)
    const { pcm } = hearUser(rig, 0, toL16(hum), 320)
    const late = pcm.subarray(16_000)
    expect(Math.abs(late.reduce((s, x) => s + x, 0) / late.length)).toBeLessThan(3)
    expect(toDb(rms(late) / 32_768 / (0.4 / Math.SQRT2))).toBeLessThan(-15)
  })

  it('reports the level of noise at −30 dBFS within 1 dB, and −90 for digital silence', () => {
    slotOf(rig, 0).open({ codec: 'L16', lineRateHz: 16_000, ttsRateHz: 8_000 }, QUIET)
    const line = noise(16_000, { rmsDbfs: -30, seed: 5 })
    const heard = hearUser(rig, 0, toL16(line), 640).detections
    for (const d of heard.slice(2)) expect(Math.abs(d.levelDbfs + 30)).toBeLessThan(1.2)
    slotOf(rig, 0).open({ codec: 'L16', lineRateHz: 16_000, ttsRateHz: 8_000 }, QUIET)
    const silent = hearUser(rig, 0, new Uint8Array(6_400), 640).detections
    expect(silent.every((d) => d.levelDbfs === -90)).toBe(true)
  })

  it('gives the same result whether a payload comes whole, in 10 ms or in 100 ms pieces', () => {
    const line = toL16(voice(16_000, { rateHz: 8_000, rmsDbfs: -20, seed: 6 }))
    const results = [320, 160, 1_600].map((payloadBytes) => {
      slotOf(rig, 0).open({ codec: 'L16', lineRateHz: 8_000, ttsRateHz: 8_000 }, QUIET)
      return hearUser(rig, 0, line, payloadBytes)
    })
    expect(results[1]).toEqual(results[0])
    expect(results[2]).toEqual(results[0])
  })

  it('stops at 16 frames nobody drained, and loses none', () => {
    const slot = slotOf(rig, 0)
    slot.open(PHONE, QUIET)
    for (let f = 0; f < 20; f++) slot.pushPayload(new Uint8Array(160).fill(f))
    rig.run(0)
    let frames = 0
    expect(slot.drain(() => frames++)).toBe(16)
    rig.run(0)
    expect(slot.drain(() => frames++)).toBe(4)
  })
})

describe('slots', () => {
  it('give 200 interleaved calls the same as each alone', () => {
    const lines = Array.from({ length: SLOTS }, (_, i) => {
      const random = seeded(1_000 + i)
      return Uint8Array.from({ length: 160 * 12 }, () => Math.floor(random() * 256))
    })
    const codecOf = (i: number) => (i % 2 === 0 ? 'PCMU' : 'PCMA')
    const alone = lines.map((line, i) => {
      slotOf(rig, 0).open({ ...PHONE, codec: codecOf(i) }, QUIET)
      return hearUser(rig, 0, line, 160)
    })
    lines.forEach((_, i) => slotOf(rig, i).open({ ...PHONE, codec: codecOf(i) }, QUIET))
    const together = lines.map(() => ({ levels: [] as number[], pcm: [] as number[] }))
    const order = seeded(7)
    for (let f = 0; f < 12; f++) {
      lines.forEach((line, i) => slotOf(rig, i).pushPayload(line.subarray(f * 160, f * 160 + 160)))
      rig.run(...lines.map((_, i) => i).sort(() => order() - 0.5))
      together.forEach((result, i) =>
        slotOf(rig, i).drain((detection, pcm) => {
          result.levels.push(detection.levelDbfs, detection.probability)
          result.pcm.push(...pcm)
        }),
      )
    }
    together.forEach((result, i) => {
      expect(result.pcm).toEqual([...(alone[i]?.pcm ?? [])])
      const expected = alone[i]?.detections.flatMap((d) => [d.levelDbfs, d.probability])
      expect(result.levels).toEqual(expected)
    })
  })

  it('leave no trace of the call before', () => {
    const line = toL16(voice(16_000, { rateHz: 8_000, rmsDbfs: -20, seed: 8 }))
    const format = { codec: 'L16', lineRateHz: 8_000, ttsRateHz: 16_000 } as const
    slotOf(rig, 1).open(format, QUIET)
    const fresh = hearUser(rig, 1, line, 320)
    const used = slotOf(rig, 2)
    used.open(
      { codec: 'PCMU', lineRateHz: 24_000, ttsRateHz: 24_000 },
      { ...QUIET, bed: 'cafe', bedGain: 1 },
    )
    used.pushPcm(new Int16Array(5_000).fill(9_000), 0)
    used.clearAgent()
    used.pushPcm(new Int16Array(5_000).fill(9_000), 0)
    hearUser(rig, 2, new Uint8Array(4_800).fill(3), 480)
    used.close()
    used.open(format, QUIET)
    expect(hearUser(rig, 2, line, 320)).toEqual(fresh)
    expect(used.nextOutbound()).toBeNull()
    expect(used.agentSpaceSamples).toBe(5_120)
  })

  it('are not processed when closed', () => {
    const slot = slotOf(rig, 3)
    slot.open(PHONE, QUIET)
    slot.pushPayload(new Uint8Array(160))
    slot.close()
    rig.run(3)
    expect(slot.drain(() => undefined)).toBe(0)
  })

  it('trap alone: a damaged slot is marked, and its neighbours in the batch are processed', () => {
    for (const i of [4, 5, 6]) {
      slotOf(rig, i).open(PHONE, QUIET)
      slotOf(rig, i).pushPayload(new Uint8Array(160))
    }
    const words = new Int32Array(rig.dsp.share.memory.buffer)
    const filter = constant(rig.dsp.layout, 'TO_STT_PTR')
    words[(rig.dsp.slotAddress(5) + filter) >> 2] = 0x7fff_fff0
    rig.run(4, 5, 6)
    const drained = [4, 5, 6].map((i) => slotOf(rig, i).drain(() => undefined))
    expect(drained).toEqual([1, 0, 1])
    expect([4, 5, 6].map((i) => slotOf(rig, i).fault)).toEqual([0, 1, 0])
  })

  it('refuse a line rate of 11 025 Hz with DSP_BAD_RATE', () => {
    expect(() => slotOf(rig, 0).open({ ...PHONE, lineRateHz: 11_025 }, QUIET)).toThrow(
      expect.objectContaining({ code: 'DSP_BAD_RATE' }),
    )
  })

  it('lie an odd number of cache lines apart, so that their headers spread over the cache', () => {
    expect((constant(rig.dsp.layout, 'SLOT_BYTES') / 64) % 2).toBe(1)
  })
})
