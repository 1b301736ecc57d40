/** Numbers as people say them, in Spanish and English: numerals, words, and words as a recogniser misspells them. */

const UNIT_WORDS: [string, number][] = [
  ...listed('cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce', 0),
  ...listed('quince dieciseis diecisiete dieciocho diecinueve veinte veintiuno veintidos', 15),
  ...listed(
    'veintitres veinticuatro veinticinco veintiseis veintisiete veintiocho veintinueve',
    23,
  ),
  ...listed('zero one two three four five six seven eight nine ten eleven twelve thirteen', 0),
  ...listed('fourteen fifteen sixteen seventeen eighteen nineteen', 14),
  ['un', 1],
  ['una', 1],
  ['oh', 0],
]
const TEN_WORDS: [string, number][] = [
  ...listed('treinta cuarenta cincuenta sesenta setenta ochenta noventa', 30, 10),
  ...listed('twenty thirty forty fifty sixty seventy eighty ninety', 20, 10),
]
const HUNDRED_WORDS: [string, number][] = [
  ['cien', 100],
  ['ciento', 100],
  ...listed('doscientos trescientos cuatrocientos quinientos', 200, 100),
]

function listed(words: string, from: number, step = 1): [string, number][] {
  return words.split(' ').map((word, index) => [word, from + index * step])
}

/** Letters that sound alike in Mexico become one: "dose" is "doce", "beinte" is "veinte". */
function soundOf(word: string): string {
  return word
    .replace(/z/g, 's')
    .replace(/c(?=[ei])/g, 's')
    .replace(/qu(?=[ei])/g, 'k')
    .replace(/v/g, 'b')
    .replace(/^h/, '')
}

function bySound(words: [string, number][]): ReadonlyMap<string, number> {
  return new Map(words.map(([word, value]) => [soundOf(word), value]))
}

const UNITS = bySound(UNIT_WORDS)
const TENS = bySound(TEN_WORDS)
const HUNDREDS = bySound(HUNDRED_WORDS)
const ENGLISH_TENS = new Set(TEN_WORDS.map(([word]) => word).filter((word) => word.endsWith('ty')))

/** Value of one word of plain text (see plainWords) below 30, else null. */
export function unitOf(word: string | undefined): number | null {
  return word === undefined ? null : (UNITS.get(soundOf(word)) ?? null)
}

/** Value of a word for 20 (English only), 30 … 90; else null. */
export function tenOf(word: string | undefined): number | null {
  return word === undefined ? null : (TENS.get(soundOf(word)) ?? null)
}

export function isEnglishTen(word: string): boolean {
  return ENGLISH_TENS.has(word)
}

export interface SpokenNumber {
  value: number
  /** Index of its first word, and of the word after its last. */
  from: number
  to: number
}

/** All numbers up to 99 999 among plain words. "un" and "una" count as 1: the caller knows whether they are articles. */
export function numbersIn(words: readonly string[]): SpokenNumber[] {
  const found: SpokenNumber[] = []
  for (let at = 0; at < words.length;) {
    const number = numberAt(words, at)
    if (number !== null) found.push(number)
    at = number?.to ?? at + 1
  }
  return found
}

function numberAt(words: readonly string[], from: number): SpokenNumber | null {
  const first = words[from]!
  if (/^\d+$/.test(first)) {
    return first.length > 5 ? null : { value: Number(first), from, to: from + 1 }
  }
  let at = from
  let value = 0
  const hundred = hundredAt(words, at)
  if (hundred !== null) {
    value = hundred.value
    at = hundred.to
    if (words[at] === 'and') at += belowHundredAt(words, at + 1) === null ? 0 : 1
  }
  const rest = belowHundredAt(words, at)
  if (rest !== null) {
    value += rest.value
    at = rest.to
  }
  return at === from ? null : { value, from, to: at }
}

function hundredAt(words: readonly string[], at: number): { value: number; to: number } | null {
  const spanish = HUNDREDS.get(soundOf(words[at]!))
  if (spanish !== undefined) return { value: spanish, to: at + 1 }
  if (words[at + 1] !== 'hundred') return null
  const times = words[at] === 'a' ? 1 : unitOf(words[at])
  return times === null ? null : { value: times * 100, to: at + 2 }
}

function belowHundredAt(
  words: readonly string[],
  at: number,
): { value: number; to: number } | null {
  const ten = tenOf(words[at])
  if (ten === null) {
    const unit = unitOf(words[at])
    return unit === null ? null : { value: unit, to: at + 1 }
  }
  const next = words[at + 1] === 'y' ? at + 2 : at + 1
  const unit = unitOf(words[next])
  const joined = unit !== null && unit > 0 && unit < 10
  return joined ? { value: ten + unit, to: next + 1 } : { value: ten, to: at + 1 }
}
