/**
 * PCMU for the rig: an implementation of its own, by the arithmetic of G.191, so that the server's
 * codec is checked against a second one and not against itself.
 */

/** The PCMU byte of silence. 0x00 would be nearly full scale. */
export const SILENCE_BYTE = 0xff

const BIAS = 33
/** Largest 14-bit magnitude before the bias is added. */
const CLIP = 8_158

/** One 16-bit sample → one PCMU byte. */
export function encodeSample(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0
  const magnitude = Math.min(sample < 0 ? ~sample >> 2 : sample >> 2, CLIP) + BIAS
  const segment = 26 - Math.clz32(magnitude)
  const step = (magnitude >> (segment + 1)) & 0x0f
  return (~(sign | (segment << 4) | step) & 0xff) >>> 0
}

/** PCMU byte → 16-bit sample, for all 256 bytes. */
export const DECODED: Int16Array = Int16Array.from({ length: 256 }, (_, byte) => {
  const code = ~byte & 0xff
  const segment = (code >> 4) & 7
  const magnitude = ((((code & 0x0f) << 1) + BIAS) << segment) - BIAS
  return (code & 0x80 ? -magnitude : magnitude) << 2
})

export function encodePcmu(pcm: Int16Array): Uint8Array {
  const payload = new Uint8Array(pcm.length)
  for (let i = 0; i < pcm.length; i++) payload[i] = encodeSample(pcm[i] ?? 0)
  return payload
}

export function decodePcmu(payload: Uint8Array): Int16Array {
  const pcm = new Int16Array(payload.length)
  for (let i = 0; i < payload.length; i++) pcm[i] = DECODED[payload[i] ?? SILENCE_BYTE] ?? 0
  return pcm
}
