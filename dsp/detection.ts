/** Detection: what the core found in one frame, and how it is read from the slot's record. */

const FRAME_MS = 20

/**
 * `ringback` once for each ring, `busy` at its third pulse, `sit` is a network's "cannot be
 * reached", `faxCalling` CNG, `faxAnswer` CED, `beep` an answering machine's.
 */
export type ProgressTone = 'ringback' | 'busy' | 'sit' | 'faxCalling' | 'faxAnswer' | 'beep'

/** What the VAD found in one 20 ms frame. Times are audio time since the slot was opened. */
export interface Detection {
  /** Start of the frame. */
  atMs: number
  /** Speech, after onset and hangover. */
  speech: boolean
  /** 0…1, of this frame alone. */
  probability: number
  /** RMS, −90…0. */
  levelDbfs: number
  /** Largest sample, 0…1. */
  peak?: number
  /** Samples of the frame at full scale. */
  clippedSamples?: number
  /** The DTMF digit that was recognised in this frame: one of 0-9 * # A-D; null for none. */
  digit?: string | null
  /** The call-progress tone that became certain in this frame; null for none. */
  tone?: ProgressTone | null
  /** This frame starts speech. */
  onset: boolean
  /** This frame ends speech. */
  offset: boolean
  /**
   * Where the current or last speech began, before the frames it took to be sure; −1 before the
   * first.
   */
  speechStartMs: number
  /** Start of the last frame that was speech by itself (no hangover); negative before the first. */
  lastVoicedMs: number
  /** Pitch of a voiced frame, 80…400 Hz; 0 when the frame is no voiced speech. */
  pitchHz?: number
  /** RMS of a voiced frame, −90…0 dBFS; −90 when the frame is no voiced speech. */
  voicedLevelDbfs?: number
}

/** By number, as in assembly/tones.ts. */
const TONES: ReadonlyArray<ProgressTone | null> = [
  null,
  'ringback',
  'busy',
  'sit',
  'faxCalling',
  'faxAnswer',
  'beep',
]

export function noDetection(): Detection {
  return {
    atMs: 0,
    speech: false,
    probability: 0,
    levelDbfs: -90,
    peak: 0,
    clippedSamples: 0,
    digit: null,
    tone: null,
    onset: false,
    offset: false,
    speechStartMs: -1,
    lastVoicedMs: -1,
    pitchHz: 0,
    voicedLevelDbfs: -90,
  }
}

/** Fills `d` from the record at word `record` (assembly/slot.ts, DETECTION_*). */
export function readDetection(
  words: Int32Array,
  floats: Float32Array,
  record: number,
  d: Detection,
): void {
  const flags = words[record + 1] ?? 0
  d.atMs = (words[record] ?? 0) * FRAME_MS
  d.speech = (flags & 1) !== 0
  d.onset = (flags & 2) !== 0
  d.offset = (flags & 4) !== 0
  d.probability = floats[record + 2] ?? 0
  d.levelDbfs = floats[record + 3] ?? -90
  d.peak = floats[record + 8] ?? 0
  d.clippedSamples = words[record + 9] ?? 0
  d.tone = TONES[words[record + 11] ?? 0] ?? null
  const digit = words[record + 10] ?? 0
  d.digit = digit === 0 ? null : String.fromCharCode(digit)
  const start = words[record + 4] ?? -1
  d.speechStartMs = start < 0 ? -1 : start * FRAME_MS
  d.lastVoicedMs = (words[record + 5] ?? -1) * FRAME_MS
  d.pitchHz = floats[record + 6] ?? 0
  d.voicedLevelDbfs = floats[record + 7] ?? -90
}
