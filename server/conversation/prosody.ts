/**
 * Prosody: does the voice sound finished? At the end of a statement the pitch falls and the voice gets softer; before a
 * pause in the middle it stays level or rises. Pure.
 *
 *   voiced frames of the talkspurt  ●●●●●●●●●●●●●●●│●●●●●●       the last 160 ms against the 600 ms before them
 *                                     body           tail
 *
 * The cue is weak and speakers differ, so it moves the probability that the words gave, by at most SHIFT on the logit
 * scale, and never overrules an open conjunction. Frames without pitch (0: not measured) give no opinion.
 */
export interface VoicedFrame {
  /** 0: not voiced, or not measured. */
  pitchHz: number
  /** 0: not measured. */
  voicedLevelDbfs: number
}

const TAIL_FRAMES = 8
/** Of the tail, those that are judged: what ends last says most. */
const LAST_FRAMES = 4
const BODY_FRAMES = 30
/** Fewer voiced frames are a word like "sí": no melody to judge. */
const LEAST_BODY_FRAMES = 8
const LEAST_TAIL_FRAMES = 3
/**
 * Pitch and level also sink towards a pause in the middle (measured: 2-3 semitones, 6 dB; at the end 4-5.5), so that much
 * says nothing; a fall or a rise of `full` beyond it is a certain one. Level tells speakers apart better than turns.
 */
const PITCH_SEMITONES = { neutral: 3, full: 2 }
const LEVEL_DB = { neutral: 6, full: 12 }
const PITCH_SHARE = 0.85
/** On the logit scale: 0.65 with a full fall becomes 0.82, with a rise 0.42. */
const SHIFT = 0.95

export class Prosody {
  readonly #pitchHz = new Float64Array(BODY_FRAMES + TAIL_FRAMES)
  readonly #levelDbfs = new Float64Array(BODY_FRAMES + TAIL_FRAMES)
  /** Frames kept, the oldest first. */
  #count = 0
  /** Asked for with every frame of a silence, in which it cannot change; null when it must be computed anew. */
  #finality: number | null = 0

  /** A talkspurt begins. */
  reset(): void {
    this.#count = 0
    this.#finality = 0
  }

  /** A frame of user speech; unvoiced ones are ignored. */
  frame(frame: VoicedFrame): void {
    if (frame.pitchHz <= 0) return
    if (this.#count === this.#pitchHz.length) {
      this.#pitchHz.copyWithin(0, 1)
      this.#levelDbfs.copyWithin(0, 1)
      this.#count--
    }
    this.#pitchHz[this.#count] = frame.pitchHz
    this.#levelDbfs[this.#count] = frame.voicedLevelDbfs
    this.#count++
    this.#finality = null
  }

  /** −1 (rises, goes on) … 1 (falls, is over); 0 without an opinion. */
  get finality(): number {
    this.#finality ??= this.#judge()
    return this.#finality
  }

  #judge(): number {
    const end = this.#count
    const bodyTo = Math.max(0, end - TAIL_FRAMES)
    if (bodyTo < LEAST_BODY_FRAMES || end - bodyTo < LEAST_TAIL_FRAMES) return 0
    const tailFrom = end - LAST_FRAMES
    const fallHz = median(this.#pitchHz, 0, bodyTo) / median(this.#pitchHz, tailFrom, end)
    const decibels = median(this.#levelDbfs, 0, bodyTo) - median(this.#levelDbfs, tailFrom, end)
    const semitones = 12 * Math.log2(fallHz)
    const byPitch = clamp((semitones - PITCH_SEMITONES.neutral) / PITCH_SEMITONES.full)
    const byLevel = clamp((decibels - LEVEL_DB.neutral) / LEVEL_DB.full)
    return clamp(PITCH_SHARE * byPitch + (1 - PITCH_SHARE) * byLevel)
  }
}

/** The probability that the turn is over, from its words and from its melody (`finality` −1…1). */
export function withProsody(probability: number, finality: number): number {
  if (finality === 0) return probability
  const logit = Math.log(probability / (1 - probability)) + SHIFT * finality
  return 1 / (1 + Math.exp(-logit))
}

/** Used by one median at a time. */
const sorted = new Float64Array(BODY_FRAMES + TAIL_FRAMES)

/** The upper median of `values[from…to)`; a hundred times a second and call, so nothing is allocated. */
function median(values: Float64Array, from: number, to: number): number {
  const count = to - from
  for (let i = 0; i < count; i++) {
    const value = values[from + i]!
    let place = i
    for (; place > 0 && sorted[place - 1]! > value; place--) sorted[place] = sorted[place - 1]!
    sorted[place] = value
  }
  return sorted[count >> 1] ?? 0
}

function clamp(value: number): number {
  return Math.min(1, Math.max(-1, value))
}
