/**
 * Sent level: how loud the agent audio is that just went to the line, from its encoded payload. The echo guard compares
 * it with what comes back. Every fourth sample is enough for a level: 40 table look-ups a frame.
 */
import { alawDecodeTable, mulawDecodeTable } from '../../dsp/expansion-tables.ts'
import type { AudioFormat } from './audio-format.ts'

const STEP = 4
const FLOOR_DBFS = -90
const MULAW_POWER = mulawDecodeTable().map((sample) => sample * sample)
const ALAW_POWER = alawDecodeTable().map((sample) => sample * sample)

export class SentLevel {
  readonly #codec: AudioFormat['codec']
  #loudest = 0

  constructor(format: AudioFormat) {
    this.#codec = format.codec
  }

  sent(payload: Uint8Array): void {
    const power = this.#codec === 'L16' ? linearPower(payload) : this.#companded(payload)
    if (power > this.#loudest) this.#loudest = power
  }

  /** The loudest frame since the last call, −90…0 dBFS; −90 when none was sent. */
  takeDbfs(): number {
    const level = this.#loudest <= 0 ? FLOOR_DBFS : 10 * Math.log10(this.#loudest)
    this.#loudest = 0
    return Math.max(FLOOR_DBFS, level)
  }

  #companded(payload: Uint8Array): number {
    const table = this.#codec === 'PCMU' ? MULAW_POWER : ALAW_POWER
    let sum = 0
    for (let i = 0; i < payload.length; i += STEP) sum += table[payload[i] ?? 0] ?? 0
    return (sum * STEP) / Math.max(1, payload.length)
  }
}

/** Little-endian, as the browser takes it. */
function linearPower(payload: Uint8Array): number {
  let sum = 0
  for (let i = 0; i + 1 < payload.length; i += 2 * STEP) {
    const sample = (((payload[i] ?? 0) | ((payload[i + 1] ?? 0) << 8)) << 16) >> 16
    sum += (sample / 32_768) ** 2
  }
  return (sum * 2 * STEP) / Math.max(1, payload.length)
}
