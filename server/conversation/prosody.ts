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
  #frames: VoicedFrame[] = []

  /** A talkspurt begins. */
  reset(): void {
    this.#frames = []
  }

  /** A frame of user speech; unvoiced ones are ignored. */
  frame(frame: VoicedFrame): void {
    if (frame.pitchHz <= 0) return
    this.#frames.push({ pitchHz: frame.pitchHz, voicedLevelDbfs: frame.voicedLevelDbfs })
    if (this.#frames.length > BODY_FRAMES + TAIL_FRAMES) this.#frames.shift()
  }

  /** −1 (rises, goes on) … 1 (falls, is over); 0 without an opinion. */
  get finality(): number {
    const body = this.#frames.slice(0, -TAIL_FRAMES)
    const tail = this.#frames.slice(-TAIL_FRAMES)
    if (body.length < LEAST_BODY_FRAMES || tail.length < LEAST_TAIL_FRAMES) return 0
    const semitones = 12 * Math.log2(median(body, pitch) / median(tail.slice(-4), pitch))
    const decibels = median(body, level) - median(tail.slice(-4), level)
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

const pitch = (frame: VoicedFrame): number => frame.pitchHz
const level = (frame: VoicedFrame): number => frame.voicedLevelDbfs

function median(frames: readonly VoicedFrame[], of: (frame: VoicedFrame) => number): number {
  const sorted = frames.map(of).sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? 0
}

function clamp(value: number): number {
  return Math.min(1, Math.max(-1, value))
}
