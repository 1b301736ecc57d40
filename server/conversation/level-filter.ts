/**
 * Level filter: drops a turn that is much softer than what this user has said so far: a television, somebody else in the
 * room. Learns from every turn of the call, dropped ones too, so that a user who moves away from the telephone is heard again.
 *
 *   turns   ▆ ▇ ▆ ▆ ▇ │ ▂ dropped │ ▆          mean ready after 5 turns; dropped below 0.4 of it (−8 dB)
 *
 * The original's figures: 5 samples, 0.4 of the running mean of RMS. Its own took packets for samples, and only the browser
 * ever sent any. Pure.
 */
import type { ProfileSettings } from '../agent-settings.ts'

const LEAST_TURNS = 5
const LEAST_SHARE = 0.4
/** Weight of the newest turn once the mean is ready, so that 7 turns at −12 dB become the usual ones. */
const NEWEST_SHARE = 0.1
/** Fewer voiced frames (100 ms) are no level. */
const LEAST_FRAMES = 5

export interface LevelFrame {
  speech: boolean
  /** −90 or absent: not voiced. */
  voicedLevelDbfs?: number
}

export class LevelFilter {
  readonly #settings: Pick<ProfileSettings, 'adaptiveLevelFilter'>
  #power = 0
  #frames = 0
  #turns = 0
  #meanRms = 0

  constructor(settings: Pick<ProfileSettings, 'adaptiveLevelFilter'>) {
    this.#settings = settings
  }

  /** 20 ms of the user; only what is voiced counts. */
  frame({ speech, voicedLevelDbfs = -90 }: LevelFrame): void {
    if (!speech || voicedLevelDbfs <= -90) return
    this.#power += 10 ** (voicedLevelDbfs / 10)
    this.#frames += 1
  }

  /** A turn is over: learns its level, and begins the next. @returns 'tooQuiet' when it is to be dropped */
  turn(): 'tooQuiet' | null {
    const rms = Math.sqrt(this.#power / Math.max(1, this.#frames))
    const isMeasured = this.#frames >= LEAST_FRAMES
    this.#power = 0
    this.#frames = 0
    if (!isMeasured || !this.#settings.adaptiveLevelFilter) return null
    const isReady = this.#turns >= LEAST_TURNS
    const isQuiet = isReady && rms < LEAST_SHARE * this.#meanRms
    this.#turns += 1
    const share = isReady ? NEWEST_SHARE : 1 / this.#turns
    this.#meanRms += (rms - this.#meanRms) * share
    return isQuiet ? 'tooQuiet' : null
  }
}
