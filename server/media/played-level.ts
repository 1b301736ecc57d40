/**
 * Played level: how loud the agent audio is that the line plays now, from its encoded payloads. The echo guard compares it
 * with what comes back.
 *
 *   sent ─► [ level, end of play ] … ≤ 8 frames lie ahead ─► playedDbfs(now): the loudest since it was last asked
 *
 * What counts is when a frame plays, not when it left: a sentence begins with 140 ms in one moment, and levels in the order
 * of sending would be an envelope that no echo follows. Every fourth sample is enough for a level: 40 look-ups a frame.
 */
import { alawDecodeTable, mulawDecodeTable } from '../../dsp/expansion-tables.ts'
import { FRAME_MS, type AudioFormat } from './audio-format.ts'
import { NumberRows, RowHolder } from './number-rows.ts'

const STEP = 4
/** More than lie ahead (line-clock.ts) and are played between two questions. */
const KEPT = 32
/** What silence is given as. */
export const FLOOR_DBFS = -90
/** Power and end of play of each frame. */
const rows = new NumberRows(2 * KEPT)
const MULAW_POWER = mulawDecodeTable().map((sample) => sample * sample)
const ALAW_POWER = alawDecodeTable().map((sample) => sample * sample)

export class PlayedLevel extends RowHolder {
  readonly #codec: AudioFormat['codec']
  #count = 0
  #askedMs = 0

  constructor(format: AudioFormat) {
    super(rows)
    this.#codec = format.codec
  }

  /** A frame left; the line will have played it at `endMs`. */
  sent(payload: Uint8Array, endMs: number): void {
    const at = this.at + 2 * (this.#count++ % KEPT)
    this.v[at] = this.#codec === 'L16' ? linearPower(payload) : this.#companded(payload)
    this.v[at + 1] = endMs
  }

  /** The line was emptied: frames that had not begun are never heard. */
  cleared(nowMs: number): void {
    const v = this.v
    const end = this.at + 2 * KEPT
    for (let at = this.at; at < end; at += 2) if (v[at + 1]! - FRAME_MS > nowMs) v[at] = 0
  }

  /**
   * The loudest frame whose middle was played since the last call, or that plays now where none was; −90…0 dBFS, −90 for
   * silence.
   */
  playedDbfs(nowMs: number): number {
    let loudest = 0
    let playing = 0
    const end = this.at + 2 * KEPT
    for (let at = this.at; at < end; at += 2) {
      const endMs = this.v[at + 1]!
      const untilMs = nowMs - endMs
      const power = this.v[at]!
      if (untilMs < -FRAME_MS || power === 0) continue
      if (untilMs <= 0) playing = Math.max(playing, power)
      const middleMs = endMs - FRAME_MS / 2
      if (middleMs > this.#askedMs && middleMs <= nowMs) loudest = Math.max(loudest, power)
    }
    this.#askedMs = nowMs
    const level = loudest > 0 ? loudest : playing
    return level <= 0 ? FLOOR_DBFS : Math.max(FLOOR_DBFS, 10 * Math.log10(level))
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
