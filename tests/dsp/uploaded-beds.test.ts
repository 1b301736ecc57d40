import { beforeAll, describe, expect, it } from 'vitest'
import { bindKernel, createDspMemory, type DspMemory } from '../../dsp/host.ts'
import { Slot } from '../../dsp/slot.ts'
import type { BedLoops } from '../../dsp/uploaded-beds.ts'
import { loopsOf, makeLoop } from '../../server/beds/bed-loop.ts'
import { readWav } from '../../server/beds/wav-file.ts'
import { wavOf, write16 } from '../beds/wav-files.ts'
import { noise } from './signals.ts'

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

  it('with a LIST chunk behind the audio loop as without it, and do not click where they begin again', async () => {
    const sound = noise(24_000, { rmsDbfs: -20, seed: 6 }).map(
      (x, n) => 0.2 * x + 0.4 * Math.sin(n / 20) * (n / 24_000),
    )
    const file = wavOf(sound, { kind: 1, bits: 16, rateHz: 8_000 }, write16)
    const own = await createDspMemory({ slots: 1, lists: 1, uploadedBedBytes: 400_000 })
    own.uploadedBeds.add('plain', bedOf(file))
    own.uploadedBeds.add('tagged', bedOf(withList(file)))
    const samples = bedOf(file)[8_000].length
    const [plain, tagged] = ['plain', 'tagged'].map((bed) => played(own, bed, 2 * samples + 8_000))
    expect([...(tagged ?? [])]).toEqual([...(plain ?? [])])
    // Twice past the end: the step there is one of those within the loop.
    const steps = (tagged ?? new Int16Array())
      .subarray(8_000)
      .map((x, n, all) => Math.abs(x - (all[n - 1] ?? x)))
    const isJoint = (n: number): boolean => (n + 8_000) % samples < 4
    const within = steps.reduce((most, x, n) => (isJoint(n) ? most : Math.max(most, x)), 0)
    const across = steps.reduce((most, x, n) => (isJoint(n) ? Math.max(most, x) : most), 0)
    expect(across).toBeGreaterThan(0)
    expect(across).toBeLessThanOrEqual(within)
  })
})

function bedOf(file: Uint8Array): BedLoops {
  const { samples, rateHz } = readWav(file, 10)
  return loopsOf(makeLoop(samples, rateHz))
}

/** The file and 4 000 bytes of metadata behind its audio, which as samples would be a loud crack. */
function withList(file: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(file.length + 8 + 4_000)
  bytes.set(file)
  bytes.set(Buffer.from('LIST', 'latin1'), file.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(4, bytes.length - 8, true)
  view.setUint32(file.length + 4, 4_000, true)
  for (let n = 0; n < 2_000; n++) view.setInt16(file.length + 8 + n * 2, n % 2 ? 32_767 : -32_768)
  return bytes
}

/** What the line hears of a bed, from its first sample on. */
function played(memory: DspMemory, bed: string, samples: number): Int16Array {
  const call = new Slot(memory, 0)
  const kernel = bindKernel(memory.share)
  call.open(L16, { vadSensitivity: 0.5, bed, bedGain: 1 })
  memory.writeList(0, [0])
  const out = new Int16Array(Math.ceil(samples / 160) * 160)
  for (let at = 0; at < out.length; at += 160) {
    kernel.run(0, 1)
    const frame = call.nextOutbound()
    if (frame === null) throw new Error(`no bed at ${at}`)
    out.set(new Int16Array(frame.payload.slice().buffer), at)
  }
  call.close()
  return out
}
