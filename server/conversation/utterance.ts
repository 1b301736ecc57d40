/**
 * Utterance: one STT utterance, known by its place in time, and how it is divided among turns.
 *
 *   |── quiero una cita ──|cut: turn 3|── el martes ──|   partial, later final
 *        words of turn 3                 open words
 *
 * A turn may be committed while its utterance goes on. What is before the cut belongs to that turn, however its words
 * change; what is behind it is open. Without an onset since the commit, or when the utterance ends where the turn's
 * speech ended, nothing can be behind it: a first partial may have covered only the beginning of what was said. Pure.
 */
import type { Transcript, TranscriptWord } from '../providers/stt.ts'

/** Word times of recognisers are this exact. */
const WORD_SLACK_MS = 80
/** An utterance that ends this close behind a cut ends at it: a word after a pause is further away. */
const END_SLACK_MS = 250
/** A pre-roll may reach 100 ms into the utterance before. */
const OVERLAP_MS = 110

interface Cut {
  /** The turn's key; null for words that were ignored. */
  key: number | null
  /** Where the turn's speech ended; Infinity: the whole rest, whatever it is. */
  endMs: number
  /** Words up to here when the turn was committed. */
  words: number
  /** True when the words counted reach the end of the turn's speech. */
  covered: boolean
  /** A sound began since the commit. */
  passed: boolean
}

export class Utterance {
  startMs: number
  endMs: number
  isFinal = false
  #tokens: string[] = []
  #words: readonly TranscriptWord[] = []
  #cuts: Cut[] = []

  constructor(transcript: Transcript) {
    this.startMs = transcript.startMs
    this.endMs = transcript.endMs
    this.update(transcript)
  }

  /** The words behind the last cut. */
  get open(): string {
    const last = this.#cuts.length - 1
    return this.#tokens.slice(last < 0 ? 0 : this.#place(last)).join(' ')
  }

  /** Keys of the turns that own a part, ascending. */
  get keys(): number[] {
    return this.#cuts.flatMap((cut) => (cut.key === null ? [] : [cut.key]))
  }

  get isCut(): boolean {
    return this.#cuts.length > 0
  }

  /** The part that was ignored. */
  get ignored(): string {
    return this.of(null)
  }

  /** Replaces the words; the final may not be shorter than nothing: an empty one leaves what turns already own. */
  update(transcript: Transcript): void {
    const tokens = transcript.text.split(/\s+/).filter(Boolean)
    if (tokens.length === 0 && this.isCut) this.#tokens = this.#tokens.slice(0, this.#place())
    else {
      this.#tokens = tokens
      this.#words = transcript.words.length === tokens.length ? transcript.words : []
    }
    this.endMs = transcript.endMs
  }

  /** The words of one turn. */
  of(key: number | null): string {
    const parts = this.#cuts.map((cut, i) =>
      cut.key === key ? this.#tokens.slice(i === 0 ? 0 : this.#place(i - 1), this.#place(i)) : [],
    )
    return parts.flat().join(' ')
  }

  /** How long both cover the same time, ms; 0 when they are different utterances. */
  overlap(transcript: Transcript): number {
    const { startMs, endMs } = transcript
    const ms = Math.min(endMs, this.endMs) - Math.max(startMs, this.startMs)
    if (startMs === this.startMs) return Math.max(ms, 1)
    const shorter = Math.min(endMs - startMs, this.endMs - this.startMs)
    return ms > Math.min(OVERLAP_MS, shorter / 3) ? ms : 0
  }

  /** Gives the open words to a turn, or to nobody. `speechEndMs`: where the turn's speech ended. */
  cut(key: number | null, speechEndMs: number): void {
    this.#cuts.push({
      key,
      endMs: this.isFinal ? Infinity : Math.max(speechEndMs, this.endMs),
      words: this.#tokens.length,
      covered: this.endMs >= speechEndMs - END_SLACK_MS,
      passed: false,
    })
  }

  /** Takes the last cut of a turn back: its words are open again. */
  uncut(key: number | null): void {
    this.#cuts = this.#cuts.filter((cut) => cut.key !== key)
  }

  onset(): void {
    for (const cut of this.#cuts) cut.passed = true
  }

  /** Index of the first word behind a cut. */
  #place(index = this.#cuts.length - 1): number {
    const cut = this.#cuts[index]
    const all = this.#tokens.length
    if (!cut) return 0
    const isLast = index === this.#cuts.length - 1
    if (this.endMs <= cut.endMs + END_SLACK_MS || (isLast && !cut.passed)) return all
    if (this.#words.length > 0) {
      const behind = this.#words.findIndex((word) => word.startMs >= cut.endMs - WORD_SLACK_MS)
      return behind < 0 ? all : behind
    }
    if (cut.covered) return Math.min(cut.words, all)
    const share = (cut.endMs - this.startMs) / (this.endMs - this.startMs)
    return Math.min(all, Math.max(cut.words, Math.round(all * share)))
  }
}
