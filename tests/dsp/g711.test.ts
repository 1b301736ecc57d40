/** G.711 against the arithmetic of ITU-T G.191. */
import { beforeAll, describe, expect, it } from 'vitest'
import { alawCompress, alawExpand, ulawCompress, ulawExpand } from '../../bench/dsp/g191.ts'
import { createDspMemory, type DspMemory } from '../../dsp/host.ts'

const SAMPLES = Int32Array.from({ length: 65_536 }, (_, i) => i - 32_768)
let dsp: DspMemory
let bytes: Uint8Array
let floats: Float32Array
/** Scratch addresses well apart; blocks of 256 samples. */
let pcmAt: number
let codeAt: number

beforeAll(async () => {
  dsp = await createDspMemory({ slots: 1, lists: 1 })
  bytes = new Uint8Array(dsp.share.memory.buffer)
  floats = new Float32Array(dsp.share.memory.buffer)
  pcmAt = dsp.regions.scratch
  codeAt = dsp.regions.scratch + 2_048
})

function encodeAll(encode: (samples: number, payload: number, count: number) => void): Uint8Array {
  const codes = new Uint8Array(SAMPLES.length)
  for (let i = 0; i < SAMPLES.length; i += 256) {
    for (let n = 0; n < 256; n++) floats[(pcmAt >> 2) + n] = (SAMPLES[i + n] ?? 0) / 32_768
    encode(pcmAt, codeAt, 256)
    codes.set(bytes.subarray(codeAt, codeAt + 256), i)
  }
  return codes
}

function decodeAll(decode: (payload: number, out: number, count: number) => void): Float32Array {
  for (let n = 0; n < 256; n++) bytes[codeAt + n] = n
  decode(codeAt, pcmAt, 256)
  return floats.slice(pcmAt >> 2, (pcmAt >> 2) + 256).map((x) => x * 32_768)
}

describe('g711', () => {
  it('encodes all 65 536 samples to PCMU as G.191 does', () => {
    const codes = encodeAll(dsp.functions.encodeMulaw)
    const wrong = SAMPLES.filter((sample, i) => codes[i] !== ulawCompress(sample))
    expect([...wrong]).toEqual([])
  })

  it('encodes all 65 536 samples to PCMA as G.191 does', () => {
    const codes = encodeAll(dsp.functions.encodeAlaw)
    const wrong = SAMPLES.filter((sample, i) => codes[i] !== alawCompress(sample))
    expect([...wrong]).toEqual([])
  })

  it('decodes all 256 PCMU codes as G.191 does', () => {
    const expected = Array.from({ length: 256 }, (_, code) => ulawExpand(code))
    expect([...decodeAll(dsp.functions.decodeMulaw)]).toEqual(expected)
  })

  it('decodes all 256 PCMA codes as G.191 does', () => {
    const expected = Array.from({ length: 256 }, (_, code) => alawExpand(code))
    expect([...decodeAll(dsp.functions.decodeAlaw)]).toEqual(expected)
  })

  it('encodes silence as 0xFF in PCMU and 0xD5 in PCMA', () => {
    expect(encodeAll(dsp.functions.encodeMulaw)[32_768]).toBe(0xff)
    expect(encodeAll(dsp.functions.encodeAlaw)[32_768]).toBe(0xd5)
  })

  it('saturates samples beyond full scale instead of wrapping them', () => {
    floats.fill(1.7, pcmAt >> 2, (pcmAt >> 2) + 8)
    dsp.functions.encodeMulaw(pcmAt, codeAt, 8)
    expect(bytes[codeAt]).toBe(ulawCompress(32_767))
    floats.fill(-1.7, pcmAt >> 2, (pcmAt >> 2) + 8)
    dsp.functions.encodeAlaw(pcmAt, codeAt, 8)
    expect(bytes[codeAt]).toBe(alawCompress(-32_768))
  })

  it('encodes and decodes 16-bit PCM in PCMU as G.191 does', () => {
    const words = new Int16Array(dsp.share.memory.buffer)
    const wrong: number[] = []
    for (let i = 0; i < SAMPLES.length; i += 256) {
      words.set(SAMPLES.subarray(i, i + 256), pcmAt >> 1)
      dsp.functions.encodeMulawPcm(pcmAt, codeAt, 256)
      for (let n = 0; n < 256; n++) {
        const sample = SAMPLES[i + n] ?? 0
        if (bytes[codeAt + n] !== ulawCompress(sample)) wrong.push(sample)
      }
    }
    expect(wrong).toEqual([])
    for (let n = 0; n < 256; n++) bytes[codeAt + n] = n
    dsp.functions.decodeMulawPcm(codeAt, pcmAt, 256)
    const decoded = words.slice(pcmAt >> 1, (pcmAt >> 1) + 256)
    // + 0: 16-bit PCM has no −0.
    expect([...decoded]).toEqual(Array.from({ length: 256 }, (_, code) => ulawExpand(code) + 0))
  })
})
