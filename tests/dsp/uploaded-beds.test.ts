import { beforeAll, describe, expect, it } from 'vitest'
import { bindKernel, createDspMemory, type DspMemory } from '../../dsp/host.ts'
import { Slot } from '../../dsp/slot.ts'
import type { BedLoops } from '../../dsp/uploaded-beds.ts'

/** Loops of `samples` at 8 kHz; every sample is `value`. */
function loops(samples: number, value: number): BedLoops {
  return {
    8_000: new Int16Array(samples).fill(value),
    16_000: new Int16Array(samples * 2).fill(value),
  }
}

const L16 = { codec: 'L16', lineRateHz: 8_000, ttsRateHz: 8_000 } as const
const ROOM = 96_000
let dsp: DspMemory
let slot: Slot
beforeAll(async () => {
  dsp = await createDspMemory({ slots: 2, lists: 1, uploadedBedBytes: ROOM })
  slot = new Slot(dsp, 1)
})

/** The line's samples after the bed has faded in. */
function heard(bed: string): number {
  slot.open(L16, { vadSensitivity: 0.5, bed, bedGain: 1 })
  dsp.writeList(0, [1])
  const kernel = bindKernel(dsp.share)
  let last = 0
  for (let frame = 0; frame < 60; frame++) {
    kernel.run(0, 1)
    const { payload } = slot.nextOutbound() ?? { payload: new Uint8Array(2) }
    last = new DataView(payload.buffer, payload.byteOffset).getInt16(payload.byteLength - 2, true)
  }
  return last
}

describe('uploaded beds', () => {
  it('are heard by a slot that names them, and their room is counted', () => {
    dsp.uploadedBeds.add('patio', loops(1_600, 1_000))
    expect(dsp.uploadedBeds.usedBytes).toBe(1_600 * 2 * 3)
    expect(Math.abs(heard('patio') - 1_000)).toBeLessThanOrEqual(2)
  })

  it('that are removed are found no more, and a call that plays one plays it to its end', () => {
    dsp.uploadedBeds.add('old', loops(8_000, 2_000))
    expect(Math.abs(heard('old') - 2_000)).toBeLessThanOrEqual(2)
    dsp.uploadedBeds.remove('old')
    expect(dsp.uploadedBeds.find('old', 8_000)).toBeNull()
    // 48 000 bytes are still played and 9 600 are taken: of 96 000 there is no such gap.
    expect(() => dsp.uploadedBeds.add('new', loops(8_000, 3_000))).toThrow(
      expect.objectContaining({ code: 'DSP_BEDS_FULL' }) as Error,
    )
    slot.close()
    dsp.uploadedBeds.add('new', loops(8_000, 3_000))
    expect(Math.abs(heard('new') - 3_000)).toBeLessThanOrEqual(2)
    expect(Math.abs(heard('patio') - 1_000)).toBeLessThanOrEqual(2)
  })

  it('that do not fit leave the others as they are', () => {
    expect(() => dsp.uploadedBeds.add('huge', loops(80_000, 1))).toThrow(
      expect.objectContaining({ code: 'DSP_BEDS_FULL' }) as Error,
    )
    expect(dsp.uploadedBeds.has('huge')).toBe(false)
    expect(Math.abs(heard('patio') - 1_000)).toBeLessThanOrEqual(2)
  })
})
