import { beforeAll, describe, expect, it } from 'vitest'
import { bedLoop, LOOP_SEC } from '../../dsp/beds.ts'
import type { OutboundFrame, SlotFormat } from '../../dsp/slot.ts'
import {
  chainRig,
  LINEAR_8K,
  PHONE,
  QUIET,
  slotOf,
  speakAgent,
  type ChainRig,
} from './chain-rig.ts'
import { amplitudeAt, rms, toDb, tone, toPcm, voice } from './signals.ts'

let rig: ChainRig
beforeAll(async () => {
  rig = await chainRig(2)
})

function pcmOf(bytes: Uint8Array): Int16Array {
  return new Int16Array(bytes.slice().buffer)
}

/** Takes `frames` frames one by one as a pacer does, and returns the line's samples. */
function listen(frames: number): { pcm: Int16Array; heard: OutboundFrame[] } {
  const slot = slotOf(rig, 0)
  const heard: OutboundFrame[] = []
  while (heard.length < frames) {
    rig.run(0)
    const frame = slot.nextOutbound()
    if (frame === null) break
    heard.push({ ...frame, payload: frame.payload.slice() })
  }
  return { pcm: pcmOf(Uint8Array.from(heard.flatMap((f) => [...f.payload]))), heard }
}

function largestStep(pcm: Int16Array): number {
  let largest = 0
  for (let n = 1; n < pcm.length; n++) {
    largest = Math.max(largest, Math.abs((pcm[n] ?? 0) - (pcm[n - 1] ?? 0)))
  }
  return largest
}

describe('agent chain', () => {
  it('passes L16 through unchanged when the rates are equal and the peak is below −1.9 dBFS', () => {
    slotOf(rig, 0).open(LINEAR_8K, QUIET)
    const pcm = toPcm(tone(1_600, { hz: 440, rateHz: 8_000, peak: 0.79 }))
    expect([...pcmOf(speakAgent(rig, 0, pcm))]).toEqual([...pcm])
  })

  it('keeps the level of a 1 kHz tone from each TTS rate to each line rate within 0.1 dB', () => {
    for (const ttsRateHz of [8_000, 16_000, 24_000]) {
      for (const lineRateHz of [8_000, 16_000, 24_000]) {
        slotOf(rig, 0).open({ codec: 'L16', lineRateHz, ttsRateHz }, QUIET)
        const pcm = toPcm(tone(ttsRateHz, { hz: 1_000, rateHz: ttsRateHz, peak: 0.5 }))
        const line = pcmOf(speakAgent(rig, 0, pcm)).subarray(lineRateHz / 10)
        const gain = toDb(amplitudeAt(line, 1_000, lineRateHz) / (0.5 * 32_768))
        expect(Math.abs(gain)).toBeLessThan(0.1)
      }
    }
  })

  it('prepares nothing without agent audio and bed', () => {
    slotOf(rig, 0).open(PHONE, QUIET)
    rig.run(0)
    expect(slotOf(rig, 0).nextOutbound()).toBeNull()
  })

  it('prepares PCMU silence, 0xFF, when frames are wanted', () => {
    slotOf(rig, 0).open(PHONE, QUIET)
    slotOf(rig, 0).wantFrames = true
    rig.run(0)
    const frame = slotOf(rig, 0).nextOutbound()
    expect([...new Set(frame?.payload)]).toEqual([0xff])
    expect(frame).toMatchObject({ hasAgent: false, agentMs: 0 })
  })

  it.each([
    [-60, -60],
    [-45, -45],
    [-6, -20],
  ])('fills silence with comfort noise of %d dBFS at %d dBFS within 0.3 dB', (asked, expected) => {
    slotOf(rig, 0).open(LINEAR_8K, { ...QUIET, comfortNoiseDbfs: asked })
    slotOf(rig, 0).wantFrames = true
    const { pcm } = listen(200)
    expect(Math.abs(toDb(rms(pcm) / 32_768) - expected)).toBeLessThan(0.3)
    // White: no place of the spectrum holds much of it.
    expect(amplitudeAt(pcm, 1_000, 8_000)).toBeLessThan(0.2 * rms(pcm))
  })

  it('prepares 2 frames ahead, not 3', () => {
    const slot = slotOf(rig, 0)
    slot.open(PHONE, QUIET)
    slot.pushPcm(new Int16Array(3_200), 0)
    rig.run(0)
    expect(slot.preparedFrames).toBe(2)
  })

  it('counts 20 ms per whole frame and 5 ms for a padded tail of 5 ms', () => {
    const slot = slotOf(rig, 0)
    slot.open(PHONE, QUIET)
    slot.pushPcm(new Int16Array(320 * 2 + 80), 0)
    slot.flushAgent()
    const { heard } = listen(10)
    expect(heard.map((f) => f.agentMs)).toEqual([20, 40, 45])
    expect(heard.every((f) => f.hasAgent)).toBe(true)
  })

  it('keeps a tail that was not flushed, and joins it to what follows', () => {
    const slot = slotOf(rig, 0)
    slot.open(LINEAR_8K, QUIET)
    const pcm = toPcm(tone(320, { hz: 440, rateHz: 8_000, peak: 0.5 }))
    slot.pushPcm(pcm.subarray(0, 200), 0)
    expect(listen(5).heard).toHaveLength(1)
    slot.pushPcm(pcm, 200)
    expect([...listen(5).pcm]).toEqual([...pcm.subarray(160)])
  })

  it('takes 320 ms of agent audio at each rate and no more', () => {
    for (const ttsRateHz of [8_000, 16_000, 24_000]) {
      const slot = slotOf(rig, 0)
      slot.open({ ...PHONE, ttsRateHz }, QUIET)
      expect(slot.pushPcm(new Int16Array(ttsRateHz), 0)).toBe(ttsRateHz * 0.32)
      expect(slot.agentSpaceSamples).toBe(0)
    }
  })

  it('drops ring and prepared frames at clear, and counts agent audio from 0 again', () => {
    const slot = slotOf(rig, 0)
    slot.open(LINEAR_8K, QUIET)
    slot.pushPcm(new Int16Array(2_560).fill(8_000), 0)
    listen(3)
    slot.clearAgent()
    slot.clearAgent()
    expect(slot.nextOutbound()).toBeNull()
    expect(slot.agentSpaceSamples).toBe(2_560)
    slot.pushPcm(new Int16Array(320).fill(100), 0)
    const { pcm, heard } = listen(10)
    expect(heard.map((f) => f.agentMs)).toEqual([20, 40])
    expect([...new Set(pcm)]).toEqual([100])
  })

  it('ducks the agent by 12 dB along a ramp of one frame, without a step', () => {
    const slot = slotOf(rig, 0)
    slot.open(LINEAR_8K, QUIET)
    const pcm = toPcm(tone(1_600, { hz: 200, rateHz: 8_000, peak: 0.5 }))
    slot.pushPcm(pcm, 0)
    listen(2)
    slot.setAgentGain(10 ** (-12 / 20))
    const after = listen(8).pcm
    const settled = after.subarray(160 * 4)
    expect(toDb(amplitudeAt(settled, 200, 8_000) / (0.5 * 32_768))).toBeCloseTo(-12, 1)
    expect(largestStep(after)).toBeLessThanOrEqual(largestStep(pcm) + 60)
  })

  it('bends peaks above −1.9 dBFS and never wraps them', () => {
    slotOf(rig, 0).open(LINEAR_8K, QUIET)
    const loud = toPcm(tone(1_600, { hz: 440, rateHz: 8_000, peak: 0.999 }))
    const line = pcmOf(speakAgent(rig, 0, loud))
    const peak = Math.max(...line)
    expect(peak).toBeGreaterThan(0.88 * 32_768)
    expect(peak).toBeLessThan(0.92 * 32_768)
    expect(largestStep(line)).toBeLessThanOrEqual(largestStep(loud))
  })
})

describe('bed', () => {
  const withBed = { ...QUIET, bed: 'office', bedGain: 1 } as const

  it('plays on past its loop point with no step larger than within the loop', () => {
    slotOf(rig, 0).open(LINEAR_8K, withBed)
    const loop = bedLoop('office', 8_000)
    const { pcm } = listen(50 * (LOOP_SEC + 1))
    expect(pcm.length).toBeGreaterThan(loop.length + 4_000)
    expect(largestStep(pcm.subarray(loop.length - 400))).toBeLessThanOrEqual(largestStep(loop) + 1)
    const places = Array.from({ length: 200 }, (_, i) =>
      largestStep(loop.subarray(i * 200, i * 200 + 40)),
    )
    const typical = places.sort((a, b) => a - b)[100] ?? 0
    const joint = pcm.subarray(loop.length - 20, loop.length + 20)
    expect(largestStep(joint)).toBeLessThan(2 * typical)
  })

  it('fades in, and reaches −26 dBFS at gain 1', () => {
    slotOf(rig, 0).open(LINEAR_8K, withBed)
    const { pcm } = listen(50 * LOOP_SEC)
    expect(Math.abs(pcm[0] ?? 0)).toBeLessThan(10)
    expect(toDb(rms(pcm, 16_000) / 32_768)).toBeCloseTo(-26, 0)
  })

  it('fades out within 1 s when it is switched off, then costs no frame, and comes back', () => {
    const slot = slotOf(rig, 0)
    slot.open(LINEAR_8K, withBed)
    listen(50)
    slot.setBedOn(false)
    const fading = listen(120).pcm
    expect(fading.length).toBeGreaterThan(160 * 20)
    expect(fading.length).toBeLessThan(160 * 70)
    expect(Math.abs(fading.at(-1) ?? 0)).toBeLessThan(30)
    expect(slot.hasWork()).toBe(false)
    slot.setBedOn(true)
    expect(slot.hasWork()).toBe(true)
    expect(rms(listen(60).pcm.subarray(160 * 40))).toBeGreaterThan(500)
  })

  it('stays away when it is switched on in a slot that was opened without one', () => {
    const slot = slotOf(rig, 0)
    slot.open(LINEAR_8K, QUIET)
    slot.setBedOn(true)
    expect(slot.hasWork()).toBe(false)
  })

  it('is 6 dB lower while the agent speaks', () => {
    const quiet = slotOf(rig, 0)
    quiet.open(LINEAR_8K, withBed)
    const alone = listen(100).pcm.subarray(160 * 60)
    quiet.open(LINEAR_8K, withBed)
    listen(50)
    const slot = slotOf(rig, 0)
    const heard: number[] = []
    for (let f = 0; f < 50; f++) {
      slot.pushPcm(new Int16Array(160), 0)
      heard.push(...listen(1).pcm)
    }
    const ducked = Int16Array.from(heard.slice(160 * 10))
    expect(toDb(rms(ducked) / rms(alone))).toBeCloseTo(-6, 0)
  })

  it('goes on without a click or a gap when prepared frames are dropped by clear', () => {
    const slot = slotOf(rig, 0)
    slot.open(LINEAR_8K, withBed)
    const undisturbed = listen(100).pcm
    slot.open(LINEAR_8K, withBed)
    const before = listen(40).pcm
    rig.run(0)
    slot.clearAgent()
    const after = listen(60).pcm
    expect([...before, ...after]).toEqual([...undisturbed])
  })

  it.each([8_000, 16_000, 24_000])(
    'neither stops nor clicks when a voice of %i Hz is cut off in mid-word',
    (ttsRateHz) => {
      const slot = slotOf(rig, 0)
      // A voice for 1 s, then clear with two frames prepared and the ring full, then 2 s of bed.
      const line = (said: Int16Array): Int16Array => {
        slot.open({ ...LINEAR_8K, ttsRateHz }, withBed)
        const pcm = [...listen(50).pcm]
        for (let frame = 0, from = 0; frame < 50; frame++) {
          from += slot.pushPcm(said, from)
          pcm.push(...listen(1).pcm)
        }
        rig.run(0)
        expect(slot.preparedFrames).toBe(2)
        slot.clearAgent()
        pcm.push(...listen(100).pcm)
        return Int16Array.from(pcm)
      }
      const spoken = toPcm(voice(2 * ttsRateHz, { rateHz: ttsRateHz, rmsDbfs: -20, seed: 4 }))
      const [withVoice, alone] = [line(spoken), line(new Int16Array(2 * ttsRateHz))]
      const cut = 160 * 100
      expect(rms(withVoice.subarray(cut - 8_000, cut))).toBeGreaterThan(2_000)
      expect([...withVoice.subarray(cut)]).toEqual([...alone.subarray(cut)])

      // The bed as the file has it, at the gain it has anyway; each frame goes on where the last ended.
      slot.open({ ...LINEAR_8K, ttsRateHz }, withBed)
      const undisturbed = listen(200).pcm
      expect(largestStep(alone)).toBeLessThanOrEqual(largestStep(undisturbed))
      for (let at = 8_000; at < alone.length; at += 160) {
        const [heard, whole] = [alone, undisturbed].map((pcm) => pcm.subarray(at, at + 160))
        const gain = toDb(rms(heard ?? []) / rms(whole ?? []))
        expect(gain, `frame ${at / 160}`).toBeGreaterThan(-6.2)
        expect(gain, `frame ${at / 160}`).toBeLessThan(0.1)
      }
    },
  )

  it('sounds the same at 8, 16 and 24 kHz', () => {
    for (const name of ['office', 'cafe', 'callcenter'] as const) {
      const levels = [8_000, 16_000, 24_000].map((rateHz) =>
        toDb(rms(bedLoop(name, rateHz)) / 32_768),
      )
      for (const level of levels) expect(level).toBeCloseTo(-26, 0)
    }
  })

  it('is refused by name when it does not exist', () => {
    const format: SlotFormat = PHONE
    expect(() =>
      slotOf(rig, 1).open(format, { ...QUIET, bed: 'beach' as never, bedGain: 1 }),
    ).toThrow('no bed called beach')
  })
})
