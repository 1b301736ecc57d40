import { beforeAll, describe, expect, it } from 'vitest'
import type { SlotFormat, SlotSettings } from '../../dsp/slot.ts'
import { chainRig, slotOf, type ChainRig } from './chain-rig.ts'
import { tone, toPcm, voice } from './signals.ts'

const WIDE: SlotFormat = { codec: 'L16', lineRateHz: 16_000, ttsRateHz: 24_000 }
const PHONE: SlotFormat = { codec: 'PCMU', lineRateHz: 8_000, ttsRateHz: 8_000, sttRateHz: 8_000 }
const FULL: SlotSettings = {
  ...{ vadSensitivity: 0.5, bed: 'office', bedGain: 1 },
  ...{ suppressNoise: true, tones: true, comfortNoiseDbfs: -60 },
}
const PLAIN: SlotSettings = { vadSensitivity: 0.5, bed: 'none', bedGain: 0 }

let rig: ChainRig
beforeAll(async () => {
  rig = await chainRig(4)
})

/** A minute of everything: no part of the slot is as it was, no ring at its beginning, and a digit was heard just now. */
function use(index: number): void {
  const slot = slotOf(rig, index)
  slot.open(WIDE, FULL)
  const keys = tone(16_000, { hz: 770, rateHz: 16_000, peak: 0.3 })
  const second = tone(16_000, { hz: 1_336, rateHz: 16_000, peak: 0.3 })
  const line = new Uint8Array(toPcm(keys.map((x, n) => x + second[n]!)).buffer)
  const agent = toPcm(tone(480 * 7, { hz: 300, rateHz: 24_000, peak: 0.5 }))
  for (let frame = 0; frame < 2_988; frame++) {
    const at = (frame % 50) * 640
    // 200 ms of digit, 200 ms of nothing.
    slot.pushPayload(
      frame % 20 < 10 ? line.subarray(at, at + 640) : new Uint8Array(640).fill(frame & 3),
    )
    if (frame % 7 === 0) slot.pushPcm(agent, 0)
    if (frame % 500 === 499) slot.clearAgent()
    rig.run(index)
    if (frame % 5 > 0) slot.drain(() => {})
    slot.nextOutbound()
  }
}

/** All that 3 s of a telephone call come to. */
function call(index: number, settings: SlotSettings): unknown[] {
  const slot = slotOf(rig, index)
  slot.open(PHONE, settings)
  const heard: unknown[] = []
  const agent = toPcm(voice(24_000, { rateHz: 8_000, rmsDbfs: -20, seed: 1 }))
  const line = toPcm(voice(24_000, { rateHz: 8_000, rmsDbfs: -23, seed: 2 }))
  let from = 0
  for (let frame = 0; frame < 150; frame++) {
    const samples = line.subarray(frame * 160, frame * 160 + 160)
    slot.pushPayload(Uint8Array.from(samples, (x) => (x >> 8) & 0xff))
    if (frame % 3 === 0) from += slot.pushPcm(agent.subarray(from, from + 480), 0)
    rig.run(index)
    slot.drain((detection, pcm) => heard.push({ ...detection }, [...pcm]))
    for (let out = slot.nextOutbound(); out; out = slot.nextOutbound()) {
      heard.push({ ...out, payload: [...out.payload] })
    }
  }
  return heard
}

describe('a slot that is opened again', () => {
  it.each([
    ['plain', PLAIN, 0],
    ['with bed, tones, less noise and comfort noise', FULL, 2],
  ])(
    'tells of 3 s of a call (%s) what a slot tells that was never used, bit for bit',
    (_name, settings, unused) => {
      const fresh = call(unused, settings)
      use(unused + 1)
      expect(call(unused + 1, settings)).toEqual(fresh)
      expect(fresh.length).toBeGreaterThan(400)
    },
  )
})
