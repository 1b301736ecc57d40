/**
 * WAV files: 16-bit PCM is written (the rig's recordings) and read (prompts); PCMU is read too,
 * since the server records a telephone call in the line's own codec.
 */
import { decodePcmu } from './mulaw.ts'

export interface Wav {
  sampleRateHz: number
  /** One array per channel, all of the same length. */
  channels: Int16Array[]
}

const HEADER_BYTES = 44

/** Interleaves the channels; a shorter one is filled with silence. */
export function encodeWav(wav: Wav): Buffer {
  const count = wav.channels.length
  const frames = Math.max(0, ...wav.channels.map((channel) => channel.length))
  const bytes = frames * count * 2
  const file = Buffer.alloc(HEADER_BYTES + bytes)
  file.write('RIFF', 0, 'latin1')
  file.writeUInt32LE(36 + bytes, 4)
  file.write('WAVEfmt ', 8, 'latin1')
  file.writeUInt32LE(16, 16)
  file.writeUInt16LE(1, 20)
  file.writeUInt16LE(count, 22)
  file.writeUInt32LE(wav.sampleRateHz, 24)
  file.writeUInt32LE(wav.sampleRateHz * count * 2, 28)
  file.writeUInt16LE(count * 2, 32)
  file.writeUInt16LE(16, 34)
  file.write('data', 36, 'latin1')
  file.writeUInt32LE(bytes, 40)
  for (let i = 0; i < frames; i++) {
    for (let c = 0; c < count; c++) {
      file.writeInt16LE(wav.channels[c]?.[i] ?? 0, HEADER_BYTES + (i * count + c) * 2)
    }
  }
  return file
}

const PCM = 1
const PCMU = 7

interface Format {
  tag: number
  channels: number
  sampleRateHz: number
}

/** Reads 16-bit PCM and PCMU; unknown chunks are skipped. @throws Error on anything else. */
export function decodeWav(file: Uint8Array): Wav {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') {
    throw new Error('not a WAV file')
  }
  let format: Format | null = null
  for (let at = 12; at + 8 <= bytes.length;) {
    const id = bytes.toString('latin1', at, at + 4)
    const size = bytes.readUInt32LE(at + 4)
    const body = bytes.subarray(at + 8, at + 8 + size)
    if (id === 'fmt ') format = readFormat(body)
    if (id === 'data') {
      if (format === null) throw new Error('WAV data before its format')
      return { sampleRateHz: format.sampleRateHz, channels: split(body, format) }
    }
    at += 8 + size + (size & 1)
  }
  throw new Error('WAV file without data')
}

function readFormat(body: Buffer): Format {
  const tag = body.readUInt16LE(0)
  const bits = body.readUInt16LE(14)
  if (!(tag === PCM && bits === 16) && !(tag === PCMU && bits === 8)) {
    throw new Error(`WAV format ${tag} with ${bits} bits is neither 16-bit PCM nor PCMU`)
  }
  return { tag, channels: body.readUInt16LE(2), sampleRateHz: body.readUInt32LE(4) }
}

function split(body: Buffer, format: Format): Int16Array[] {
  const count = format.channels
  const whole = format.tag === PCMU ? decodePcmu(body) : samples(body)
  const frames = Math.floor(whole.length / count)
  return Array.from({ length: count }, (_, c) => {
    const channel = new Int16Array(frames)
    for (let i = 0; i < frames; i++) channel[i] = whole[i * count + c] ?? 0
    return channel
  })
}

function samples(body: Buffer): Int16Array {
  return Int16Array.from({ length: body.length >> 1 }, (_, i) => body.readInt16LE(i * 2))
}
