/** What a line carries: codec and rate. The DSP core encodes and decodes all of them. */
export type Codec = 'PCMU' | 'PCMA' | 'L16'

export interface AudioFormat {
  codec: Codec
  sampleRateHz: 8_000 | 16_000 | 24_000 | 48_000
  /** Of L16; `little` unless said. RFC 3551's L16 is big-endian, most media streams' is little. */
  byteOrder?: 'little' | 'big'
}

export const FRAME_MS = 20

/** Bytes of one 20 ms payload. */
export function payloadBytes(format: AudioFormat): number {
  return ((format.sampleRateHz * FRAME_MS) / 1_000) * (format.codec === 'L16' ? 2 : 1)
}

/** The byte that is silence in each codec; μ-law's is 0xFF, and 0x00 would be nearly full scale. */
const SILENCE = { L16: 0, PCMA: 0xd5, PCMU: 0xff } as const

/** A new 20 ms payload of silence. */
export function silentPayload(format: AudioFormat): Uint8Array {
  return new Uint8Array(payloadBytes(format)).fill(SILENCE[format.codec])
}
