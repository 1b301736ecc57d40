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
/** The two characters of each 12 bits, as they lie in memory. */
const PAIRS = new Uint8Array(2 * 4_096)
for (let i = 0; i < 4_096; i++) PAIRS.set([ALPHABET[i >> 6]!, ALPHABET[i & 63]!], 2 * i)
const PAIR = new Uint16Array(PAIRS.buffer)
/** The same of one character and a padding character, by the 6 bits: 160 bytes, a telephone's frame, end with one. */
const PADDED_PAIRS = new Uint8Array(2 * 64).fill(PAD)
for (let i = 0; i < 64; i++) PADDED_PAIRS[2 * i] = ALPHABET[i]!
const PADDED_PAIR = new Uint16Array(PADDED_PAIRS.buffer)
const PAD_PAIR = new Uint16Array(Uint8Array.of(PAD, PAD).buffer)[0]!

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

/** Encodes `bytes` into `out`, two characters an element, of which it fills the first encodedLength(bytes.length) / 2. */
export function encodeBase64(bytes: Uint8Array, out: Uint16Array): void {
  const whole = bytes.length - (bytes.length % 3)
  let at = 0
  for (let i = 0; i < whole; i += 3, at += 2) {
    const bits = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!
    out[at] = PAIR[bits >> 12]!
    out[at + 1] = PAIR[bits & 4_095]!
  }
  const rest = bytes.length - whole
  if (rest === 0) return
  const bits = (bytes[whole]! << 16) | (rest === 2 ? bytes[whole + 1]! << 8 : 0)
  out[at] = PAIR[bits >> 12]!
  out[at + 1] = rest === 2 ? PADDED_PAIR[(bits >> 6) & 63]! : PAD_PAIR
}

/** Characters that encodeBase64 writes for `bytes` bytes. */
export function encodedLength(bytes: number): number {
  return Math.ceil(bytes / 3) * 4
}
