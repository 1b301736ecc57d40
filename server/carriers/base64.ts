/**
 * Base64 (RFC 4648 section 4) of payloads, byte to byte. Buffer's own way goes through a string in each direction, which costs
 * more than the coding itself for 160 bytes, and it passes over what is not base64 instead of refusing it.
 */
const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
const PAD = 0x3d
/** Not of the alphabet: sets a bit that no value of 6 bits has. */
const INVALID = 64
const VALUE = new Uint8Array(256).fill(INVALID)
for (let i = 0; i < ALPHABET.length; i++) VALUE[ALPHABET[i]!] = i

/** Bytes that `length` characters hold when none is padding. */
export function decodedBytes(length: number): number {
  return (length >> 2) * 3
}

/**
 * Decodes `text[from…to)` into `out`, which must hold decodedBytes(to − from). Returns the number of bytes, or -1 when it is not
 * canonical base64: a length that is no multiple of 4, a character outside the alphabet, padding anywhere but at the end.
 */
export function decodeBase64(text: Uint8Array, from: number, to: number, out: Uint8Array): number {
  const length = to - from
  if (length <= 0 || length % 4 !== 0) return -1
  const padding = text[to - 1] !== PAD ? 0 : text[to - 2] !== PAD ? 1 : 2
  const wholeTo = padding === 0 ? to : to - 4
  let seen = 0
  let at = 0
  for (let i = from; i < wholeTo; i += 4) {
    const a = VALUE[text[i]!]!
    const b = VALUE[text[i + 1]!]!
    const c = VALUE[text[i + 2]!]!
    const d = VALUE[text[i + 3]!]!
    seen |= a | b | c | d
    out[at] = (a << 2) | (b >> 4)
    out[at + 1] = (b << 4) | (c >> 2)
    out[at + 2] = (c << 6) | d
    at += 3
  }
  if (padding > 0) {
    const a = VALUE[text[wholeTo]!]!
    const b = VALUE[text[wholeTo + 1]!]!
    const c = padding === 1 ? VALUE[text[wholeTo + 2]!]! : 0
    seen |= a | b | c
    out[at++] = (a << 2) | (b >> 4)
    if (padding === 1) out[at++] = (b << 4) | (c >> 2)
  }
  return (seen & INVALID) === 0 ? at : -1
}

/** Encodes `bytes` into `out` from `at` on; returns the place behind. */
export function encodeBase64(bytes: Uint8Array, out: Uint8Array, at: number): number {
  const whole = bytes.length - (bytes.length % 3)
  for (let i = 0; i < whole; i += 3, at += 4) {
    const bits = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!
    out[at] = ALPHABET[bits >> 18]!
    out[at + 1] = ALPHABET[(bits >> 12) & 63]!
    out[at + 2] = ALPHABET[(bits >> 6) & 63]!
    out[at + 3] = ALPHABET[bits & 63]!
  }
  const rest = bytes.length - whole
  if (rest === 0) return at
  const bits = (bytes[whole]! << 16) | (rest === 2 ? bytes[whole + 1]! << 8 : 0)
  out[at] = ALPHABET[bits >> 18]!
  out[at + 1] = ALPHABET[(bits >> 12) & 63]!
  out[at + 2] = rest === 2 ? ALPHABET[(bits >> 6) & 63]! : PAD
  out[at + 3] = PAD
  return at + 4
}

/** Characters that encodeBase64 writes for `bytes` bytes. */
export function encodedLength(bytes: number): number {
  return Math.ceil(bytes / 3) * 4
}
