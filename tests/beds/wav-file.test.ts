import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BedError, readWav } from '../../server/beds/wav-file.ts'
import { ulawCompress, alawCompress } from '../../bench/dsp/g191.ts'
import { toneOf, wavOf, write16, type WavShape } from './wav-files.ts'

type Write = (view: DataView, at: number, x: number) => void
const KINDS: ReadonlyArray<readonly [string, Omit<WavShape, 'rateHz'>, Write, number]> = [
  [
    '8-bit PCM',
    { kind: 1, bits: 8 },
    (v, at, x) => v.setUint8(at, Math.round(x * 127) + 128),
    0.01,
  ],
  ['16-bit PCM', { kind: 1, bits: 16 }, write16, 1e-4],
  [
    '24-bit PCM',
    { kind: 1, bits: 24 },
    (v, at, x) => {
      const whole = Math.round(x * 8_388_607)
      v.setUint16(at, whole & 0xffff, true)
      v.setInt8(at + 2, whole >> 16)
    },
    1e-5,
  ],
  [
    '32-bit PCM',
    { kind: 1, bits: 32 },
    (v, at, x) => v.setInt32(at, Math.round(x * 2_147_483_647), true),
    1e-6,
  ],
  ['32-bit float', { kind: 3, bits: 32 }, (v, at, x) => v.setFloat32(at, x, true), 1e-6],
  ['64-bit float', { kind: 3, bits: 64 }, (v, at, x) => v.setFloat64(at, x, true), 1e-6],
  [
    'µ-law',
    { kind: 7, bits: 8 },
    (v, at, x) => v.setUint8(at, ulawCompress(Math.round(x * 32_767))),
    0.02,
  ],
  [
    'A-law',
    { kind: 6, bits: 8 },
    (v, at, x) => v.setUint8(at, alawCompress(Math.round(x * 32_767))),
    0.02,
  ],
]

describe('a WAV file', () => {
  it.each(KINDS)(
    'of %s is read, mono and stereo, plain and extensible, with other chunks',
    (_, shape, write, off) => {
      const tone = toneOf(0.1, 22_050, 440)
      for (const channels of [1, 2]) {
        for (const more of [{}, { extensible: true }, { chunks: true }]) {
          const file = wavOf(tone, { ...shape, ...more, channels, rateHz: 22_050 }, write)
          const { samples, rateHz } = readWav(file, 10)
          expect(rateHz).toBe(22_050)
          expect(samples).toHaveLength(tone.length)
          const worst = samples.reduce(
            (most, x, n) => Math.max(most, Math.abs(x - (tone[n] ?? 0))),
            0,
          )
          expect(worst).toBeLessThan(off)
        }
      }
    },
  )

  it.each([
    ['no RIFF', 'BED_NOT_WAV', () => new Uint8Array(100)],
    ['an empty file', 'BED_NOT_WAV', () => new Uint8Array(0)],
    [
      'MP3 in WAV',
      'BED_BAD_FORMAT',
      () => wavOf(toneOf(0.1, 8_000, 400), { kind: 85, bits: 16, rateHz: 8_000 }, write16),
    ],
    [
      '6 channels',
      'BED_BAD_FORMAT',
      () =>
        wavOf(toneOf(0.1, 8_000, 400), { kind: 1, bits: 16, channels: 6, rateHz: 8_000 }, write16),
    ],
    [
      '96 kHz',
      'BED_BAD_FORMAT',
      () => wavOf(toneOf(0.1, 8_000, 400), { kind: 1, bits: 16, rateHz: 96_000 }, write16),
    ],
    [
      '11 s where 10 are allowed',
      'BED_TOO_LONG',
      () => wavOf(toneOf(11, 8_000, 400), { kind: 1, bits: 16, rateHz: 8_000 }, write16),
    ],
    [
      'a header alone',
      'BED_NOT_WAV',
      () =>
        wavOf(toneOf(0.1, 8_000, 400), { kind: 1, bits: 16, rateHz: 8_000 }, write16).subarray(
          0,
          36,
        ),
    ],
  ])('with %s is refused as %s', (_, code, make) => {
    expect(() => readWav(make(), 10)).toThrow(expect.objectContaining({ code }) as Error)
  })

  it('cut off anywhere, or with any byte changed, gives samples or a BedError', () => {
    const file = wavOf(
      toneOf(0.02, 8_000, 400),
      { kind: 1, bits: 16, rateHz: 8_000, chunks: true },
      write16,
    )
    const place = fc.nat({ max: file.length - 1 })
    fc.assert(
      fc.property(place, place, fc.nat({ max: 255 }), (length, at, value) => {
        const broken = Uint8Array.from(file.subarray(0, length))
        if (at < length) broken[at] = value
        try {
          expect(readWav(broken, 10).samples.every((x) => Math.abs(x) <= 1)).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(BedError)
        }
      }),
      { seed: 41, numRuns: 300 },
    )
  })
})
