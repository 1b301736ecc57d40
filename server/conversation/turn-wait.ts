/**
 * Turn wait: from the probability that a turn is over to the silence that is waited for before it is taken as over. Pure.
 *
 *   wait  max ┤■■■■
 *             │    ╲
 *         mid ┤      ■■        mid is the profile's silenceTimeoutMs
 *             │        ╲
 *         min ┤          ■■■■
 *             └──0.2──0.5──0.8──► probability
 */
/** The longest wait, after the end of speech, for words that do not come. Azure's slowest finals take 1.8 s. */
export const NO_TRANSCRIPT_MS = 2_500

const COMPLETE_SHARE = 0.6
const OPEN_SHARE = 3
/** Below this the VAD has not even decided that the sound is over. */
const LEAST_MS = 160
/** Probabilities this close to 0.5 are no opinion; from 0.3 away they are a full one. */
const NEUTRAL = 0.1
const CERTAIN = 0.3

export interface WaitBounds {
  minMs: number
  /** For a sentence of which nothing is known. */
  midMs: number
  maxMs: number
}

export interface WaitSettings {
  silenceTimeoutMs: number
  /** 0 or absent: derived. */
  endpointingMinMs?: number
  endpointingMaxMs?: number
}

/** The range of the wait. 500 ms alone → 300…1500 ms; a derived max is at most NO_TRANSCRIPT_MS unless mid is above it. */
export function waitBounds(settings: WaitSettings): WaitBounds {
  const { silenceTimeoutMs: midMs, endpointingMinMs = 0, endpointingMaxMs = 0 } = settings
  const derivedMin = Math.min(midMs, Math.max(LEAST_MS, midMs * COMPLETE_SHARE))
  const derivedMax = Math.max(midMs, Math.min(OPEN_SHARE * midMs, NO_TRANSCRIPT_MS))
  const minMs = endpointingMinMs > 0 ? Math.min(endpointingMinMs, midMs) : derivedMin
  const maxMs = endpointingMaxMs > 0 ? Math.max(endpointingMaxMs, midMs) : derivedMax
  return { minMs, midMs, maxMs }
}

/** From here on a turn is certain enough that the user's habit of pausing does not lengthen the wait. */
const SURE = 0.85

/**
 * The wait after the last voiced sample for a turn that is over with `probability` 0…1. `floorMs` is what the user's own
 * pauses ask for: it counts in full where nothing is known, and not at all for a turn that is certainly over.
 */
export function waitMs(probability: number, bounds: WaitBounds, floorMs: number): number {
  const { minMs, midMs, maxMs } = bounds
  const opinion = (Math.abs(probability - 0.5) - NEUTRAL) / (CERTAIN - NEUTRAL)
  const share = Math.min(1, Math.max(0, opinion))
  const end = probability >= 0.5 ? minMs : maxMs
  const doubt = Math.min(1, Math.max(0, (SURE - probability) / (SURE - 0.5)))
  const learnedMs = minMs + Math.max(0, floorMs - minMs) * doubt
  return Math.round(Math.max(midMs + (end - midMs) * share, learnedMs))
}
