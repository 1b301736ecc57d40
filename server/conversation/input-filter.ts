/** Input filter: what a recogniser wrote and nobody said, or that is too little to be a turn. Pure. */
import { wordLists } from './word-lists.ts'
import { normalise, wordsOf } from './words.ts'

export interface InputFilterSettings {
  language: string
  inputMinCharacters: number
  hallucinationBlacklist: readonly string[]
}

/** Why `text` is no turn, or null when it is one. Short answers ("sí", "no", a number) always are. */
export function rejection(
  text: string,
  settings: InputFilterSettings,
): 'blacklist' | 'tooShort' | null {
  const plain = normalise(text)
  if (plain === '') return 'tooShort'
  if (settings.hallucinationBlacklist.some((phrase) => normalise(phrase) === plain))
    return 'blacklist'
  const lists = wordLists(settings.language)
  const isAnswer = wordsOf(text).some(
    (word) => lists.shortAnswers.has(word) || lists.numbers.has(word) || /\d/.test(word),
  )
  return !isAnswer && text.trim().length < settings.inputMinCharacters ? 'tooShort' : null
}
