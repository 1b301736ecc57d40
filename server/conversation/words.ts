/** Words as turn-taking sees them: without case, accents and punctuation. Pure. */
import { wordLists } from './word-lists.ts'

/** "¿Sí, señor?" → "si senor", "I'm" → "im". Letters, digits, @ and + stay; all else becomes one space. */
export function normalise(text: string): string {
  return text
    .normalize('NFD')
    .replace(/[\p{M}'’]+/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}@+]+/gu, ' ')
    .trim()
}

export function wordsOf(text: string): string[] {
  const plain = normalise(text)
  return plain === '' ? [] : plain.split(' ')
}

/** True when two transcripts differ in nothing but case, accents and punctuation. */
export function sameWords(a: string, b: string): boolean {
  return normalise(a) === normalise(b)
}

/** True when one of the stop words (or phrases) is in the text as whole words: "para" is not in "preparado". */
export function hasStopWord(text: string, stopWords: readonly string[]): boolean {
  const padded = ` ${normalise(text)} `
  return stopWords.some((stop) => {
    const word = normalise(stop)
    return word !== '' && padded.includes(` ${word} `)
  })
}

/** A backchannel is at most four words, all of which only say "I am listening". */
export function isBackchannel(text: string, language: string): boolean {
  const lists = wordLists(language)
  const words = wordsOf(text)
  if (words.length === 0 || words.length > 4) return false
  if (lists.backchannelPhrases.has(words.join(' '))) return true
  return words.every((word) => lists.backchannels.has(word))
}

/**
 * True when the text is the agent's own words coming back over the line: at least three words that stand in the
 * agent's speech in the same order. Fewer could be a user who repeats a word in order to ask about it.
 */
export function isEchoOf(text: string, agentSpeech: string): boolean {
  const words = wordsOf(text)
  if (words.length < 3) return false
  return ` ${normalise(agentSpeech)} `.includes(` ${words.join(' ')} `)
}

/** Joins pieces with one space, skipping empty ones. */
export function joinText(...pieces: string[]): string {
  return pieces
    .filter((piece) => piece.trim() !== '')
    .join(' ')
    .trim()
}
