import { beforeAll, describe, expect, it } from 'vitest'
import type { SlotFormat } from '../../dsp/slot.ts'
import { chainRig, QUIET, slotOf, type ChainRig } from './chain-rig.ts'
import { amplitudeAt, rms, tone, toPcm } from './signals.ts'

const LOOPED = { ...QUIET, loopback: true }
const PCMU: SlotFormat = {
  codec: 'PCMU',
  lineRateHz: 8_000,
  ttsRateHz: 8_000,
  sttRateHz: 8_000,
}
const SILENCE = new Uint8Array(160).fill(0xff)
/** A loud square wave. */
const SOUND = Uint8Array.from({ length: 160 }, (_, n) => (n % 8 < 4 ? 0x90 : 0x10))

let rig: ChainRig
beforeAll(async () => {
  rig = await chainRig(1)
})

function taken(): Uint8Array[] {
  const payloads: Uint8Array[] = []
  for (let frame = slotOf(rig, 0).nextOutbound(); frame; frame = slotOf(rig, 0).nextOutbound()) {
    payloads.push(frame.payload.slice())
  }
  return payloads
}

describe('loopback', () => {
  it('prepares each frame of the user in the batch that decoded it, with its 20 ms counted', () => {
    const slot = slotOf(rig, 0)
    slot.open(PCMU, LOOPED)
    for (let frame = 1; frame <= 40; frame++) {
      slot.pushPayload(SOUND)
      rig.run(0)
      expect(slot.drain(() => {})).toBe(1)
      expect(slot.nextOutbound()).toMatchObject({ hasAgent: true, agentMs: frame * 20 })
      expect(slot.nextOutbound()).toBeNull()
    }
  })

  it.each([8_000, 16_000, 24_000, 48_000])(
    'returns a tone of 600 Hz on a line of %d Hz at its level within 1 %',
    (lineRateHz) => {
      const rateHz = lineRateHz === 8_000 ? 8_000 : 16_000
      const slot = slotOf(rig, 0)
      slot.open({ codec: 'L16', lineRateHz, ttsRateHz: rateHz, sttRateHz: rateHz }, LOOPED)
      const line = toPcm(tone(lineRateHz, { hz: 600, rateHz: lineRateHz, peak: 0.4 }))
      const bytes = new Uint8Array(line.buffer)
      const payloadBytes = lineRateHz / 25
      const returned: number[] = []
      for (let at = 0; at < bytes.length; at += payloadBytes) {
        slot.pushPayload(bytes.subarray(at, at + payloadBytes))
        rig.run(0)
        slot.drain(() => {})
        for (const payload of taken()) returned.push(...new Int16Array(payload.buffer))
      }
      const pcm = Int16Array.from(returned)
      expect(pcm.length).toBe(line.length)
      const half = pcm.subarray(pcm.length / 2)
      expect(amplitudeAt(half, 600, lineRateHz) / (0.4 * 32_768)).toBeCloseTo(1, 2)
    },
  )

  it('leaves silence out while 60 ms wait, and never a frame with a sound in it', () => {
    const slot = slotOf(rig, 0)
    slot.open(PCMU, LOOPED)
    for (let frame = 0; frame < 10; frame++) slot.pushPayload(SILENCE)
    rig.run(0)
    for (let frame = 0; frame < 10; frame++) slot.pushPayload(SOUND)
    rig.run(0)
    const returned: Uint8Array[] = []
    for (let turn = 0; turn < 20; turn++) {
      returned.push(...taken())
      slot.drain(() => {})
      rig.run(0)
    }
    const loud = returned.filter((p) => rms(Float64Array.from(p, (b) => (b & 0x7f) - 0x7f)) > 20)
    expect(returned.length - loud.length).toBe(3)
    expect(loud.length).toBe(10)
  })

  it('leaves the user audio where it is while 320 ms wait for a line that takes nothing, and loses none of it', () => {
    const slot = slotOf(rig, 0)
    slot.open(PCMU, LOOPED)
    let heard = 0
    for (let frame = 0; frame < 40; frame++) {
      expect(slot.pushPayload(SOUND)).toBe('taken')
      rig.run(0)
      heard += slot.drain(() => {})
    }
    // 2 are prepared, 16 wait.
    expect(heard).toBe(18)
    let returned = 0
    for (let turn = 0; turn < 40; turn++) {
      returned += taken().length
      heard += slot.drain(() => {})
      rig.run(0)
    }
    expect(heard).toBe(40)
    expect(returned).toBe(40)
  })

  it('begins anew at clear, and goes on with the next frame', () => {
    const slot = slotOf(rig, 0)
    slot.open(PCMU, LOOPED)
    for (let frame = 0; frame < 5; frame++) slot.pushPayload(SOUND)
    rig.run(0)
    slot.drain(() => {})
    slot.clearAgent()
    expect(slot.nextOutbound()).toBeNull()
    slot.pushPayload(SOUND)
    rig.run(0)
    expect(slot.nextOutbound()).toMatchObject({ hasAgent: true, agentMs: 20 })
  })

  it('refuses different rates of TTS and speech-to-text with DSP_BAD_RATE', () => {
    expect(() => slotOf(rig, 0).open({ ...PCMU, ttsRateHz: 16_000 }, LOOPED)).toThrow(
      expect.objectContaining({ code: 'DSP_BAD_RATE' }),
    )
  })
})
