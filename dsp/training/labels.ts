/**
 * Labels: which 20 ms of a mix are speech, from the clean signal before anything is mixed in.
 *
 * Energies of 5 ms against max(floor + 10 dB, peak − 42 dB). Gaps up to 100 ms belong to the word;
 * pauses of 100 to 300 ms and the 40 ms after an offset are nobody's and are not scored.
 */

/** The floor every mix gets, dBFS; well under it nothing is speech. */
export const FLOOR_DBFS = -76
const BLOCK = 40

export interface Labels {
  /** Per 20 ms frame: 1 speech, 0 none, −1 not scored. */
  frames: Int8Array
  /** Sample at which each talkspurt begins that follows 300 ms or more without speech. */
  onsets: number[]
}

/** `clean`: 8 kHz, high-passed by nature (prompts are). */
export function labelsOf(clean: Float32Array, o: { tailMs: number } = { tailMs: 40 }): Labels {
  const blocks = Math.floor(clean.length / BLOCK)
  const loud = loudBlocks(clean, blocks)
  const tail = o.tailMs / 5
  const onsets: number[] = []
  let last = -1_000
  for (let b = 0; b <= blocks; b++) {
    if (b < blocks && loud[b] !== 1) continue
    const gap = b - last - 1
    if (b < blocks && gap > 0 && gap <= 20) loud.fill(1, last + 1, b)
    else if (b < blocks && gap > 20 && gap <= 60) loud.fill(-1, last + 1, b)
    else if (gap > 60) {
      if (last >= 0) loud.fill(-1, last + 1, Math.min(b, last + 1 + tail))
      if (b < blocks) onsets.push(b * BLOCK)
    }
    last = b
  }
  const frames = new Int8Array(Math.floor(blocks / 4))
  for (let f = 0; f < frames.length; f++) {
    const four = loud.subarray(f * 4, f * 4 + 4)
    frames[f] = four.every((v) => v === 1) ? 1 : four.every((v) => v === 0) ? 0 : -1
  }
  return { frames, onsets }
}

function loudBlocks(clean: Float32Array, blocks: number): Int8Array {
  const db = new Float32Array(blocks)
  let peak = -200
  for (let b = 0; b < blocks; b++) {
    let sum = 1e-10
    for (let n = 0; n < BLOCK; n++) sum += (clean[b * BLOCK + n] ?? 0) ** 2
    const value = 10 * Math.log10(sum / BLOCK)
    db[b] = value
    peak = Math.max(peak, value)
  }
  const threshold = Math.max(FLOOR_DBFS + 10, peak - 42)
  return Int8Array.from(db, (v) => (v > threshold ? 1 : 0))
}
