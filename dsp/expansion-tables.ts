/**
 * G.711 expansion on the main thread, for levels only: audio itself is decoded by the audio core (assembly/g711.ts).
 * ITU-T G.191, ulaw_expand and alaw_expand, scaled to −1…1; index is the code.
 */

/** ITU-T G.191 ulaw_expand. */
function mulawSample(code: number): number {
  const inverted = ~code & 0xff
  const exponent = (inverted >> 4) & 7
  const step = 4 << (exponent + 1)
  const size = (0x80 << exponent) + step * (inverted & 15) + step / 2 - 4 * 33
  return code < 0x80 ? -size : size
}

/** ITU-T G.191 alaw_expand. */
function alawSample(code: number): number {
  const toggled = (code ^ 0x55) & 0x7f
  const exponent = toggled >> 4
  const mantissa = ((toggled & 15) + (exponent > 0 ? 16 : 0)) * 16 + 8
  const size = exponent > 1 ? mantissa << (exponent - 1) : mantissa
  return code > 127 ? size : -size
}

export function mulawDecodeTable(): Float32Array {
  return Float32Array.from({ length: 256 }, (_, code) => mulawSample(code) / 32_768)
}

export function alawDecodeTable(): Float32Array {
  return Float32Array.from({ length: 256 }, (_, code) => alawSample(code) / 32_768)
}
