/**
 * Generator of the labelled set: text with `|` → 8 kHz audio with a pause at each mark, the words with their times, and
 * where the turn truly ends.
 *
 *   "Quiero una cita para | el martes."
 *        └─ whole sentence, a comma at the mark ─► voice ─► its own gap there, stretched to 600-900 ms
 *
 * The sentence is spoken in one piece, so that the melody before a pause is that of a sentence that goes on. The line has
 * a noise floor of −62 dBFS; silence that is truly zero would make every detector look good.
 */
import { asSpeaker, type SpeechVoice } from '../rig/speech.ts'
import {
  KIND_SHARES,
  type HesitantText,
  type HesitationKind,
  type Shares,
} from './hesitant-texts.ts'
import type { SpokenWord } from './scripted-recogniser.ts'
import type { Seeded } from './seeded.ts'
import { FILLING_NAMES, type SetTexts } from './set-texts.ts'
import { FRAME_SAMPLES, SAMPLES_PER_MS } from './user-line.ts'

export interface HesitantCase {
  kind: HesitationKind
  language: 'es-MX' | 'en-US'
  text: string
  pcm: Int16Array
  words: SpokenWord[]
  /** The silences in the middle of the turn. */
  pauses: { startMs: number; endMs: number }[]
  /** The last audible 10 ms of the turn. */
  endMs: number
}

export const PAUSE_MS = { least: 600, most: 900 }
const LEAD_MS = 400
/** Behind the turn: the longest wait and the slowest final. */
const TAIL_MS = 4_500
const NOISE_AMPLITUDE = 26 * 1.73

const WINDOW_MS = 10
const AUDIBLE_AMPLITUDE = 32_767 * 10 ** (-45 / 20)
const LEAST_GAP_MS = 50
/** How far from its expected place a gap may be. */
const GAP_REACH_MS = 350

export async function hesitantCases(
  count: number,
  seeded: Seeded,
  voice: SpeechVoice,
  set: { texts: SetTexts; shares: Shares },
): Promise<HesitantCase[]> {
  const cases: HesitantCase[] = []
  for (let i = 0; i < count; i++) {
    const drawn = drawText(i, seeded, set)
    const speaker = seeded.pick(set.texts.speakers)
    cases.push(await hesitantCase(drawn, seeded, asSpeaker(voice, speaker)))
  }
  return cases
}

/** The kinds take turns in their shares, so that every set of 20 or more has them all. */
function drawText(
  index: number,
  seeded: Seeded,
  { texts, shares }: { texts: SetTexts; shares: Shares },
): HesitantText {
  const kinds = Object.entries(KIND_SHARES[shares]) as [HesitationKind, number][]
  const deck = kinds.flatMap(([kind, share]) => Array<HesitationKind>(share).fill(kind))
  const kind = deck[(index * 7) % deck.length] ?? 'open'
  const language = seeded.next() < 0.5 ? 'es-MX' : 'en-US'
  const text = seeded.pick(texts.hesitant[language][kind])
  return { kind, language, text: fill(text, texts.fillings[language], seeded) }
}

function fill(text: string, fillings: SetTexts['fillings']['es-MX'], seeded: Seeded): string {
  return text.replace(/\{(\w+)\}/g, (_match, name: string) => {
    const digits = /^d(\d)$/.exec(name)?.[1]
    if (digits !== undefined) {
      return Array.from({ length: Number(digits) }, () => seeded.pick(fillings.digit)).join(' ')
    }
    const known = FILLING_NAMES.find((filling) => filling === name)
    if (known === undefined) throw new RangeError(`nothing to fill {${name}} with`)
    return seeded.pick(fillings[known])
  })
}

async function hesitantCase(
  drawn: HesitantText,
  seeded: Seeded,
  voice: SpeechVoice,
): Promise<HesitantCase> {
  const pieces = drawn.text.split('|').map((piece) => piece.trim())
  // Only the marks may become gaps: the sentence's own commas would be gaps too.
  const spoken = pieces.map((piece, i) => {
    const plain = piece.replaceAll(',', '')
    return i < pieces.length - 1 ? `${plain},` : plain
  })
  const audio = await pieceAudio(spoken, drawn.language, voice)
  const parts: Int16Array[] = [new Int16Array(LEAD_MS * SAMPLES_PER_MS)]
  const words: SpokenWord[] = []
  const pauses: { startMs: number; endMs: number }[] = []
  let atMs = LEAD_MS
  audio.forEach((pcm, i) => {
    const lengthMs = pcm.length / SAMPLES_PER_MS
    words.push(...wordTimes(pieces[i] ?? '', atMs, lengthMs))
    parts.push(pcm)
    atMs += lengthMs
    const pauseMs = i === audio.length - 1 ? TAIL_MS : seeded.between(PAUSE_MS.least, PAUSE_MS.most)
    if (i < audio.length - 1) pauses.push({ startMs: atMs, endMs: atMs + pauseMs })
    parts.push(new Int16Array(Math.round(pauseMs * SAMPLES_PER_MS)))
    if (i < audio.length - 1) atMs += Math.round(pauseMs * SAMPLES_PER_MS) / SAMPLES_PER_MS
  })
  const { kind, language, text } = drawn
  return { kind, language, text, pcm: onLine(parts, seeded), words, pauses, endMs: atMs }
}

/** The audible part of each piece, cut out of the whole sentence; spoken piece by piece when it has no gaps to cut at. */
async function pieceAudio(
  pieces: readonly string[],
  language: string,
  voice: SpeechVoice,
): Promise<Int16Array[]> {
  const { pcm } = await voice.say(pieces.join(' '), language)
  const whole = audible(pcm)
  const cuts = gapsFor(pieces, whole)
  if (cuts === null) {
    const alone: Int16Array[] = []
    for (const piece of pieces) alone.push(audible((await voice.say(piece, language)).pcm))
    return alone
  }
  return pieces.map((_piece, i) =>
    audible(whole.subarray(cuts[i - 1]?.end ?? 0, cuts[i]?.start ?? whole.length)),
  )
}

interface Gap {
  start: number
  end: number
}

/** One gap for each boundary between pieces, in samples; null when there are not enough. */
function gapsFor(pieces: readonly string[], pcm: Int16Array): Gap[] | null {
  const gaps = silences(pcm)
  const length = pieces.join(' ').length
  const found: Gap[] = []
  let characters = 0
  for (const piece of pieces.slice(0, -1)) {
    characters += piece.length + 1
    const expected = (pcm.length * characters) / length
    const reach = GAP_REACH_MS * SAMPLES_PER_MS
    const from = found.at(-1)?.end ?? 0
    const distance = (gap: Gap): number => Math.abs((gap.start + gap.end) / 2 - expected)
    // Long gaps near the expected place; a plosive's closure is short, another word's gap is far.
    const worth = (gap: Gap): number => gap.end - gap.start - distance(gap) / 2
    const near = gaps
      .filter((gap) => gap.start > from && distance(gap) < reach)
      .sort((a, b) => worth(b) - worth(a))[0]
    if (!near) return null
    found.push(near)
  }
  return found
}

function silences(pcm: Int16Array): Gap[] {
  const found: Gap[] = []
  let start: number | null = null
  forEachWindow(pcm, (at, isAudible) => {
    if (isAudible) {
      if (start !== null && at - start >= LEAST_GAP_MS * SAMPLES_PER_MS)
        found.push({ start, end: at })
      start = null
    } else start ??= at
  })
  return found
}

/** Without the silence around it. */
export function audible(pcm: Int16Array): Int16Array {
  let first = -1
  let end = 0
  forEachWindow(pcm, (at, isAudible) => {
    if (!isAudible) return
    if (first < 0) first = at
    end = at + WINDOW_MS * SAMPLES_PER_MS
  })
  return first < 0 ? pcm.subarray(0, 0) : pcm.subarray(first, end)
}

function forEachWindow(pcm: Int16Array, see: (at: number, isAudible: boolean) => void): void {
  const step = WINDOW_MS * SAMPLES_PER_MS
  for (let at = 0; at + step <= pcm.length; at += step) {
    let power = 0
    for (let i = at; i < at + step; i++) power += (pcm[i] ?? 0) ** 2
    see(at, Math.sqrt(power / step) >= AUDIBLE_AMPLITUDE)
  }
}

/** Words share a piece's time by their letters; a voice without word times gives no better. */
export function wordTimes(piece: string, startMs: number, lengthMs: number): SpokenWord[] {
  const words = piece.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word))
  const weights = words.map((word) => word.replace(/[^\p{L}\p{N}]/gu, '').length + 1)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let before = 0
  return words.map((text, i) => {
    const from = before
    before += weights[i] ?? 0
    return {
      text,
      startMs: startMs + (lengthMs * from) / total,
      endMs: startMs + (lengthMs * before) / total,
    }
  })
}

/** Joined to whole frames, with the line's noise under it. */
export function onLine(parts: readonly Int16Array[], seeded: Seeded): Int16Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const pcm = new Int16Array(Math.ceil(length / FRAME_SAMPLES) * FRAME_SAMPLES)
  let at = 0
  for (const part of parts) {
    pcm.set(part, at)
    at += part.length
  }
  return withNoise(pcm, seeded)
}

/** White, −62 dBFS: uniform values of ±√3 times the effective amplitude. */
export function withNoise(pcm: Int16Array, seeded: Seeded): Int16Array {
  for (let i = 0; i < pcm.length; i++) {
    const value = (pcm[i] ?? 0) + seeded.between(-NOISE_AMPLITUDE, NOISE_AMPLITUDE)
    pcm[i] = Math.max(-32_768, Math.min(32_767, Math.round(value)))
  }
  return pcm
}
