/** What must hold for any audio, any order and any split; fixed seeds, so every run tries the same. */
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { SlotFormat, SlotSettings } from '../../dsp/slot.ts'
import { chainRig, hearUser, slotOf, speakAgent, type ChainRig } from './chain-rig.ts'
import { seeded } from './signals.ts'

const SLOTS = 200
const PLAIN: SlotSettings = { vadSensitivity: 0.5, bed: 'none', bedGain: 0 }
let rig: ChainRig
beforeAll(async () => {
  rig = await chainRig(SLOTS)
})

function pcmOf(bytes: Uint8Array, byteOrder: 'little' | 'big' = 'little'): Int16Array {
  const view = new DataView(bytes.slice().buffer)
  return Int16Array.from({ length: bytes.length / 2 }, (_, n) =>
    view.getInt16(n * 2, byteOrder === 'little'),
  )
}

const frames = (min: number, max: number): fc.Arbitrary<Int16Array> =>
  fc.int16Array({ minLength: 160 * min, maxLength: 160 * max })

describe('codecs', () => {
  it('give the same code again for what a code decodes to, through both chains', () => {
    const codec = fc.constantFrom('PCMU' as const, 'PCMA' as const)
    const codes = fc.uint8Array({ minLength: 160, maxLength: 160 })
    fc.assert(
      fc.property(codec, codes, (law, payload) => {
        const { functions, regions, share } = rig.dsp
        const bytes = new Uint8Array(share.memory.buffer)
        const [samples, from, to] = [regions.scratch, regions.scratch + 2_048, regions.scratch + 4_096] // prettier-ignore
        bytes.set(payload, from)
        if (law === 'PCMU') {
          functions.decodeMulaw(from, samples, 160)
          functions.encodeMulaw(samples, to, 160)
        } else {
          functions.decodeAlaw(from, samples, 160)
          functions.encodeAlaw(samples, to, 160)
        }
        // µ-law has two zeros: 0x7f is −0, and comes back as +0.
        const expected = payload.map((code) => (law === 'PCMU' && code === 0x7f ? 0xff : code))
        expect(bytes.slice(to, to + 160)).toEqual(expected)
      }),
      { seed: 21, numRuns: 40 },
    )
  })

  it('carry L16 unchanged below −1.9 dBFS in both byte orders and at each line rate', () => {
    const quiet = fc.array(fc.integer({ min: -26_000, max: 26_000 }), {
      minLength: 960,
      maxLength: 960,
    })
    const order = fc.constantFrom('little' as const, 'big' as const)
    const rate = fc.constantFrom(8_000, 16_000, 24_000, 48_000)
    fc.assert(
      fc.property(quiet, order, rate, (samples, byteOrder, rateHz) => {
        const pcm = Int16Array.from(samples)
        const format: SlotFormat = {
          codec: 'L16',
          byteOrder,
          lineRateHz: rateHz,
          ttsRateHz: rateHz,
        }
        slotOf(rig, 0).open(format, PLAIN)
        expect(pcmOf(speakAgent(rig, 0, pcm), byteOrder)).toEqual(pcm)
      }),
      { seed: 22, numRuns: 24 },
    )
  })

  it('hear the same in big-endian and in little-endian L16', () => {
    const line = frames(4, 4)
    fc.assert(
      fc.property(line, (samples) => {
        const little = new Uint8Array(samples.slice().buffer)
        const big = little.map((_, i) => little[i ^ 1] ?? 0)
        const heard = (['little', 'big'] as const).map((byteOrder) => {
          slotOf(rig, 0).open(
            { codec: 'L16', byteOrder, lineRateHz: 8_000, ttsRateHz: 8_000 },
            PLAIN,
          )
          return hearUser(rig, 0, byteOrder === 'little' ? little : big, 320)
        })
        expect(heard[1]).toEqual(heard[0])
      }),
      { seed: 23, numRuns: 20 },
    )
  })
})

describe('mixer', () => {
  it('never wraps: any voice over any bed keeps its sign where it is loud, and stays below full scale', () => {
    const bed = fc.constantFrom('office' as const, 'cafe' as const, 'callcenter' as const)
    fc.assert(
      fc.property(frames(8, 8), bed, (samples, name) => {
        slotOf(rig, 0).open(
          { codec: 'L16', lineRateHz: 8_000, ttsRateHz: 8_000 },
          { ...PLAIN, bed: name, bedGain: 1 },
        )
        slotOf(rig, 0).pushPcm(samples, 0)
        const line: number[] = []
        for (let f = 0; f < 8; f++) {
          rig.run(0)
          line.push(...pcmOf(slotOf(rig, 0).nextOutbound()?.payload ?? new Uint8Array(0)))
        }
        expect(line).toHaveLength(samples.length)
        line.forEach((sample, n) => {
          expect(Math.abs(sample)).toBeLessThan(32_768)
          const voice = samples[n] ?? 0
          if (Math.abs(voice) > 20_000) expect(Math.sign(sample)).toBe(Math.sign(voice))
        })
      }),
      { seed: 24, numRuns: 12 },
    )
  })
})

describe('agent audio', () => {
  it('gives the same payloads for any split of what the TTS delivers, at each rate', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 })
    const rates = fc.tuple(
      fc.constantFrom(8_000, 16_000, 22_050, 24_000, 48_000),
      fc.constantFrom(8_000, 16_000, 24_000, 48_000),
    )
    fc.assert(
      fc.property(sizes, rates, (chunks, [ttsRateHz, lineRateHz]) => {
        const random = seeded(chunks.length)
        const pcm = Int16Array.from({ length: ttsRateHz / 10 }, () => 20_000 * (random() - 0.5))
        const speak = (pieces: readonly number[]): Uint8Array => {
          const slot = slotOf(rig, 0)
          slot.open({ codec: 'L16', lineRateHz, ttsRateHz }, PLAIN)
          const out: number[] = []
          for (let [from, i] = [0, 0]; from < pcm.length; i++) {
            const size = pieces[i % pieces.length] ?? pcm.length
            from += slot.pushPcm(pcm.subarray(from, from + size), 0)
            if (from >= pcm.length) slot.flushAgent()
            for (let idle = false; !idle;) {
              rig.run(0)
              const frame = slot.nextOutbound()
              idle = frame === null
              if (frame !== null) out.push(...frame.payload)
            }
          }
          return Uint8Array.from(out)
        }
        expect(speak(chunks)).toEqual(speak([pcm.length]))
      }),
      { seed: 25, numRuns: 24 },
    )
  })
})

describe('slots', () => {
  it('give 200 calls of every format, in random order, what each gives alone, both ways', () => {
    const formatOf = (i: number): SlotFormat => ({
      codec: (['PCMU', 'PCMA', 'L16'] as const)[i % 3] ?? 'PCMU',
      byteOrder: i % 2 === 0 ? 'little' : 'big',
      lineRateHz: i % 3 === 2 ? ([8_000, 16_000, 24_000, 48_000][(i >> 2) % 4] ?? 8_000) : 8_000,
      ttsRateHz: [8_000, 16_000, 22_050, 24_000, 48_000][i % 5] ?? 8_000,
    })
    const settingsOf = (i: number): SlotSettings => ({
      ...PLAIN,
      tones: i % 2 === 0,
      suppressNoise: i % 7 < 3,
      bed: i % 4 === 0 ? 'cafe' : 'none',
      bedGain: 0.5,
      ...(i % 5 === 0 ? { comfortNoiseDbfs: -60 } : {}),
    })
    const FRAMES = 5
    const material = Array.from({ length: SLOTS }, (_, i) => {
      const random = seeded(3_000 + i)
      const f = formatOf(i)
      const payload = (f.lineRateHz / 50) * (f.codec === 'L16' ? 2 : 1)
      return {
        payload,
        line: Uint8Array.from({ length: payload * FRAMES }, () => random() * 256),
        tts: Int16Array.from(
          { length: (f.ttsRateHz / 50) * FRAMES },
          () => 20_000 * (random() - 0.5),
        ),
      }
    })
    const results = Array.from({ length: SLOTS }, () => [] as unknown[])
    const feed = (slot: number, i: number, f: number): void => {
      const { payload, line, tts } = material[i]!
      slotOf(rig, slot).pushPayload(line.subarray(f * payload, (f + 1) * payload))
      const samples = tts.length / FRAMES
      slotOf(rig, slot).pushPcm(tts.subarray(f * samples, (f + 1) * samples), 0)
    }
    const collect = (slot: number, into: unknown[]): void => {
      slotOf(rig, slot).drain((detection, pcm) => into.push({ ...detection }, pcm.slice()))
      const frame = slotOf(rig, slot).nextOutbound()
      into.push(frame === null ? null : frame.payload.slice())
    }
    const alone = material.map((_, i) => {
      const into: unknown[] = []
      slotOf(rig, 0).open(formatOf(i), settingsOf(i))
      for (let f = 0; f < FRAMES; f++) {
        feed(0, i, f)
        rig.run(0)
        collect(0, into)
      }
      return into
    })
    const random = seeded(31)
    material.forEach((_, i) => slotOf(rig, i).open(formatOf(i), settingsOf(i)))
    for (let f = 0; f < FRAMES; f++) {
      const order = material.map((_, i) => ({ i, key: random() })).sort((a, b) => a.key - b.key)
      for (const { i } of order) feed(i, i, f)
      rig.run(...order.map(({ i }) => i))
      for (const { i } of order) collect(i, results[i]!)
    }
    expect(results).toEqual(alone)
  })

  it('refuse an unknown codec, rate and bed with a typed error, and a wrong length with a status', () => {
    const slot = slotOf(rig, 0)
    const format: SlotFormat = { codec: 'PCMU', lineRateHz: 8_000, ttsRateHz: 8_000 }
    const code = (text: string) => expect.objectContaining({ code: text }) as unknown
    expect(() => slot.open({ ...format, codec: 'OPUS' as never }, PLAIN)).toThrow(
      code('DSP_BAD_CODEC') as Error,
    )
    expect(() => slot.open({ ...format, ttsRateHz: 44_100 }, PLAIN)).toThrow(
      code('DSP_BAD_RATE') as Error,
    )
    expect(() => slot.open({ ...format, sttRateHz: 24_000 }, PLAIN)).toThrow(
      code('DSP_BAD_RATE') as Error,
    )
    slot.open(format, PLAIN)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3_000 }), (length) => {
        const legal = length > 0 && length % 80 === 0 && length <= 800
        slot.open(format, PLAIN)
        expect(slot.pushPayload(new Uint8Array(length))).toBe(legal ? 'taken' : 'badLength')
      }),
      { seed: 26, numRuns: 100 },
    )
    slot.close()
    expect(rig.dsp.functions.processSlot(rig.dsp.slotAddress(0), rig.dsp.regions.scratch)).toBe(-1)
  })
})
