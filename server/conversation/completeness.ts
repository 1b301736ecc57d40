/**
 * Completeness: how likely it is, from the words alone, that somebody who has just paused has finished.
 *
 * Recognisers close every final with a full stop, also "Quiero ir a.", so words count before punctuation does.
 * Pure; 0 means certainly goes on, 1 certainly done, 0.5 no idea.
 */
import { wordLists, type WordLists } from './word-lists.ts'
import { wordsOf } from './words.ts'

/** Digits of a national phone number in Mexico, the US and most of Latin America: when they are all there, it is said. */
const PHONE_DIGITS = 10

const GOES_ON = 0.1
const DICTATING = 0.15
const UNKNOWN = 0.5

/** The probability 0…1 that the turn `text` is complete. */
export function completeness(text: string, language: string): number {
  const lists = wordLists(language)
  const words = wordsOf(text)
  const last = words.at(-1)
  if (last === undefined) return UNKNOWN
  const trimmed = text.trim()
  if (/(\.\.\.|…|,|-|:)$/.test(trimmed)) return GOES_ON
  const isQuestion = trimmed.endsWith('?')
  const dictation = dictationCompleteness(words, lists)
  if (dictation !== null) return dictation
  if (isShortAnswer(words, lists)) return 0.9
  if (endsWithFiller(words, lists)) return GOES_ON
  // "¿Y usted qué es?" does end on an open word: a question mark outweighs it, a full stop does not.
  if (isOpen(trimmed, words, lists)) return isQuestion ? 0.8 : GOES_ON
  if (isQuestion) return 0.95
  if (/[.!]["'»”)]*$/.test(trimmed)) return 0.85
  return words.length >= 3 ? 0.6 : UNKNOWN
}

function endsWithFiller(words: readonly string[], lists: WordLists): boolean {
  const last = words.at(-1) ?? ''
  if (lists.fillers.has(last)) return true
  const text = words.join(' ')
  return lists.fillerPhrases.some((phrase) => text === phrase || text.endsWith(` ${phrase}`))
}

function isShortAnswer(words: readonly string[], lists: WordLists): boolean {
  if (lists.backchannelPhrases.has(words.join(' '))) return true
  return words.length <= 3 && words.every((word) => lists.shortAnswers.has(word))
}

function isOpen(text: string, words: readonly string[], lists: WordLists): boolean {
  const last = words.at(-1) ?? ''
  if (lists.leadVerbs.has(last)) return !words.some((word) => lists.yesNo.has(word))
  // "con él", "y tú", "yo también": the accent tells the pronoun from the article, so accented words close a turn.
  const written = /[\p{L}\p{M}]+(?=\P{L}*$)/u.exec(text)?.[0]?.toLowerCase()
  if (endsOnNegatedVerb(words, lists)) return true
  return lists.open.has(last) && (written === undefined || written === last)
}

/** "I am not" wants its object, "No, I am not" and "of course not" do not. */
function endsOnNegatedVerb(words: readonly string[], lists: WordLists): boolean {
  if (!lists.negations.has(words.at(-1) ?? '')) return false
  const verb = words.at(-2) ?? ''
  const isVerb = lists.leadVerbs.has(verb) || lists.contractedVerbs.has(verb)
  return isVerb && !lists.yesNo.has(words[0] ?? '')
}

/** Completeness of a number or an e-mail being dictated; null when neither is. */
function dictationCompleteness(words: readonly string[], lists: WordLists): number | null {
  const at = words.findLastIndex((word) => lists.emailWords.has(word) || word.includes('@'))
  if (at >= 0 && isEmail(words, at)) {
    const tail = ` ${words.slice(at).join(' ').replace(/@/g, ' ')}`
    return lists.emailEndings.some((ending) => tail.endsWith(` ${ending}`)) ? 0.85 : DICTATING
  }
  const { digits, numbers } = trailingNumbers(words, lists)
  if (numbers === 0) return null
  if (digits >= PHONE_DIGITS) return 0.8
  // One number is an answer ("tres", "el 5 de mayo de 2026"); a run of them, or three digits, begins a longer one.
  const isYear = /^(19|20)\d\d$/.test(words.at(-1) ?? '')
  if (numbers === 1 && (digits <= 2 || isYear)) return null
  return DICTATING
}

/** The run of numbers at the end: "cincuenta y cinco dos" is two numbers of three digits. */
function trailingNumbers(
  words: readonly string[],
  lists: WordLists,
): { digits: number; numbers: number } {
  let digits = 0
  let numbers = 0
  for (let i = words.length - 1; i >= 0; i--) {
    const word = words[i] ?? ''
    const count = /^\+?\d+$/.test(word) ? word.replace('+', '').length : lists.numbers.get(word)
    if (count !== undefined) {
      digits += count
      numbers += 1
    } else if (
      word === lists.numberJoiner &&
      numbers > 0 &&
      lists.numbers.get(words[i - 1] ?? '') === 2
    ) {
      // The tens hold the place of the unit that follows them.
      digits -= 1
      numbers -= 1
    } else break
  }
  return { digits, numbers }
}

/** "arroba" and "@" are always an address; the English "at" is one only after the word e-mail or before "dot". */
function isEmail(words: readonly string[], at: number): boolean {
  const word = words[at] ?? ''
  if (word !== 'at') return true
  const spoken = words.slice(at + 1)
  return spoken.includes('dot') || words.slice(0, at).some((w) => w === 'email' || w === 'mail')
}
