/**
 * Speech at twice its rate: for a recogniser that knows one, where it stands in on a telephone line.
 *
 *   8 kHz, an utterance ─► a sample between each two, by the half-band filter of half-rate.ts ─► 16 kHz, in place
 */
import { HALF_BAND_SIDE } from './half-rate.ts'

/** The samples that were there stay as they are; what lies before and behind is silence. A new array. */
export function doubled(pcm: Int16Array): Int16Array<ArrayBuffer> {
  const out = new Int16Array(2 * pcm.length)
  for (let i = 0; i < pcm.length; i++) {
    out[2 * i] = pcm[i]!
    out[2 * i + 1] = between(pcm, i)
  }
  return out
}

/** Half a sample behind `pcm[at]`. */
function between(pcm: Int16Array, at: number): number {
  let sum = 0
  let before = at - HALF_BAND_SIDE.length + 1
  let behind = at + HALF_BAND_SIDE.length
  for (let i = 0; i < HALF_BAND_SIDE.length; i++) {
    sum += HALF_BAND_SIDE[i]! * ((pcm[before] ?? 0) + (pcm[behind] ?? 0))
    before++
    behind--
  }
  return Math.max(-32_768, Math.min(32_767, Math.round(2 * sum)))
}
