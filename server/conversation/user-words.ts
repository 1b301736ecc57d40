/**
 * User words: the text of the open turn, and of turns already committed, out of partials and finals that do not know
 * about turns.
 *
 *   STT utterances  |── quiero una cita ──|… pausa …|── para el martes ──|      in order of their audio time
 *   our turns       |── committed early ──|         |── open ────────────|
 *
 * Utterances are told apart by their place in audio time, not by the order in which their transcripts arrive: finals
 * may come after the next utterance began, after its final, or after the turn was committed.
 *
 * Rules (changed: before, any final replaced the newest partial, and a committed turn took only the next final):
 * - every final is kept under its own utterance, and a turn's text is always built anew from all of them;
 * - a late final of a committed turn corrects that turn, also several turns back; one of which no partial was seen
 *   joins the turn within whose speech it was spoken;
 * - words that were ignored as partials are open again when their final has other words.
 *
 * Invariant: each word of each final is open, or a turn's, or was ignored as exactly that text. Pure.
 */
import type { Transcript } from '../providers/stt.ts'
import { Utterance } from './utterance.ts'
import { joinText, sameWords } from './words.ts'

/** A final that is overtaken by this much speech of later utterances will not come: its partial stands. */
const LOST_FINAL_MS = 10_000

/** So many turns back a late final still finds its turn. */
export const TURNS_KEPT = 8

/** What a late final made of a committed turn. */
export interface Correction {
  key: number
  text: string
}

export interface HeardFinal {
  corrections: Correction[]
  /** True when words of it are open. */
  isOpen: boolean
}

interface Commit extends Correction {
  endMs: number
}

export class UserWords {
  #utterances: Utterance[] = []
  /** Oldest first; the newest TURNS_KEPT. */
  #commits: Commit[] = []
  #lastKey = 0
  #endMs = 0

  /** Everything said that is of no turn yet. */
  get text(): string {
    return joinText(...this.#utterances.map((utterance) => utterance.open))
  }

  get isFinal(): boolean {
    return this.#utterances.every((utterance) => utterance.isFinal || utterance.open === '')
  }

  /** Audio time at which the oldest open words begin; when there are none, at which the last ones ended. */
  get startMs(): number {
    return this.#utterances.find((utterance) => utterance.open !== '')?.startMs ?? this.#endMs
  }

  /** Audio time at which the newest open words end; when there are none, where the last ones did. */
  get endMs(): number {
    const last = this.#utterances.findLast((utterance) => utterance.open !== '')
    return last?.endMs ?? this.#endMs
  }

  /** Where the first open partial ends, be there newer words or not; `endMs` when all open words are final. */
  get knownToMs(): number {
    const partial = this.#utterances.find((u) => !u.isFinal && u.open !== '')
    return partial?.endMs ?? this.endMs
  }

  /** True once no final can change the committed turn any more. */
  settled(key: number): boolean {
    const isKept = this.#commits.some((commit) => commit.key === key)
    return !isKept || this.#utterances.every((u) => u.isFinal || !u.keys.includes(key))
  }

  speechStarted(): void {
    for (const utterance of this.#utterances) if (!utterance.isFinal) utterance.onset()
  }

  /** @returns true when words of it are open. */
  partial(transcript: Transcript): boolean {
    const utterance = this.#match(transcript) ?? this.#insert(transcript)
    utterance.update(transcript)
    const isOpen = utterance.open !== ''
    if (isOpen) this.#endMs = transcript.endMs
    return isOpen
  }

  /** Takes a final. Corrections hold only turns whose words differ, not those where case or punctuation does. */
  final(transcript: Transcript): HeardFinal {
    const utterance = this.#match(transcript) ?? this.#insert(transcript)
    const ignored = utterance.ignored
    utterance.update(transcript)
    utterance.isFinal = true
    // An early first sample is the recogniser's pre-roll.
    utterance.startMs = Math.max(utterance.startMs, transcript.startMs)
    this.#utterances.sort((a, b) => a.startMs - b.startMs)
    if (ignored !== '' && !sameWords(ignored, utterance.ignored)) utterance.uncut(null)
    this.#endMs = Math.max(this.#endMs, transcript.endMs)
    for (const other of this.#utterances) {
      if (other.endMs < transcript.startMs - LOST_FINAL_MS) other.isFinal = true
    }
    const corrections = this.#corrections(utterance.keys)
    const isOpen = utterance.open !== ''
    this.#prune()
    return { corrections, isOpen }
  }

  /** The open text becomes a turn. `speechEndMs`: where its speech ended. */
  commit(speechEndMs: number): Correction {
    const key = ++this.#lastKey
    const { text } = this
    this.#endMs = this.endMs
    this.#cutOpen(key, speechEndMs)
    this.#commits.push({ key, text, endMs: speechEndMs })
    this.#prune()
    return { key, text }
  }

  /** The open words belong to a turn that was committed before. @returns its whole text. */
  extend(key: number): string {
    const commit = this.#commits.find((one) => one.key === key)
    if (!commit) return ''
    commit.endMs = Math.max(commit.endMs, this.endMs)
    this.#cutOpen(key, commit.endMs)
    commit.text = this.#textOf(key)
    return commit.text
  }

  /** Takes a commit back: its words and those since are one open turn again. */
  reopen(key: number): void {
    for (const utterance of this.#utterances) utterance.uncut(key)
    this.#commits = this.#commits.filter((commit) => commit.key !== key)
  }

  /** Drops the open text: an ignored backchannel, a hallucination. */
  discard(): void {
    this.#endMs = this.endMs
    this.#cutOpen(null, this.#endMs)
    this.#prune()
  }

  #cutOpen(key: number | null, speechEndMs: number): void {
    for (const utterance of this.#utterances) {
      if (utterance.open !== '') utterance.cut(key, speechEndMs)
    }
  }

  #textOf(key: number): string {
    return joinText(...this.#utterances.map((utterance) => utterance.of(key)))
  }

  #corrections(keys: readonly number[]): Correction[] {
    const corrections: Correction[] = []
    for (const commit of this.#commits) {
      if (!keys.includes(commit.key)) continue
      const text = this.#textOf(commit.key)
      if (text === '' || sameWords(text, commit.text)) continue
      commit.text = text
      corrections.push({ key: commit.key, text })
    }
    return corrections
  }

  /** The utterance of which this is a newer transcript. */
  #match(transcript: Transcript): Utterance | null {
    let best: Utterance | null = null
    for (const utterance of this.#utterances) {
      const ms = utterance.isFinal ? 0 : utterance.overlap(transcript)
      if (ms > 0 && ms >= (best?.overlap(transcript) ?? 0)) best = utterance
    }
    return best
  }

  /** A new one; when it lies within the speech of a committed turn it is that turn's. */
  #insert(transcript: Transcript): Utterance {
    const utterance = new Utterance(transcript)
    this.#utterances.push(utterance)
    this.#utterances.sort((a, b) => a.startMs - b.startMs)
    const owner = this.#commits.find((commit) => transcript.endMs <= commit.endMs)
    if (owner) utterance.cut(owner.key, owner.endMs)
    return utterance
  }

  /** Forgets turns that are too long ago, and what was ignored and will not change. */
  #prune(): void {
    while (this.#commits.length > TURNS_KEPT) this.#commits.shift()
    const oldestKey = this.#commits[0]?.key ?? 0
    this.#utterances = this.#utterances.filter((utterance) => {
      if (utterance.open !== '') return true
      if (utterance.keys.length > 0) return utterance.keys.some((key) => key >= oldestKey)
      return !utterance.isFinal
    })
  }
}
