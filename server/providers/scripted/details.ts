/** What the brain can pick out of a sentence: a name, a phone number, a day and an hour. Nothing is guessed. */
import { plainWords } from './text-likeness.ts'

const NAME_INTRO =
  /(?:^|[\s,.])(?:me llamo|mi nombre es|mi nombre|soy|a nombre de|my name is|my name's|i am|i'm|this is|it's)\s+/i
const NOT_NAMES = new Set(
  (
    'si no claro bueno por favor gracias hola pues es el la un una con de del mi su y que yes please hello ' +
    'the a an and my name nombre llamo soy i am im is this it me se ahorita este eh mm dueno owner ' +
    'interesado interesada ocupado ocupada busy not'
  ).split(' '),
)

/**
 * A name that was said ("me llamo Ana López") or, when it was asked for, a sentence that is one.
 * @returns in title case, at most three words; null when there is none
 */
export function nameIn(text: string, { asked }: { asked: boolean }): string | null {
  const intro = NAME_INTRO.exec(text)
  // "Soy dueño de …" is not a name: without being asked only capital letters count.
  const said = intro === null ? (asked ? text : '') : text.slice(intro.index + intro[0].length)
  const words: string[] = []
  for (const word of said
    .replace(/[.,;:!¡¿?"]/g, ' ')
    .split(/\s+/)
    .filter(Boolean)) {
    const plain = plainWords(word).join('')
    const isName = /^[\p{L}'’-]{2,20}$/u.test(word) && !NOT_NAMES.has(plain)
    const capital = /^\p{Lu}/u.test(word)
    if (isName && (asked || capital)) words.push(word)
    else if (words.length > 0 && !['de', 'del', 'la'].includes(plain)) break
    if (words.length === 3) break
  }
  if (words.length === 0) return null
  return words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join(' ')
}

const UNITS: Record<string, number> = {
  cero: 0,
  uno: 1,
  una: 1,
  un: 1,
  dos: 2,
  tres: 3,
  cuatro: 4,
  cinco: 5,
  seis: 6,
  siete: 7,
  ocho: 8,
  nueve: 9,
  diez: 10,
  once: 11,
  doce: 12,
  trece: 13,
  catorce: 14,
  quince: 15,
  dieciseis: 16,
  diecisiete: 17,
  dieciocho: 18,
  diecinueve: 19,
  veinte: 20,
  veintiuno: 21,
  veintidos: 22,
  veintitres: 23,
  veinticuatro: 24,
  veinticinco: 25,
  veintiseis: 26,
  veintisiete: 27,
  veintiocho: 28,
  veintinueve: 29,
  zero: 0,
  oh: 0,
  one: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
  eleven: 11,
  twelve: 12,
  thirteen: 13,
  fourteen: 14,
  fifteen: 15,
  sixteen: 16,
  seventeen: 17,
  eighteen: 18,
  nineteen: 19,
}
const TENS: Record<string, number> = {
  treinta: 30,
  cuarenta: 40,
  cincuenta: 50,
  sesenta: 60,
  setenta: 70,
  ochenta: 80,
  noventa: 90,
  twenty: 20,
  thirty: 30,
  forty: 40,
  fifty: 50,
  sixty: 60,
  seventy: 70,
  eighty: 80,
  ninety: 90,
}
const PHONE_MIN_DIGITS = 8
const PHONE_MAX_DIGITS = 15

/** The digits of a phone number, said as numerals or in words; null when there are not 8 to 15 in a row. */
export function phoneIn(text: string): string | null {
  let run = ''
  const words = plainWords(text)
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at]!
    const tens = TENS[word]
    if (/^\d+$/.test(word)) run += word
    else if (tens !== undefined) {
      const next = words[at + 1] === 'y' ? at + 2 : at + 1
      const unit = UNITS[words[next] ?? '']
      const joined =
        unit !== undefined &&
        unit > 0 &&
        unit < 10 &&
        (next === at + 2 || (tens < 100 && isEnglish(word)))
      run += String(joined ? tens + unit : tens)
      if (joined) at = next
    } else if (UNITS[word] !== undefined) run += String(UNITS[word])
    else if (run.length >= PHONE_MIN_DIGITS) break
    else if (word !== 'y') run = ''
  }
  return run.length >= PHONE_MIN_DIGITS && run.length <= PHONE_MAX_DIGITS ? run : null
}

function isEnglish(tens: string): boolean {
  return tens.endsWith('ty')
}

const DAY =
  /\b(?:pasado mañana|(?:el |este |próximo )*(?:lunes|martes|miércoles|miercoles|jueves|viernes|sábado|sabado|domingo)|hoy|mañana(?! ?(?:por|en) la)|day after tomorrow|tomorrow|today|(?:next |this |on )*(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday))(?![\p{L}])/iu
const HOUR_WORD =
  'una|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve'
const HOUR = new RegExp(
  `(?:\\ba las? |\\bat |\\btipo |\\bcomo a las? )(?:\\d{1,2}(?:[:.]\\d{2})?|${HOUR_WORD})(?: y media| y cuarto| thirty)?` +
    `(?: (?:de|en|por) la (?:mañana|tarde|noche)| ?[ap]\\.?m\\.?| in the (?:morning|afternoon|evening)| o'clock)?|` +
    `\\b\\d{1,2}(?::\\d{2})? ?[ap]\\.?m\\.?|\\bpor la (?:mañana|tarde|noche)|\\bin the (?:morning|afternoon|evening)|\\b(?:al mediodía|at noon)`,
  'iu',
)

/** Day and hour as they were said ("mañana a las 5 de la tarde"); null when neither was. */
export function timeIn(text: string): string | null {
  const hour = HOUR.exec(text)?.[0]
  const withoutHour = hour === undefined ? text : text.replace(hour, ' ')
  const day = DAY.exec(withoutHour)?.[0]
  const parts = [day, hour].filter((part) => part !== undefined).map((part) => part.trim())
  return parts.length === 0 ? null : parts.join(' ').toLowerCase()
}

/** A number for the ear: digits in pairs. */
export function spokenPhone(digits: string): string {
  const odd = digits.length % 2 === 0 ? [] : [digits.slice(0, 1)]
  const rest = digits.slice(odd.length)
  return [...odd, ...(rest.match(/\d{2}/g) ?? [])].join(' ')
}
