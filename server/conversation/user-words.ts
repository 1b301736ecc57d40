/**
 * User words: the text of the open turn, out of partials and finals that do not know about turns.
 *
 *   STT utterance   |── quiero una cita ──|… pausa …|── para el martes ──|
 *   our turns       |── committed early ──|         |── open ────────────|
 *
 * A turn may be committed while its STT utterance goes on. From then on a watermark divides that utterance: what is
 * before it belongs to the committed turn (a late final may correct it), what is behind it to the open one. Without
 * an onset since the commit nothing can be behind it. Pure.
 */
import type { Transcript } from '../providers/stt.ts'
import { joinText, sameWords } from './words.ts'

/** Part of the current STT utterance that belongs to turns already committed. */
interface Watermark {
  endMs: number
  words: number
}

interface Commit {
  finals: string[]
  /** The part that was still a partial; '' once its final has come. */
  partial: string
  before: Watermark | null
}

/** Word times of recognisers are this exact. */
const WORD_SLACK_MS = 80

export class UserWords {
  #finals: string[] = []
  #partial = ''
  #endMs = 0
  #watermark: Watermark | null = null
  #commit: Commit | null = null
  #onsetSinceCommit = true

  /** Everything said since the last commit. */
  get text(): string {
    return joinText(...this.#finals, this.#partial)
  }

  get isFinal(): boolean {
    return this.#partial === ''
  }

  /** Audio time at which the newest words end. */
  get endMs(): number {
    return this.#endMs
  }

  /** False while the last committed turn still waits for its final. */
  get settled(): boolean {
    return this.#commit === null || this.#commit.partial === ''
  }

  speechStarted(): void {
    this.#onsetSinceCommit = true
  }

  partial(transcript: Transcript): void {
    const { tail } = this.#split(transcript)
    this.#partial = tail
    if (tail !== '') this.#endMs = transcript.endMs
  }

  /** @returns the committed turn's text as the final has it, when it differs in its words; else null. */
  final(transcript: Transcript): string | null {
    const { head, tail } = this.#split(transcript)
    const corrected = this.#settle(head)
    this.#watermark = null
    this.#partial = ''
    if (tail !== '') this.#finals.push(tail)
    this.#endMs = Math.max(this.#endMs, transcript.endMs)
    return corrected
  }

  /** The open text becomes a turn. `speechEndMs`: where its speech ended. */
  commit(speechEndMs: number): string {
    const text = this.text
    this.#commit = { finals: this.#finals, partial: this.#partial, before: this.#watermark }
    if (this.#partial !== '') {
      const words = (this.#watermark?.words ?? 0) + count(this.#partial)
      this.#watermark = { endMs: Math.max(speechEndMs, this.#endMs), words }
    }
    this.#finals = []
    this.#partial = ''
    this.#onsetSinceCommit = false
    return text
  }

  /** Takes the last commit back: its words and those since are one open turn again. */
  reopen(): void {
    if (!this.#commit) return
    this.#finals = [...this.#commit.finals, ...this.#finals]
    if (this.#commit.partial !== '') {
      this.#partial = joinText(this.#commit.partial, this.#partial)
      this.#watermark = this.#commit.before
    }
    this.#commit = null
    this.#onsetSinceCommit = true
  }

  /** Drops the open text: an ignored backchannel, a hallucination. Its STT utterance, if still open, is dropped too. */
  discard(): void {
    this.commit(this.#endMs)
    this.#commit = null
  }

  #settle(head: string): string | null {
    const commit = this.#commit
    if (!this.#watermark || !commit || commit.partial === '') return null
    const guess = commit.partial
    commit.partial = ''
    if (head === '' || sameWords(head, guess)) {
      commit.finals.push(guess)
      return null
    }
    commit.finals.push(head)
    return joinText(...commit.finals)
  }

  /** Divides an utterance at the watermark; `head` lacks what belongs to still older turns. */
  #split(transcript: Transcript): { head: string; tail: string } {
    const mark = this.#watermark
    const text = transcript.text.trim()
    if (!mark || transcript.startMs >= mark.endMs) return { head: '', tail: text }
    const words = text.split(/\s+/).filter(Boolean)
    const older = this.#commit?.before?.words ?? 0
    if (!this.#onsetSinceCommit) return { head: words.slice(older).join(' '), tail: '' }
    const timed = transcript.words.length === words.length
    const behind = timed
      ? transcript.words.findIndex((word) => word.startMs >= mark.endMs - WORD_SLACK_MS)
      : mark.words
    const at = behind < 0 ? words.length : behind
    return { head: words.slice(older, at).join(' '), tail: words.slice(at).join(' ') }
  }
}

function count(text: string): number {
  return text.split(/\s+/).filter(Boolean).length
}
