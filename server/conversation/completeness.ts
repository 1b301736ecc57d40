/**
 * Completeness: how likely it is, from the words alone, that somebody who has just paused has finished.
 *
 * Recognisers close every final with a full stop, also "Quiero ir a.", and their partials have no punctuation at all, so
 * words count before punctuation does. What is looked at, in this order: a number or address being dictated, a short
 * answer, a filler, a word after which nothing can end, a question, words that close a turn, else a plain statement.
 * Pure; 0 means certainly goes on, 1 certainly done, 0.5 no idea.
 */
import { dictation } from './dictation.ts'
import { wordLists, type WordLists } from './word-lists.ts'
import { wordsOf } from './words.ts'

const GOES_ON = 0.1
const UNKNOWN = 0.5
const QUESTION = 0.95
/** Closed questions and closing words need no full stop to be believed. */
const CLOSED = 0.9
/** With a full stop, which only a final has. */
const STATEMENT_STOPPED = 0.85

/** A statement whose last word can end it: the more has been said, the likelier it is whole. */
const STATEMENT = { words: 3, least: 0.52, perWord: 0.04, perClause: 0.08, most: 0.82 }

/** The probability 0…1 that the turn `text` is complete. */
export function completeness(text: string, language: string): number {
  const lists = wordLists(language)
  const words = wordsOf(text)
  const last = words.at(-1)
  if (last === undefined) return UNKNOWN
  const trimmed = text.trim()
  if (/(\.\.\.|…|,|-|:)$/.test(trimmed)) return GOES_ON
  const isQuestion = trimmed.endsWith('?')
  const dictated = dictation(words, lists)
  if (dictated !== null) return dictated
  if (isShortAnswer(words, lists)) return CLOSED
  if (endsWithFiller(words, lists)) return GOES_ON
  // "¿Y usted qué es?" does end on an open word: a question mark outweighs it, a full stop does not.
  if (isOpen(trimmed, words, lists)) return isQuestion ? 0.8 : GOES_ON
  if (isQuestion) return QUESTION
  if (endsWithPhrase(words, lists.closingPhrases)) return CLOSED
  if (words.length >= 3 && lists.questionWords.has(words[0] ?? '')) return CLOSED
  if (/[.!]["'»”)]*$/.test(trimmed)) return STATEMENT_STOPPED
  return statement(words, lists)
}

/** "Quiero cambiar la cita" could go on; "quiero cambiar la cita porque salgo de viaje" has said why. */
function statement(words: readonly string[], lists: WordLists): number {
  const { words: fewest, least, perWord, perClause, most } = STATEMENT
  if (words.length < fewest) return UNKNOWN
  const joins = words.slice(1, -2).filter((word) => lists.clauseWords.has(word)).length
  const score = least + perWord * (words.length - fewest) + perClause * Math.min(joins, 1)
  return Math.min(most, score)
}

function endsWithPhrase(words: readonly string[], phrases: readonly string[]): boolean {
  const text = words.join(' ')
  return phrases.some((phrase) => text === phrase || text.endsWith(` ${phrase}`))
}

function endsWithFiller(words: readonly string[], lists: WordLists): boolean {
  return lists.fillers.has(words.at(-1) ?? '') || endsWithPhrase(words, lists.fillerPhrases)
}

function isShortAnswer(words: readonly string[], lists: WordLists): boolean {
  if (lists.backchannelPhrases.has(words.join(' '))) return true
  return words.length <= 3 && words.every((word) => lists.shortAnswers.has(word))
}

function isOpen(text: string, words: readonly string[], lists: WordLists): boolean {
  const last = words.at(-1) ?? ''
  if (endsWithPhrase(words, lists.openPhrases)) return true
  if (lists.leadVerbs.has(last)) {
    const isAsked = lists.questionWords.has(words[0] ?? '')
    return !isAsked && !words.some((word) => lists.yesNo.has(word))
  }
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
