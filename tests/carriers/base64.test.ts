import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBase64, encodeBase64, encodedLength } from '../../server/carriers/base64.ts'

function encode(bytes: Uint8Array): string {
  const length = encodedLength(bytes.length)
  const out = new Uint16Array(length / 2 + 2).fill(0x2e2e)
  encodeBase64(bytes, out.subarray(1, 1 + length / 2))
  const text = Buffer.from(out.buffer).toString('latin1')
  expect([text.slice(0, 2), text.slice(2 + length)]).toEqual(['..', '..'])
  return text.slice(2, 2 + length)
}

function decode(text: string): Uint8Array | null {
  const out = Buffer.alloc(text.length)
  const bytes = decodeBase64(Buffer.from(text, 'latin1'), 0, text.length, out)
  return bytes < 0 ? null : out.subarray(0, bytes)
}

describe('base64', () => {
  it('writes what Buffer writes, for 1 to 400 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), (bytes) => {
        expect(encode(bytes)).toBe(Buffer.from(bytes).toString('base64'))
      }),
    )
  })

  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), (bytes) => {
        expect(decode(encode(bytes))).toEqual(Buffer.from(bytes))
      }),
    )
  })

  it('refuses every character outside the alphabet, at each of 8 places', () => {
    for (let code = 0; code < 256; code++) {
      const character = String.fromCharCode(code)
      if (/[A-Za-z0-9+/]/.test(character)) continue
      for (let place = 0; place < 8; place++) {
        if (character === '=' && place === 7) continue
        const text = `${'A'.repeat(place)}${character}${'A'.repeat(7 - place)}`
        expect(decode(text), `code ${code} at ${place}`).toBeNull()
      }
    }
  })

  it('refuses lengths that are no multiple of 4, and padding of 3', () => {
    for (const text of ['', 'A', 'AA', 'AAA', 'AAAAA', 'A===', 'AAAA====']) {
      expect(decode(text), text).toBeNull()
    }
  })
})
