/**
 * G.711 as ITU-T G.191 (Software Tools Library, g711.c) computes it, line by line: the reference for
 * the tests and for the bench. 16-bit samples, left-aligned as the library's callers use them.
 */

export function ulawCompress(linear: number): number {
  let absno = linear < 0 ? (~linear >> 2) + 33 : (linear >> 2) + 33
  if (absno > 0x1fff) absno = 0x1fff
  let i = absno >> 6
  let segno = 1
  while (i !== 0) {
    segno++
    i >>= 1
  }
  const highNibble = 0x0008 - segno
  const lowNibble = 0x000f - ((absno >> segno) & 0x000f)
  const code = (highNibble << 4) | lowNibble
  return linear >= 0 ? code | 0x80 : code
}

export function ulawExpand(code: number): number {
  const sign = code < 0x80 ? -1 : 1
  let mantissa = ~code
  const exponent = (mantissa >> 4) & 0x07
  const segment = exponent + 1
  mantissa &= 0x0f
  const step = 4 << segment
  return sign * ((0x80 << exponent) + step * mantissa + step / 2 - 4 * 33)
}

export function alawCompress(linear: number): number {
  let ix = linear < 0 ? ~linear >> 4 : linear >> 4
  if (ix > 15) {
    let iexp = 1
    while (ix > 16 + 15) {
      ix >>= 1
      iexp++
    }
    ix -= 16
    ix += iexp << 4
  }
  if (linear >= 0) ix |= 0x80
  return ix ^ 0x55
}

export function alawExpand(code: number): number {
  let ix = code ^ 0x55
  ix &= 0x7f
  const iexp = ix >> 4
  let mant = ix & 0x0f
  if (iexp > 0) mant += 16
  mant = (mant << 4) + 8
  if (iexp > 1) mant <<= iexp - 1
  return code > 127 ? mant : -mant
}
