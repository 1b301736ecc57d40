/**
 * The bytes around the audio: what a media message is made of on its WebSocket, sixteen bytes at a time. No slot and no worker
 * has to do with it; the thread that owns the sockets calls it on memory of its own (dsp/wire.ts).
 *
 *   frame ─► unmask ─► scanMedia ─► decodeBase64 ─► payload            payload ─► encodeBase64 ─► message
 *
 * Every area that is read has 16 bytes more behind it, and every area that is written 16 bytes that may be overwritten.
 */

/** [in] `length` bytes at `from`, masked as in RFC 6455 section 5.3 by `mask` (its first byte lowest); [out] plain bytes at `to`. */
export function unmask(from: usize, to: usize, length: i32, mask: i32): void {
  const key = i32x4.splat(mask)
  for (let at: usize = 0; at < <usize>length; at += 16) {
    v128.store(to + at, v128.xor(v128.load(from + at), key))
  }
}

/** Are the `length` bytes at `a` those at `b`? */
function equals(a: usize, b: usize, length: usize): bool {
  let at: usize = 0
  for (; at + 16 <= length; at += 16) {
    if (v128.any_true(v128.xor(v128.load(a + at), v128.load(b + at)))) return false
  }
  for (; at < length; at++) if (load<u8>(a + at) != load<u8>(b + at)) return false
  return true
}

/** The place behind the decimal digits at `at`, at most `most` of them. */
function behindDigits(at: usize, most: i32): usize {
  const end = at + <usize>most
  while (at < end && <u32>load<u8>(at) - 0x30 <= 9) at++
  return at
}

/** The number that the digits [from, to) write; 12 digits and more are exact in an f64. */
function digits(from: usize, to: usize): f64 {
  let value: f64 = 0
  for (let at = from; at < to; at++) value = value * 10 + <f64>(<u32>load<u8>(at) - 0x30)
  return value
}

/**
 * Texts between the numbers of a media message, one after the other, each behind its length (i32) and padded to 48 bytes:
 *
 *   0 from `{` to the sequence number   1 to the chunk   2 to the timestamp   3 to the payload
 *
 * A carrier's streams have them in common. The closing text, from the payload to `}`, is each stream's own.
 */
export const WIRE_TEXT_BYTES: i32 = 48
/** Longest text of a stream's own, which holds its id. */
export const WIRE_OWN_TEXT_BYTES: i32 = 256

function behindText(at: usize, end: usize, text: usize): usize {
  const length = <usize>load<i32>(text)
  if (at + length > end) return 0
  return equals(at, text + 4, length) ? at + length : 0
}

/**
 * [in] a message of `length` bytes, the four texts, the closing one behind its length; [out] at `found`: place of the payload from and to (i32, from the message's
 * first byte), chunk and timestamp (f64) → whether every byte is one that such a message has; base64 is not looked at.
 */
export function scanMedia(
  message: usize,
  length: i32,
  texts: usize,
  closing: usize,
  found: usize,
): bool {
  const end = message + <usize>length
  let at = behindText(message, end, texts)
  if (at == 0) return false
  let to = behindDigits(at, 20)
  if (to == at) return false
  at = behindText(to, end, texts + (4 + WIRE_TEXT_BYTES))
  if (at == 0) return false
  to = behindDigits(at, 12)
  if (to == at) return false
  store<f64>(found, digits(at, to), 8)
  at = behindText(to, end, texts + 2 * (4 + WIRE_TEXT_BYTES))
  if (at == 0) return false
  to = behindDigits(at, 12)
  if (to == at) return false
  store<f64>(found, digits(at, to), 16)
  at = behindText(to, end, texts + 3 * (4 + WIRE_TEXT_BYTES))
  if (at == 0) return false
  const payloadTo = end - <usize>load<i32>(closing)
  if (<isize>(payloadTo - at) <= 0 || !equals(payloadTo, closing + 4, end - payloadTo)) return false
  store<i32>(found, <i32>(at - message))
  store<i32>(found, <i32>(payloadTo - message), 4)
  return true
}

/** 0…63, or 64 and above for a character outside the alphabet. */
function valueOf(character: u32): u32 {
  if (character - 0x41 < 26) return character - 0x41
  if (character - 0x61 < 26) return character - 0x61 + 26
  if (character - 0x30 < 10) return character - 0x30 + 52
  if (character == 0x2b) return 62
  return character == 0x2f ? 63 : 64
}

/**
 * [in] `count` characters of base64 (RFC 4648 section 4); [out] bytes → their number, or −1 when it is not base64: a length that
 * is no multiple of 4, a character outside the alphabet, padding anywhere but at the end.
 *
 * Sixteen characters become twelve bytes. Two tables of 16, by the upper and the lower half of a character, have a bit in common
 * exactly where it is none of the alphabet; a third, by the upper half, holds what leads from the character to its value
 * (W. Muła, D. Lemire: Faster Base64 Encoding and Decoding using AVX2 Instructions, 2018).
 */
export function decodeBase64(from: usize, count: i32, to: usize): i32 {
  if (count <= 0 || (count & 3) != 0) return -1
  const end = from + <usize>count
  const padding = load<u8>(end - 1) != 0x3d ? 0 : load<u8>(end - 2) != 0x3d ? 1 : 2
  const wholeEnd = padding == 0 ? end : end - 4
  const low = i8x16(21, 17, 17, 17, 17, 17, 17, 17, 17, 17, 19, 26, 27, 27, 27, 26)
  const high = i8x16(16, 16, 1, 2, 4, 8, 4, 8, 16, 16, 16, 16, 16, 16, 16, 16)
  const way = i8x16(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0)
  const half = i8x16.splat(15)
  let wrong = i8x16.splat(0)
  let at = from
  let out = to
  for (; at + 16 <= wholeEnd; at += 16) {
    const text = v128.load(at)
    const upper = i8x16.shr_u(text, 4)
    const faults = v128.and(i8x16.swizzle(low, v128.and(text, half)), i8x16.swizzle(high, upper))
    wrong = v128.or(wrong, faults)
    // A slash is the one character whose upper half says too little.
    const slash = i8x16.eq(text, i8x16.splat(0x2f))
    const values = i8x16.add(text, i8x16.swizzle(way, i8x16.add(upper, slash)))
    const pairs = v128.or(i16x8.shl(v128.and(values, i16x8.splat(0xff)), 6), i16x8.shr_u(values, 8))
    const fours = v128.or(
      i32x4.shl(v128.and(pairs, i32x4.splat(0xffff)), 12),
      i32x4.shr_u(pairs, 16),
    )
    const order = i8x16(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1)
    v128.store(out, i8x16.swizzle(fours, order))
    out += 12
  }
  if (v128.any_true(wrong)) return -1
  let seen: u32 = 0
  for (; at < wholeEnd; at += 4) {
    const a = valueOf(load<u8>(at))
    const b = valueOf(load<u8>(at, 1))
    const c = valueOf(load<u8>(at, 2))
    const d = valueOf(load<u8>(at, 3))
    seen |= a | b | c | d
    store<u8>(out, <u8>((a << 2) | (b >> 4)))
    store<u8>(out, <u8>((b << 4) | (c >> 2)), 1)
    store<u8>(out, <u8>((c << 6) | d), 2)
    out += 3
  }
  if (padding > 0) {
    const a = valueOf(load<u8>(at))
    const b = valueOf(load<u8>(at, 1))
    const c = padding == 1 ? valueOf(load<u8>(at, 2)) : 0
    seen |= a | b | c
    store<u8>(out++, <u8>((a << 2) | (b >> 4)))
    if (padding == 1) store<u8>(out++, <u8>((b << 4) | (c >> 2)))
  }
  return (seen & 64) == 0 ? <i32>(out - to) : -1
}

/** The character of a value 0…63. */
function characterOf(value: u32): u8 {
  if (value < 26) return <u8>(value + 0x41)
  if (value < 52) return <u8>(value - 26 + 0x61)
  if (value < 62) return <u8>(value - 52 + 0x30)
  return value == 62 ? 0x2b : 0x2f
}

/** [in] `count` bytes; [out] base64 with padding → the number of characters. Twelve bytes become sixteen characters. */
export function encodeBase64(from: usize, count: i32, to: usize): i32 {
  const end = from + <usize>count
  // From a value's range to what leads to its character: A-Z, a-z, ten digits, plus, slash.
  const way = i8x16(71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 65, 0, 0)
  let at = from
  let out = to
  for (; at + 12 <= end; at += 12) {
    const order = i8x16(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10)
    const bytes = i8x16.swizzle(v128.load(at), order)
    const first = v128.and(i32x4.shr_u(bytes, 10), i32x4.splat(0x3f))
    const second = v128.and(i32x4.shl(bytes, 4), i32x4.splat(0x3f00))
    const third = v128.and(i32x4.shr_u(bytes, 6), i32x4.splat(0x3f0000))
    const fourth = v128.and(i32x4.shl(bytes, 8), i32x4.splat(0x3f000000))
    const values = v128.or(v128.or(first, second), v128.or(third, fourth))
    const small = v128.and(i8x16.lt_s(values, i8x16.splat(26)), i8x16.splat(13))
    const range = v128.or(i8x16.sub_sat_u(values, i8x16.splat(51)), small)
    v128.store(out, i8x16.add(values, i8x16.swizzle(way, range)))
    out += 16
  }
  for (; at < end; at += 3) {
    const left = end - at
    const b: u32 = left > 1 ? load<u8>(at, 1) : 0
    const c: u32 = left > 2 ? load<u8>(at, 2) : 0
    const bits = ((<u32>load<u8>(at)) << 16) | (b << 8) | c
    store<u8>(out, characterOf(bits >> 18))
    store<u8>(out, characterOf((bits >> 12) & 63), 1)
    store<u8>(out, left > 1 ? characterOf((bits >> 6) & 63) : 0x3d, 2)
    store<u8>(out, left > 2 ? characterOf(bits & 63) : 0x3d, 3)
    out += 4
  }
  return <i32>(out - to)
}

/** `"}}`, lowest byte first: what a media message ends with. */
const MESSAGE_END: i32 = 0x7d7d22

/**
 * [in] `count` bytes of payload, and behind its length the text that stands before their base64; [out] a media message as a whole WebSocket frame
 * without a mask (RFC 6455 section 5.2: FIN and opcode 1, then 126 and 16 bits of length) → its bytes. For messages of 126 to 65 535 bytes.
 */
export function frameMedia(head: usize, payload: usize, count: i32, to: usize): i32 {
  const headLength = load<i32>(head)
  const textAt = to + 4
  memory.copy(textAt, head + 4, <usize>headLength)
  const characters = encodeBase64(payload, count, textAt + <usize>headLength)
  store<i32>(textAt + <usize>(headLength + characters), MESSAGE_END)
  const length = headLength + characters + 3
  store<u8>(to, 0x81)
  store<u8>(to, 126, 1)
  store<u8>(to, <u8>(length >> 8), 2)
  store<u8>(to, <u8>length, 3)
  return 4 + length
}
