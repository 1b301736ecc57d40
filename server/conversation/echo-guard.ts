/**
 * Echo guard: is what comes in the agent's own voice coming back? We know what we send; an echo follows it in level,
 * later by the way to the telephone and back, and is softer by the line's loss.
 *
 *   sent     ▁▅█▅▁▃█▆▁▁▁▁▁▁                   levels per 20 ms frame as the line plays them, dBFS
 *   heard    ▁▁▁▁▁▁▂▃▂▁▂▃▂▁      ◄─ lag 0…500 ms ─► correlated, and at least 12 dB softer
 *
 * Two questions per frame of user sound while the agent has been audible lately:
 *   1. Is it so soft that it can be an echo?  level ≤ the loudest sent within the lags − LEAST_LOSS_DB
 *   2. Does it follow what was sent?          correlation at the best lag ≥ CORRELATED, once there is enough to compare
 * Soft sound that has not been heard for long enough to compare is suspected: the bar is raised, words still count.
 *
 * Invariants: never suspects while the agent was silent for 600 ms; a user louder than the bound is never suspected.
 * Pure; one call per frame.
 */
/** Frames of each side that are kept: 500 ms of lag and 600 ms of comparison. */
const LAGS = 26
const WINDOW = 30
const KEPT = LAGS + WINDOW
/** Hybrid and acoustic echo on a telephone is at least this much below what was sent (ITU-T G.131 wants 24 and more). */
const LEAST_LOSS_DB = 12
/** Quieter frames sent make no echo that anybody could take for speech. */
const AUDIBLE_DBFS = -50
/** Shorter sounds have no shape to compare: 200 ms. */
const LEAST_FRAMES = 10
/** Two voices that talk at the same time correlate by 0.4-0.75 at their best lag; an echo by 0.9. */
const CORRELATED = 0.8

export class EchoGuard {
  readonly #sent = new Float32Array(KEPT).fill(-90)
  readonly #heard = new Float32Array(KEPT).fill(-90)
  #at = 0
  #soundFrames = 0

  /**
   * One frame of both sides. `isSound`: the VAD takes the user's side for speech.
   * @returns true when that sound is likely the agent's echo.
   */
  frame(sentDbfs: number, heardDbfs: number, isSound: boolean): boolean {
    this.#at = (this.#at + 1) % KEPT
    this.#sent[this.#at] = sentDbfs
    this.#heard[this.#at] = heardDbfs
    this.#soundFrames = isSound ? this.#soundFrames + 1 : 0
    if (!isSound) return false
    const loudest = this.#loudestSent()
    if (loudest < AUDIBLE_DBFS || this.#loudestHeard() > loudest - LEAST_LOSS_DB) return false
    if (this.#soundFrames < LEAST_FRAMES) return true
    return this.#correlation() >= CORRELATED
  }

  #loudestSent(): number {
    let loudest = -90
    for (let ago = 0; ago < LAGS + 4; ago++) loudest = Math.max(loudest, this.#ago(this.#sent, ago))
    return loudest
  }

  /** Of the sound's last frames: speech has soft frames, so one alone says little. */
  #loudestHeard(): number {
    let loudest = -90
    const frames = Math.min(this.#soundFrames, LEAST_FRAMES)
    for (let ago = 0; ago < frames; ago++) loudest = Math.max(loudest, this.#ago(this.#heard, ago))
    return loudest
  }

  /** Of both envelopes over the sound so far (at most 600 ms), at the lag where it is largest. */
  #correlation(): number {
    const frames = Math.min(this.#soundFrames, WINDOW)
    let best = -1
    for (let lag = 0; lag < LAGS; lag++) best = Math.max(best, this.#correlationAt(lag, frames))
    return best
  }

  #correlationAt(lag: number, frames: number): number {
    let [sumX, sumY, sumXX, sumYY, sumXY] = [0, 0, 0, 0, 0]
    for (let ago = 0; ago < frames; ago++) {
      const x = Math.max(-60, this.#ago(this.#sent, ago + lag))
      const y = Math.max(-75, this.#ago(this.#heard, ago))
      sumX += x
      sumY += y
      sumXX += x * x
      sumYY += y * y
      sumXY += x * y
    }
    const spread = (frames * sumXX - sumX * sumX) * (frames * sumYY - sumY * sumY)
    return spread <= 0 ? -1 : (frames * sumXY - sumX * sumY) / Math.sqrt(spread)
  }

  #ago(ring: Float32Array, frames: number): number {
    return ring[(this.#at - frames + 2 * KEPT) % KEPT] ?? -90
  }
}
