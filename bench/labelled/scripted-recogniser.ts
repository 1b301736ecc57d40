/**
 * A recogniser that is told the true words and their times and reports them as Azure does: interims in small letters
 * without punctuation, a final with both, each as late as Azure's. It makes no mistakes and hears nothing, so figures
 * taken with it judge the turn-taking alone; every result says so (`settings.recogniser`).
 *
 *   interim   per word, 100-250 ms after the word's end, at most one each 100 ms (the SDK batches audio by 100 ms)
 *   final     after a silence of max(500, segmentation) ms; time to final p50 / p95 / p99 1 016 / 1 345 / 1 791 ms at
 *             500 ms (pipecat-ai/stt-benchmark, Azure, 1 000 samples)
 */
import type { Transcript } from '../../server/providers/stt.ts'
import type { Seeded } from './seeded.ts'

export interface SpokenWord {
  text: string
  startMs: number
  endMs: number
}

export interface RecognitionEvent {
  atMs: number
  isFinal: boolean
  transcript: Transcript
}

export const RECOGNISER = 'scripted, true words, Azure timings'

const INTERIM_LAG_MS = { least: 100, most: 250 }
const INTERIM_GAP_MS = 100
/** Azure does not honour less. */
const LEAST_SEGMENTATION_MS = 500
/** Of the final behind the segmentation: median 516 ms, log-normal, so that p95 is 845 ms. */
const FINAL_LAG_MS = { median: 516, sigma: 0.3 }

/** Everything the recogniser will say about `words`, in order of time. */
export function recognise(
  words: readonly SpokenWord[],
  o: { language: string; segmentationMs: number; seeded: Seeded },
): RecognitionEvent[] {
  const silenceMs = Math.max(LEAST_SEGMENTATION_MS, o.segmentationMs)
  const events: RecognitionEvent[] = []
  for (const segment of segments(words, silenceMs)) {
    let lastMs = -Infinity
    segment.forEach((word, i) => {
      const lagMs = o.seeded.between(INTERIM_LAG_MS.least, INTERIM_LAG_MS.most)
      lastMs = Math.max(word.endMs + lagMs, lastMs + INTERIM_GAP_MS)
      const said = segment.slice(0, i + 1)
      const text = said.map((one) => plain(one.text)).join(' ')
      events.push({ atMs: lastMs, isFinal: false, transcript: transcript(said, text, o.language) })
    })
    const lagMs = FINAL_LAG_MS.median * Math.exp(FINAL_LAG_MS.sigma * o.seeded.normal())
    const atMs = (segment.at(-1)?.endMs ?? 0) + silenceMs + lagMs
    const text = sentence(segment.map((one) => one.text).join(' '))
    events.push({ atMs, isFinal: true, transcript: transcript(segment, text, o.language) })
  }
  return events.sort((a, b) => a.atMs - b.atMs)
}

/** Runs of words without a silence that ends a phrase. */
function segments(words: readonly SpokenWord[], silenceMs: number): SpokenWord[][] {
  const found: SpokenWord[][] = []
  for (const word of words) {
    const last = found.at(-1)
    const endMs = last?.at(-1)?.endMs ?? -Infinity
    if (last && word.startMs - endMs < silenceMs) last.push(word)
    else found.push([word])
  }
  return found
}

function transcript(words: readonly SpokenWord[], text: string, language: string): Transcript {
  const startMs = words[0]?.startMs ?? 0
  const endMs = words.at(-1)?.endMs ?? 0
  return { text, language, startMs, endMs, confidence: null, words: [] }
}

const plain = (word: string): string => word.toLowerCase().replace(/[.,;:¿?¡!]/g, '')

/** Azure writes every phrase as a sentence, also one that the speaker has not finished. */
function sentence(text: string): string {
  const trimmed = text.replace(/[,;:]$/, '')
  const first = /\p{L}/u.exec(trimmed)?.index ?? 0
  const capital = trimmed.slice(0, first) + trimmed.charAt(first).toUpperCase()
  const whole = capital + trimmed.slice(first + 1)
  return /[.?!]$/.test(whole) ? whole : `${whole}.`
}
