/**
 * What a simulated Telnyx line is coded in. The rig's users speak and hear PCMU; a line in another codec is translated at its
 * edge, by arithmetic of its own (G.191 for A-law), so that the server's codecs are checked against other ones.
 *
 *   user's PCMU ─► toLine ─► PCMA, or L16 at 16 kHz ─► server          server ─► fromLine ─► PCMU of the play-out
 */
import { decodePcmu, encodePcmu } from './mulaw.ts'

export interface LineCodec {
  format: { encoding: string; sample_rate: number; channels: number }
  toLine(pcmu: Uint8Array): Uint8Array
  fromLine(payload: Uint8Array): Uint8Array
}

const same = (payload: Uint8Array): Uint8Array => payload

/** As `stream_codec` names it. `l16ByteOrder`: Telnyx does not say which; the server can be told. */
export function lineCodec(name: string, l16ByteOrder: 'big' | 'little'): LineCodec {
  const format = { encoding: name, sample_rate: name === 'L16' ? 16_000 : 8_000, channels: 1 }
  if (name === 'PCMU') return { format, toLine: same, fromLine: same }
  if (name === 'PCMA') {
    return {
      format,
      toLine: (pcmu) => Uint8Array.from(decodePcmu(pcmu), encodeAlaw),
      fromLine: (alaw) => encodePcmu(Int16Array.from(alaw, decodeAlaw)),
    }
  }
  if (name !== 'L16') throw new RangeError(`a line in ${name} is not simulated`)
  const isLittle = l16ByteOrder === 'little'
  return {
    format,
    toLine: (pcmu) => toL16(decodePcmu(pcmu), isLittle),
    fromLine: (payload) => encodePcmu(fromL16(payload, isLittle)),
  }
}

function encodeAlaw(sample: number): number {
  let magnitude = (sample < 0 ? ~sample : sample) >> 4
  if (magnitude > 15) {
    let exponent = 1
    for (; magnitude > 31; exponent++) magnitude >>= 1
    magnitude += (exponent << 4) - 16
  }
  return (sample < 0 ? magnitude : magnitude | 0x80) ^ 0x55
}

function decodeAlaw(byte: number): number {
  const code = (byte ^ 0x55) & 0x7f
  const exponent = code >> 4
  const mantissa = (((code & 15) + (exponent > 0 ? 16 : 0)) << 4) + 8
  const magnitude = exponent > 1 ? mantissa << (exponent - 1) : mantissa
  return byte & 0x80 ? magnitude : -magnitude
}

/** 8 kHz to 16 kHz: every second sample lies half way between its neighbours. */
function toL16(pcm: Int16Array, isLittle: boolean): Uint8Array {
  const out = new DataView(new ArrayBuffer(pcm.length * 4))
  pcm.forEach((sample, i) => {
    out.setInt16(i * 4, sample, isLittle)
    out.setInt16(i * 4 + 2, (sample + (pcm[i + 1] ?? sample)) >> 1, isLittle)
  })
  return new Uint8Array(out.buffer)
}

function fromL16(payload: Uint8Array, isLittle: boolean): Int16Array {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  const at = (sample: number) => view.getInt16(sample * 2, isLittle)
  return Int16Array.from(
    { length: payload.length >> 2 },
    (_, i) => (at(2 * i) + at(2 * i + 1)) >> 1,
  )
}
