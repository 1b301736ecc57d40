/**
 * Sentences: cuts the model's stream into pieces to be spoken, each as soon as its end is sure.
 *
 *   tokens ─► [ open text ≤ 240 characters ] ─► sentence, sentence, …
 *
 * A full stop ends a sentence only when white space follows and it belongs to no abbreviation, initial, list number or
 * decimal: so the decision needs one character of look-ahead. The first piece may end at a comma (the user waits for
 * it); later short sentences are joined, because a voice sounds better with more text at once.
 * Invariant: the pieces joined are the input, but for white space at the cuts.
 */
import { wordLists, type WordLists } from './word-lists.ts'
import { normalise } from './words.ts'

/** The first piece may be cut at a comma from here on: about 1.5 s of speech, enough to cover the next piece's latency. */
const FIRST_CLAUSE_CHARS = 24
/** Later sentences shorter than this wait for their successor. */
const SHORT_SENTENCE_CHARS = 16
/** Longer text without an end is cut at a comma or a space: about 16 s of speech. */
const LONGEST_CHARS = 240

const CLOSERS = /["'»”’)\]*_]/

export class SentenceSplitter {
  readonly #lists: WordLists
  #open = ''
  #emitted = false

  constructor(language: string) {
    this.#lists = wordLists(language)
  }

  /** What came behind the last piece: the beginning of the next one. */
  get open(): string {
    return this.#open
  }

  push(text: string): string[] {
    this.#open += text
    const out: string[] = []
    for (let cut = this.#nextCut(); cut > 0; cut = this.#nextCut()) this.#take(cut, out)
    return out
  }

  /** The rest, at the end of the stream. */
  flush(): string[] {
    const out: string[] = []
    this.#take(this.#open.length, out)
    return out
  }

  #take(cut: number, out: string[]): void {
    const piece = this.#open.slice(0, cut).trim()
    this.#open = this.#open.slice(cut).trimStart()
    if (piece === '') return
    this.#emitted = true
    out.push(piece)
  }

  /** Where the next piece ends, or 0 when that is not known yet. */
  #nextCut(): number {
    const text = this.#open
    const shortest = this.#emitted ? SHORT_SENTENCE_CHARS : 1
    for (let i = 0; i < text.length; i++) {
      const end = this.#sentenceEnd(i)
      if (end < 0) return this.#fallbackCut()
      if (end > 0 && text.slice(0, end).trim().length >= shortest) return end
    }
    return this.#fallbackCut()
  }

  /** Index behind the sentence that ends with the character at `i`; 0 = none ends here, -1 = more text must come. */
  #sentenceEnd(i: number): number {
    const text = this.#open
    const char = text[i] ?? ''
    if (char === '\n') return i + 1
    if (!/[.?!…]/.test(char)) return 0
    let end = i + 1
    while (end < text.length && /[.?!…]/.test(text[end] ?? '')) end++
    while (end < text.length && CLOSERS.test(text[end] ?? '')) end++
    const next = text[end]
    if (next === undefined) return -1
    if (!/\s/.test(next)) return 0
    const after = text.slice(end).trimStart()[0]
    const isEllipsis = char === '…' || text.slice(i, i + 2) === '..'
    if (isEllipsis || /\.\.$/.test(text.slice(0, i + 1))) return sureStart(after, end)
    return char === '.' ? this.#fullStopEnd(text.slice(0, i), after, end) : end
  }

  #fullStopEnd(before: string, after: string | undefined, end: number): number {
    const word =
      normalise(/[\p{L}\p{N}.]+$/u.exec(before)?.[0] ?? '')
        .split(' ')
        .at(-1) ?? ''
    // "1." at the beginning numbers a list; "tengo 3." ends a sentence.
    if (/^\d+$/.test(word)) return before.trim() === word ? 0 : end
    if (/^\p{L}$/u.test(word)) return 0
    if (word === 'etc') return sureStart(after, end)
    // "no." ends a sentence far more often than it abbreviates a number: only "No. 5" does that.
    if (word === 'no' || word === 'num')
      return after === undefined ? -1 : /\d/.test(after) ? 0 : end
    return this.#lists.abbreviations.has(word) ? 0 : end
  }

  #fallbackCut(): number {
    const text = this.#open
    if (!this.#emitted && text.length > FIRST_CLAUSE_CHARS) {
      const clause = /[,;:](?=\s)/g
      clause.lastIndex = FIRST_CLAUSE_CHARS
      const hit = clause.exec(text)
      if (hit) return hit.index + 1
    }
    if (text.length <= LONGEST_CHARS) return 0
    const head = text.slice(0, LONGEST_CHARS)
    const comma = Math.max(head.lastIndexOf(', '), head.lastIndexOf('; '), head.lastIndexOf(': '))
    if (comma > LONGEST_CHARS / 2) return comma + 1
    const space = head.lastIndexOf(' ')
    return space > 0 ? space : LONGEST_CHARS
  }
}

/** `end` when the next character begins a sentence, 0 when it does not, -1 while it is not there. */
function sureStart(next: string | undefined, end: number): number {
  if (next === undefined) return -1
  return /[\p{Lu}¿¡"«“(\d]/u.test(next) ? end : 0
}
