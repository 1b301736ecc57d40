/**
 * WAV files of strangers: which samples are in it, whatever else is.
 *
 *   RIFF WAVE ─► chunks ─┬─ fmt   PCM of 8, 16, 24, 32 bits, float of 32, 64, A-law, µ-law, also as "extensible"
 *                        ├─ data  one or two channels ─► their mean, −1…1
 *                        └─ LIST, id3, bext … before and behind: left alone
 *
 * Never throws anything but BedError. A data chunk that claims more than there is (a stream that was
 * saved while it ran) ends with the file.
 */
import { alawDecodeTable, mulawDecodeTable } from '../../dsp/expansion-tables.ts'
import { AndreaError } from '../errors.ts'

/** The file cannot become a bed; message and hint are for whoever chose it. */
export class BedError extends AndreaError {
  readonly hint: string

  constructor(code: string, message: string, hint: string) {
    super(code, message)
    this.hint = hint
  }
}

export interface WavAudio {
  samples: Float32Array
  rateHz: number
}

const PCM = 1
const FLOAT = 3
const ALAW = 6
const MULAW = 7
const EXTENSIBLE = 0xfffe
const SAVE_AS = 'Save it as WAV, 16-bit PCM, mono or stereo, 8 to 48 kHz.'

type Reader = (at: number) => number

interface Format {
  kind: number
  channels: number
  rateHz: number
  bits: number
}

/** @throws BedError BED_NOT_WAV, BED_BAD_FORMAT, BED_TOO_LONG (more than `longestSec`) */
export function readWav(bytes: Uint8Array, longestSec: number): WavAudio {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 12 || tag(bytes, 0) !== 'RIFF' || tag(bytes, 8) !== 'WAVE') {
    throw new BedError('BED_NOT_WAV', 'The file is no WAV file.', SAVE_AS)
  }
  let format: Format | null = null
  for (let at = 12; at + 8 <= bytes.length;) {
    const id = tag(bytes, at)
    const size = view.getUint32(at + 4, true)
    const start = at + 8
    const end = Math.min(bytes.length, start + size)
    if (id === 'fmt ' && end - start >= 16) format = readFormat(view, start, end)
    if (id === 'data') {
      if (format === null) break
      return samplesOf(view, { start, end, format, longestSec })
    }
    at = start + size + (size % 2)
  }
  const missing = format === null ? 'It says nothing about its format' : 'It holds no audio'
  throw new BedError('BED_NOT_WAV', `The file is a damaged WAV file. ${missing}.`, SAVE_AS)
}

function tag(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4))
}

function readFormat(view: DataView, start: number, end: number): Format {
  const plain = view.getUint16(start, true)
  const isExtended = plain === EXTENSIBLE && end - start >= 26
  const format = {
    kind: isExtended ? view.getUint16(start + 24, true) : plain,
    channels: view.getUint16(start + 2, true),
    rateHz: view.getUint32(start + 4, true),
    bits: view.getUint16(start + 14, true),
  }
  const wrong =
    readerOf(view, format) === null
      ? `its encoding (format ${format.kind}, ${format.bits} bits) is not known`
      : format.channels < 1 || format.channels > 2
        ? `it has ${format.channels} channels`
        : format.rateHz < 8_000 || format.rateHz > 48_000
          ? `its rate is ${format.rateHz} Hz`
          : null
  if (wrong === null) return format
  throw new BedError('BED_BAD_FORMAT', `The WAV file cannot be used: ${wrong}.`, SAVE_AS)
}

function samplesOf(
  view: DataView,
  o: { start: number; end: number; format: Format; longestSec: number },
): WavAudio {
  const { channels, rateHz, bits } = o.format
  const read = readerOf(view, o.format)
  const sampleBytes = bits / 8
  const length = Math.floor((o.end - o.start) / (sampleBytes * channels))
  if (length > o.longestSec * rateHz) {
    const sec = Math.round(length / rateHz)
    throw new BedError(
      'BED_TOO_LONG',
      `The audio lasts ${sec} s; a bed may last ${o.longestSec} s.`,
      'Cut it: it is repeated without a seam anyway.',
    )
  }
  const samples = new Float32Array(length)
  for (let n = 0; n < length && read !== null; n++) {
    let sum = 0
    for (let c = 0; c < channels; c++) sum += read(o.start + (n * channels + c) * sampleBytes)
    const mean = sum / channels
    samples[n] = Number.isFinite(mean) ? Math.max(-1, Math.min(1, mean)) : 0
  }
  return { samples, rateHz }
}

/** Reads one sample, about −1…1; null for what is not known. */
function readerOf(view: DataView, { kind, bits }: Format): Reader | null {
  switch (`${kind}:${bits}`) {
    case `${PCM}:8`:
      return (at) => (view.getUint8(at) - 128) / 128
    case `${PCM}:16`:
      return (at) => view.getInt16(at, true) / 32_768
    case `${PCM}:24`:
      return (at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 65_536) / 8_388_608
    case `${PCM}:32`:
      return (at) => view.getInt32(at, true) / 2_147_483_648
    case `${FLOAT}:32`:
      return (at) => view.getFloat32(at, true)
    case `${FLOAT}:64`:
      return (at) => view.getFloat64(at, true)
    case `${MULAW}:8`:
      return byTable(view, mulawDecodeTable())
    case `${ALAW}:8`:
      return byTable(view, alawDecodeTable())
    default:
      return null
  }
}

function byTable(view: DataView, table: Float32Array): Reader {
  return (at) => table[view.getUint8(at)] ?? 0
}
