/** The bytes of media messages in WASM, against what Node writes and reads. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WireCore } from '../../dsp/wire.ts'

const wire = new WireCore()
const TEXTS = ['{"n":"', '","c":"', '","t":"', '","p":"'] as const
const CLOSING = '"},"s":"MZ1"}'

const head = wire.keepText('{"p":"')!

/** The base64 in a frame of these bytes, which is as RFC 6455 has it. */
function encode(bytes: Uint8Array): string {
  const frame = wire.frame(head, bytes)
  const text = frame.toString('latin1', 4)
  expect([...frame.subarray(0, 4)]).toEqual([0x81, 126, text.length >> 8, text.length & 0xff])
  expect([text.slice(0, 6), text.slice(-3)]).toEqual(['{"p":"', '"}}'])
  return text.slice(6, -3)
}

function decode(text: string): Buffer | null {
  const bytes = wire.decode(Buffer.from(text, 'latin1'), 0, text.length)
  return bytes && Buffer.from(bytes)
}

function scan(text: string): { payload: string; timestampMs: number; chunk: number } | null {
  const bytes = Buffer.from(text)
  const texts = wire.textsOf(TEXTS, CLOSING)!
  const found = wire.scan(bytes, bytes.length, texts.sharedAt, texts.closingAt)
  wire.dropText(texts.closingAt)
  if (!found) return null
  const { from, to, timestampMs, chunk } = found
  return { payload: text.slice(from, to), timestampMs, chunk }
}

describe('wire', () => {
  it('writes base64 as Buffer does, for 1 to 2 000 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 2_000 }), (bytes) => {
        expect(encode(bytes)).toBe(Buffer.from(bytes).toString('base64'))
      }),
    )
  })

  it('reads base64 as Buffer does, for 1 to 2 000 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 2_000 }), (bytes) => {
        expect(decode(Buffer.from(bytes).toString('base64'))).toEqual(Buffer.from(bytes))
      }),
    )
  })

  it('leaves the 160 bytes that were read last as they are while others are written', () => {
    const text = Buffer.alloc(160, 7).toString('base64')
    const payload = wire.decode(Buffer.from(text, 'latin1'), 0, text.length)!
    encode(new Uint8Array(160).fill(9))
    expect(payload.every((byte) => byte === 7)).toBe(true)
  })

  it('refuses every character outside the alphabet, at each of 40 places', () => {
    for (let code = 0; code < 256; code++) {
      const character = String.fromCharCode(code)
      if (/[A-Za-z0-9+/]/.test(character)) continue
      for (let place = 0; place < 40; place++) {
        if (character === '=' && place === 39) continue
        const text = `${'A'.repeat(place)}${character}${'A'.repeat(39 - place)}`
        expect(decode(text), `code ${code} at ${place}`).toBeNull()
      }
    }
  })

  it('refuses lengths that are no multiple of 4, and padding of 3', () => {
    for (const text of ['', 'A', 'AA', 'AAA', 'AAAAA', 'A===', 'AAAA====']) {
      expect(decode(text), text).toBeNull()
    }
  })

  it('takes the mask off 126 to 4 092 bytes from any place', () => {
    const sizes = fc.record({
      at: fc.integer({ min: 4, max: 900 }),
      mask: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      plain: fc.uint8Array({ minLength: 126, maxLength: 4_092 }),
    })
    fc.assert(
      fc.property(sizes, ({ at, mask, plain }) => {
        const key = Buffer.alloc(4)
        key.writeInt32LE(mask)
        wire.read.set(key, at - 4)
        wire.read.set(
          plain.map((byte, i) => byte ^ key[i % 4]!),
          at,
        )
        wire.unmask(at, plain.length)
        expect(wire.message.subarray(0, plain.length)).toEqual(Buffer.from(plain))
      }),
    )
  })

  it('finds payload, chunk and timestamp of 1 to 12 digits', () => {
    const message = (n: string, c: string, t: string, p: string) =>
      `${TEXTS[0]}${n}${TEXTS[1]}${c}${TEXTS[2]}${t}${TEXTS[3]}${p}${CLOSING}`
    const number = fc.integer({ min: 0, max: 999_999_999_999 })
    fc.assert(
      fc.property(number, number, number, fc.base64String({ minLength: 4 }), (n, c, t, payload) => {
        const found = scan(message(String(n), String(c), String(t), payload))
        expect(found).toEqual({ payload, timestampMs: t, chunk: c })
      }),
    )
    expect(scan(message('1', '1', '1'.repeat(13), 'AAAA'))).toBeNull()
    expect(scan(message('1', '', '1', 'AAAA'))).toBeNull()
    expect(scan(message('1', '1', '1', ''))).toBeNull()
  })

  it('refuses a message that differs in any one byte outside numbers and payload, or is cut short', () => {
    const text = `${TEXTS[0]}7${TEXTS[1]}8${TEXTS[2]}9${TEXTS[3]}AAAA${CLOSING}`
    const payloadAt = text.indexOf('AAAA')
    const numbers = ['7', '8', '9'].map((digit) => text.indexOf(digit))
    for (let i = 0; i < text.length; i++) {
      expect(scan(text.slice(0, i)), `cut at ${i}`).toBeNull()
      if (numbers.includes(i) || (i >= payloadAt && i < payloadAt + 4)) continue
      const other = `${text.slice(0, i)}~${text.slice(i + 1)}`
      expect(scan(other), `place ${i}`).toBeNull()
    }
  })

  it('takes no texts of more than 48 bytes, and a closing one of at most 256', () => {
    const long = 'x'.repeat(49)
    expect(wire.textsOf([long, '', '', ''], '')).toBeNull()
    expect(wire.textsOf(TEXTS, 'x'.repeat(257))).toBeNull()
    expect(wire.textsOf(TEXTS, 'x'.repeat(256))).not.toBeNull()
  })

  it('knows 8 kinds of messages, and those it knows again', () => {
    const own = new WireCore()
    const kinds = Array.from({ length: 9 }, (_, i) => own.textsOf([`{${i}`, '', '', ''], ''))
    expect(kinds.map((texts) => texts !== null)).toEqual([...Array<boolean>(8).fill(true), false])
    expect(own.textsOf(['{7', '', '', ''], '')?.sharedAt).toBe(kinds[7]?.sharedAt)
  })

  it('keeps 4 095 texts beside one of 256 bytes, no more and none longer, and takes a place back', () => {
    const own = new WireCore()
    expect(own.keepText('x'.repeat(257))).toBeNull()
    const kept = own.keepText('x'.repeat(256))
    const others = Array.from({ length: 4_095 }, () => own.keepText('y'))
    expect([kept, ...others].includes(null)).toBe(false)
    expect(own.keepText('z')).toBeNull()
    own.dropText(others[7]!)
    expect(own.keepText('z')).toBe(others[7])
  })

  it('leaves a frame in place 0 as it is while another is made in place 1', () => {
    const first = wire.frame(head, new Uint8Array(160).fill(1))
    const before = Buffer.from(first)
    wire.frame(head, new Uint8Array(160).fill(2), 1)
    expect(first.equals(before)).toBe(true)
  })
})
