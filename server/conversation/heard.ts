/**
 * Heard: the ledger of one agent turn. What of its text has the user heard, word by word?
 *
 *   segment  |── Con gusto. ──|── ¿Le queda bien el martes? ──|       heard ms from the playback
 *   heard    |████████████████|██████████░░░░░░░░░░░░░░░░░░░░|   →   "Con gusto. ¿Le queda bien…"
 *
 * The playback knows milliseconds, not words. Word offsets from the voice translate them; a voice without offsets
 * gets its share of the text, counted in syllables and consonants between the pauses that its audio has at commas and full stops
 * (pauses.ts). A word counts when more than half of it was heard. Decision: docs/adr/0004.
 */
import type { PauseFinder } from './pauses.ts'

export interface WordOffset {
  /** Index of the word in the segment's text. */
  textOffset: number
  offsetMs: number
}

export interface Segment {
  readonly id: number
  /** Grows while it is being written: append-only. */
  text: string
  /** Audio so far, ms; the whole once `complete`. */
  audioMs: number
  complete: boolean
  started: boolean
  /** The line confirmed the last sample. */
  heard: boolean
  words: WordOffset[]
  /** Silences of its audio; null while there is none. */
  sound: PauseFinder | null
}

/** Spoken characters per second are 12…17 in both languages; used only while the audio's length is not known yet. */
const MS_PER_CHARACTER = 65

/**
 * How long things take, in consonants: a syllable's vowels are two, a comma is a pause of about 350 ms, a digit is a word.
 * Fitted to 16 Spanish and English sentences of the embedded voice: never off by two words, by letters in 1 % of places.
 */
const VOWELS_LENGTH = 2
const SPACE_LENGTH = 0.5
const PAUSE_LENGTH = 6
const DIGIT_LENGTH = 5
const VOWEL = /[aeiouyáéíóúü]/i

export class HeardLedger {
  #segments: Segment[] = []

  add(id: number, text: string): Segment {
    const segment = {
      id,
      text,
      audioMs: 0,
      complete: false,
      started: false,
      heard: false,
      words: [],
      sound: null,
    }
    this.#segments.push(segment)
    return segment
  }

  get(id: number): Segment | undefined {
    return this.#segments.find((segment) => segment.id === id)
  }

  /** Takes out a segment that no audio came for. */
  drop(id: number): void {
    this.#segments = this.#segments.filter((segment) => segment.id !== id)
  }

  get allHeard(): boolean {
    return this.#segments.every((segment) => segment.heard)
  }

  get anyStarted(): boolean {
    return this.#segments.some((segment) => segment.started)
  }

  /** Takes everything as heard: the line is idle, or its confirmations were lost. */
  settle(): void {
    for (const segment of this.#segments) segment.heard = true
  }

  /** ms of audio that wait behind the segment being played. */
  get waitingMs(): number {
    return this.#segments.reduce((sum, s) => (s.started ? sum : sum + s.audioMs), 0)
  }

  get audioMs(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.audioMs, 0)
  }

  /** The text of the segments that have begun to play. */
  get startedText(): string {
    return this.#segments
      .filter((segment) => segment.started)
      .map((segment) => segment.text)
      .join(' ')
  }

  /** The last segment's text, when it is the one being played: what the user is answering to. */
  get lastSentence(): string | null {
    const last = this.#segments.at(-1)
    return last?.started ? last.text : null
  }

  /** The words heard; `heardMs` is asked for each segment that was not confirmed. */
  heardText(heardMs: (segmentId: number) => number): string {
    const pieces: string[] = []
    for (const segment of this.#segments) {
      if (segment.heard) {
        pieces.push(segment.text)
        continue
      }
      const heard = heardPart(segment, heardMs(segment.id))
      if (heard !== '') pieces.push(heard)
      if (heard !== segment.text) break
    }
    return pieces.join(' ')
  }
}

/** The beginning of the segment's text that `heardMs` of its audio carried, whole words only. */
export function heardPart(segment: Segment, heardMs: number): string {
  if (heardMs <= 0) return ''
  if (segment.complete && heardMs >= segment.audioMs) return segment.text
  const totalMs = segment.complete
    ? segment.audioMs
    : Math.max(segment.audioMs, segment.text.length * MS_PER_CHARACTER)
  const { text } = segment
  const anchors = segment.words.length > 0 ? segment.words : pauseAnchors(segment)
  const timeAt = (index: number): number => timeOf(text, { index, anchors, totalMs })
  let end = 0
  for (const word of wordSpans(text)) {
    const startMs = timeAt(word.start)
    const endMs = timeAt(word.end)
    if (heardMs <= (startMs + endMs) / 2) break
    end = word.end
  }
  return text.slice(0, end).trimEnd()
}

/**
 * What the silences say of the text, in order: the k-th pause is the k-th mark with a space behind it. Where a whole sentence has
 * another number of pauses than of marks, nobody knows which is which: then only its first and last sound count.
 */
function pauseAnchors({ text, sound, complete }: Segment): WordOffset[] {
  if (sound?.soundFromMs == null) return []
  const marks = [...text.matchAll(/[,;:.?!…](?=\s)/g)].map((match) => match.index)
  const { pauses } = sound
  const fits = complete ? pauses.length === marks.length : pauses.length <= marks.length
  const anchors = [{ textOffset: 0, offsetMs: sound.soundFromMs }]
  for (const [k, { fromMs, toMs }] of (fits ? pauses : []).entries()) {
    const mark = marks[k]!
    // The mark itself takes no time: the pause lies between it and the next word.
    anchors.push({ textOffset: mark, offsetMs: fromMs }, { textOffset: mark + 1, offsetMs: fromMs })
    anchors.push({ textOffset: mark + 2, offsetMs: toMs })
  }
  if (complete) anchors.push({ textOffset: text.length, offsetMs: sound.soundToMs })
  return anchors
}

/** Audio time of a place in the text: between the anchors around it, or its share of the whole. */
function timeOf(
  text: string,
  at: { index: number; anchors: readonly WordOffset[]; totalMs: number },
): number {
  let before = { textOffset: 0, offsetMs: 0 }
  let after = { textOffset: text.length, offsetMs: at.totalMs }
  for (const anchor of at.anchors) {
    if (anchor.textOffset <= at.index) before = anchor
    else {
      after = anchor
      break
    }
  }
  const span = spokenLength(text, before.textOffset, after.textOffset)
  if (span <= 0) return after.offsetMs
  const share = spokenLength(text, before.textOffset, at.index) / span
  return before.offsetMs + (after.offsetMs - before.offsetMs) * share
}

/** How long a part of the text takes, in consonants. */
function spokenLength(text: string, from: number, to: number): number {
  let length = 0
  for (let i = from; i < to; i++) length += lengthAt(text, i)
  return length
}

function lengthAt(text: string, index: number): number {
  const char = text.charAt(index)
  if (/\s/.test(char)) return SPACE_LENGTH
  if (/[,;:.?!…]/.test(char)) return /\s/.test(text.charAt(index + 1)) ? PAUSE_LENGTH : 1
  if (/\d/.test(char)) return DIGIT_LENGTH
  if (!VOWEL.test(char)) return 1
  // "ue" and "ou" are one syllable.
  return VOWEL.test(text.charAt(index - 1)) ? 0 : VOWELS_LENGTH
}

function wordSpans(text: string): { start: number; end: number }[] {
  return [...text.matchAll(/\S+/g)].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
  }))
}
