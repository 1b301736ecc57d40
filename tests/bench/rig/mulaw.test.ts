import { describe, expect, it } from 'vitest'
import { DECODED, encodeSample, SILENCE_BYTE } from '../../../bench/rig/mulaw.ts'

describe('mulaw', () => {
  it('encodes each of the 256 decoded values to a byte that decodes to the same value', () => {
    for (const value of DECODED) expect(DECODED[encodeSample(value)]).toBe(value)
  })

  it('knows G.191’s corner values: 0 is 0xFF, full scale is 0x80 and 0x00', () => {
    expect(encodeSample(0)).toBe(SILENCE_BYTE)
    expect(encodeSample(32_767)).toBe(0x80)
    expect(encodeSample(-32_768)).toBe(0x00)
    expect(DECODED[0x80]).toBe(32_124)
  })
})
