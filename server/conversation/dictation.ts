/** Dictation: is a number or an e-mail address being dictated, and is all of it there? Pure. */
import type { WordLists } from './word-lists.ts'

/** Digits of a national phone number in Mexico, the US and most of Latin America: when they are all there, it is said. */
const PHONE_DIGITS = 10

const DICTATING = 0.15
/** A folio or an account of some groups: it may be whole or not. */
const MAYBE_NUMBER = 0.5
const MAYBE_NUMBER_DIGITS = 5
/** "El martes a las diez". */
const WHOLE_TIME = 0.8
const WHOLE_NUMBER = 0.85
const WHOLE_ADDRESS = 0.85
/** "Es claudia punto": a dot inside a name is the beginning of an address. */
const MAYBE_ADDRESS = 0.25

/** Completeness 0…1 of a number or an e-mail being dictated; null when neither is. */
export function dictation(words: readonly string[], lists: WordLists): number | null {
  return address(words, lists) ?? number(words, lists)
}

function address(words: readonly string[], lists: WordLists): number | null {
  const at = words.findLastIndex((word) => lists.emailWords.has(word) || word.includes('@'))
  if (at >= 0 && isEmail(words, at)) {
    const tail = ` ${words.slice(at).join(' ').replace(/@/g, ' ')}`
    return lists.emailEndings.some((ending) => tail.endsWith(` ${ending}`))
      ? WHOLE_ADDRESS
      : DICTATING
  }
  // "Mi correo es juan" and "juan dot ramsey": the "@" is still to come.
  const isNamed = words.some((word) => lists.addressWords.has(word)) && words.length <= 8
  const dot = words.indexOf(lists.dot)
  if (dot > 0 && words.length <= 8) return MAYBE_ADDRESS
  return isNamed && lists.leadVerbs.has(words.at(-2) ?? '') ? DICTATING : null
}

function number(words: readonly string[], lists: WordLists): number | null {
  const { digits, numbers } = trailingNumbers(words, lists)
  if (numbers === 0) return null
  const expected = expectedDigits(words, lists)
  if (digits >= (expected ?? PHONE_DIGITS)) return WHOLE_NUMBER
  if (expected !== null && numbers > 0) return DICTATING
  // One number is an answer ("tres", "el 5 de mayo de 2026"); a run of them, or three digits, begins a longer one.
  const isYear = /^(19|20)\d\d$/.test(words.at(-1) ?? '')
  if (numbers === 1 && (digits <= 2 || isYear)) {
    return lists.timeWords.has(words.at(-2) ?? '') && words.length > 2 ? WHOLE_TIME : null
  }
  const isCounted = words.some((word) => lists.countedThings.has(word))
  if (isCounted && digits >= MAYBE_NUMBER_DIGITS) return MAYBE_NUMBER
  return DICTATING
}

/** How long the number is that was announced: "mi código postal es…"; null when none was. */
function expectedDigits(words: readonly string[], lists: WordLists): number | null {
  const text = ` ${words.join(' ')} `
  for (const [phrase, digits] of lists.numberLengths) {
    if (text.includes(` ${phrase} `)) return digits
  }
  return null
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

/** "arroba" and "@" are always an address; the English "at" is one only after the word e-mail or with a "dot". */
function isEmail(words: readonly string[], at: number): boolean {
  const word = words[at] ?? ''
  if (word !== 'at') return true
  return words.includes('dot') || words.slice(0, at).some((w) => w === 'email' || w === 'mail')
}
