/** Both chains against stored audio; how it is made: tests/dsp/golden/make.ts. */
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { alawExpand, ulawExpand } from '../../bench/dsp/g191.ts'
import { chainRig } from './chain-rig.ts'
import { GOLDEN, goldenFile, type GoldenCase } from './golden/cases.ts'

const rig = await chainRig(1)

/**
 * The filters' tables come from Math.sin, whose last bit other processors may compute otherwise: there a sample may be one
 * step of the format off.
 */
const MOST_STEPS = process.arch === 'x64' ? 0 : 1

const LEVELS = {
  PCMU: levels(ulawExpand),
  PCMA: levels(alawExpand),
}

/** The place of each code among all 256 in order of loudness, so that neighbours are one apart. */
function levels(expand: (code: number) => number): Map<number, number> {
  const codes = Array.from({ length: 256 }, (_, code) => code)
  codes.sort((a, b) => expand(a) - expand(b))
  return new Map(codes.map((code, place) => [code, place]))
}

/** 16-bit samples, or the places of codes. */
function steps(kind: GoldenCase['kind'], bytes: Uint8Array): number[] {
  if (kind !== 'L16') return Array.from(bytes, (code) => LEVELS[kind].get(code) ?? NaN)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length / 2 }, (_, n) => view.getInt16(n * 2, true))
}

describe('golden audio', () => {
  it.each(GOLDEN)('$name is what it was, bit for bit', async (one) => {
    const expected = steps(one.kind, await readFile(goldenFile(one.name)))
    const got = steps(one.kind, one.run(rig))
    expect(got).toHaveLength(expected.length)
    const wrong = got.filter((x, n) => !(Math.abs(x - expected[n]!) <= MOST_STEPS))
    expect(wrong).toEqual([])
  })
})
