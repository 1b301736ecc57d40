/**
 * Voice activity of a recording, by energy in windows of 10 ms: when was somebody audible? Good
 * enough for a clean simulated line, and simple enough to be believed when it judges the server's
 * own detector.
 */

const SAMPLES_PER_MS = 8
const WINDOW_MS = 10
const WINDOW_SAMPLES = WINDOW_MS * SAMPLES_PER_MS
/** Far above PCMU's idle noise (−72 dBFS), and 15 dB below speech that is ducked by 12 dB. */
const AUDIBLE_DBFS = -45
const AUDIBLE_POWER = 32_767 ** 2 * 10 ** (AUDIBLE_DBFS / 10)
/**
 * A pause up to this belongs to the talkspurt around it: stop gaps and commas, not ends of
 * sentences.
 */
const JOIN_MS = 200

export interface Talkspurt {
  startMs: number
  endMs: number
}

export class VoiceActivity {
  readonly talkspurts: Talkspurt[] = []
  #sample = 0

  /**
   * Looks at the whole windows of `pcm` (8 kHz, the same recording each time) before `untilSample`.
   */
  advance(pcm: Int16Array, untilSample: number): void {
    for (; this.#sample + WINDOW_SAMPLES <= untilSample; this.#sample += WINDOW_SAMPLES) {
      if (isAudible(pcm, this.#sample)) this.#extend(this.#sample / SAMPLES_PER_MS)
    }
  }

  /** Start of the first talkspurt, or null while there was none. */
  get firstMs(): number | null {
    return this.talkspurts[0]?.startMs ?? null
  }

  /** End of the last audible window, or null. */
  get lastMs(): number | null {
    return this.talkspurts.at(-1)?.endMs ?? null
  }

  /** The first talkspurt that starts at or after `fromMs`. */
  startAfter(fromMs: number): number | null {
    return this.talkspurts.find((spurt) => spurt.startMs >= fromMs)?.startMs ?? null
  }

  /** The talkspurt that was going on at `atMs`, or null. */
  at(atMs: number): Talkspurt | null {
    return this.talkspurts.find((spurt) => spurt.startMs <= atMs && spurt.endMs > atMs) ?? null
  }

  #extend(startMs: number): void {
    const last = this.talkspurts.at(-1)
    if (last !== undefined && startMs - last.endMs <= JOIN_MS) last.endMs = startMs + WINDOW_MS
    else this.talkspurts.push({ startMs, endMs: startMs + WINDOW_MS })
  }
}

/** First and last audible moment of a piece of speech, ms; null when it is silent. */
export function audibleSpan(pcm: Int16Array): Talkspurt | null {
  const activity = new VoiceActivity()
  activity.advance(pcm, pcm.length)
  const startMs = activity.firstMs
  const endMs = activity.lastMs
  return startMs === null || endMs === null ? null : { startMs, endMs }
}

function isAudible(pcm: Int16Array, from: number): boolean {
  let energy = 0
  for (let i = from; i < from + WINDOW_SAMPLES; i++) energy += (pcm[i] ?? 0) ** 2
  return energy / WINDOW_SAMPLES > AUDIBLE_POWER
}
