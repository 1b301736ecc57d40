/** WAV files of every kind that a stranger may upload, made by hand. */

export interface WavShape {
  /** 1 PCM, 3 float, 6 A-law, 7 µ-law. */
  kind: number
  bits: number
  channels?: number
  rateHz: number
  extensible?: boolean
  /** A LIST chunk in front of the audio, and one with ID3 behind it. */
  chunks?: boolean
}

/** The file of these samples, −1…1; the same on both channels. `write` puts one sample. */
export function wavOf(
  samples: Float32Array,
  shape: WavShape,
  write: (view: DataView, at: number, x: number) => void,
): Uint8Array {
  const channels = shape.channels ?? 1
  const width = shape.bits / 8
  const data = samples.length * channels * width
  const fmt = shape.extensible === true ? 40 : 16
  const list = shape.chunks === true ? 8 + 7 + 1 : 0
  const start = 12 + 8 + fmt + list + 8
  const end = start + data + (data % 2)
  const bytes = new Uint8Array(end + list)
  const view = new DataView(bytes.buffer)
  const text = (at: number, value: string): void => bytes.set(Buffer.from(value, 'latin1'), at)
  text(0, 'RIFF')
  view.setUint32(4, bytes.length - 8, true)
  text(8, 'WAVEfmt ')
  view.setUint32(16, fmt, true)
  view.setUint16(20, shape.extensible === true ? 0xfffe : shape.kind, true)
  view.setUint16(22, channels, true)
  view.setUint32(24, shape.rateHz, true)
  view.setUint32(28, shape.rateHz * channels * width, true)
  view.setUint16(32, channels * width, true)
  view.setUint16(34, shape.bits, true)
  if (shape.extensible === true) view.setUint16(44, shape.kind, true)
  const chunk = (at: number, id: string): void => {
    text(at, id)
    view.setUint32(at + 4, 7, true)
    text(at + 8, 'INFO!!!')
  }
  if (list > 0) chunk(20 + fmt, 'LIST')
  text(start - 8, 'data')
  view.setUint32(start - 4, data, true)
  samples.forEach((x, n) => {
    for (let c = 0; c < channels; c++) write(view, start + (n * channels + c) * width, x)
  })
  if (list > 0) chunk(end, 'id3 ')
  return bytes
}

export const write16 = (view: DataView, at: number, x: number): void =>
  view.setInt16(at, Math.round(x * 32_767), true)

export function toneOf(sec: number, rateHz: number, hz: number): Float32Array {
  return Float32Array.from(
    { length: Math.round(sec * rateHz) },
    (_, n) => 0.5 * Math.sin((2 * Math.PI * hz * n) / rateHz),
  )
}
