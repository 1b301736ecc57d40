/** What the brain can pick out of a sentence: a name, a phone number, a day and an hour. Nothing is guessed. */
import type { SpeechLanguage } from '../moonshine-package.ts'
import { isBusinessWord } from './business-words.ts'
import { isEnglishTen, tenOf, unitOf } from './numbers.ts'
import { clausesOf, plainWords } from './text-likeness.ts'

/** Behind these a name follows, in capital letters or not. */
const NAME_INTRO =
  /(?:^|[\s,.])(?:(?:yo )?me llamo|mi nombre(?: completo)? es|mi nombre|a nombre de|my name is|my name's|my name)\s+/i
/** Behind these other things may follow ("soy dueño de …"): unless it was asked for only capitals count. */
const WEAK_INTRO = /(?:^|[\s,.])(?:soy|habla|le habla|i am|i'm|this is|it's|it is)\s+/i
const NAME_LEADS = new Set(
  plainWords(
    `si claro pues eh este bueno mire ah ok hola es por supuesto con mucho gusto que yes sure well um uh of course it s
    okay ponga pongale anote a nombre de soy el la mm perdon i am m this my name is me llamo mi buenas tardes dias`,
  ),
)
const NOT_NAMES = new Set(
  plainWords(
    `si no claro bueno por favor gracias hola pues es el la un una con de del mi su y e o que yes please hello the a an and
    my name nombre llamo soy i am im is this it me se ahorita este eh mm dueno duena owner interesado interesada ocupado
    ocupada busy not para servirle servir usted ordenes a en lo le les nada prefiero dar doy tengo tenemos vendo quiero
    puedo estoy son somos hay necesito mejor luego despues todavia aqui ya listo espera espere numero telefono whatsapp
    negocio empresa empleados personas factura facturo facturas cuando donde como cual quien cuanto manana hoy tambien
    pero porque sobre esto eso we have run own what why can sure ok okay well you call to of for here ready not sorry
    phone number at on in want need do don t un uno dos tres cuatro cinco seis siete ocho nueve diez encargado encargada
    gerente manager from just still doing good fine calling looking tu vez perfecto correcto adelante mande dijo`,
  ),
)
const CONNECTIVES = new Set(['de', 'del', 'la', 'las', 'los', 'van', 'von'])
const NAME_MAX_WORDS = 3

/**
 * A name that was said ("me llamo Ana López") or, when it was asked for, a sentence that is one.
 * @returns in title case, at most three words and what joins them; null when there is none
 */
export function nameIn(text: string, { asked }: { asked: boolean }): string | null {
  const strong = behind(NAME_INTRO, text)
  if (strong !== null) return nameAtStart(strong, { capitals: false })
  const weak = behind(WEAK_INTRO, text)
  if (weak !== null) {
    const name = nameAtStart(weak, { capitals: !asked })
    if (name !== null) return name
  }
  if (!asked) return null
  for (const clause of clausesOf(text)) {
    const words = clause.text.split(/\s+/)
    const first = words.findIndex((word) => !NAME_LEADS.has(plainWords(word)[0] ?? ''))
    if (first < 0) continue
    return nameAtStart(words.slice(first).join(' '), { capitals: false })
  }
  return null
}

function behind(intro: RegExp, text: string): string | null {
  const found = intro.exec(text)
  return found === null ? null : text.slice(found.index + found[0].length)
}

function nameAtStart(text: string, { capitals }: { capitals: boolean }): string | null {
  const words: string[] = []
  let joint: string[] = []
  let names = 0
  for (const word of (clausesOf(text)[0]?.text ?? '').split(/\s+/)) {
    const plain = plainWords(word).join('')
    if (names > 0 && CONNECTIVES.has(plain)) {
      joint.push(plain)
      continue
    }
    const isName =
      /^[\p{L}'’-]{2,20}$/u.test(word) && !NOT_NAMES.has(plain) && !isBusinessWord(plain)
    if (!isName || (capitals && !/^\p{Lu}/u.test(word))) break
    words.push(...joint, word[0]!.toUpperCase() + word.slice(1))
    joint = []
    names += 1
    if (names === NAME_MAX_WORDS) break
  }
  return names === 0 ? null : words.join(' ')
}

const PHONE_MIN_DIGITS = 8
const PHONE_MAX_DIGITS = 15
/** Digits said for a phone number, though not enough. */
const PHONE_PART_DIGITS = 4
const TWICE: Record<string, number> = { doble: 2, double: 2, triple: 3 }

/** The digits of a phone number, said as numerals or in words; null when there are not 8 to 15 in a row. */
export function phoneIn(text: string): string | null {
  const run = longestDigits(text)
  return run.length >= PHONE_MIN_DIGITS && run.length <= PHONE_MAX_DIGITS ? run : null
}

/** Whether some digits of a number were said, but too few. */
export function isPartOfPhone(text: string): boolean {
  const length = longestDigits(text).length
  return length >= PHONE_PART_DIGITS && length < PHONE_MIN_DIGITS
}

function longestDigits(text: string): string {
  let longest = ''
  let run = ''
  const words = plainWords(text)
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at]!
    const ten = tenOf(word)
    const times = TWICE[word]
    const nextUnit = unitOf(words[at + 1])
    if (/^\d+$/.test(word)) run += word
    else if (times !== undefined && (nextUnit !== null || /^\d$/.test(words[at + 1] ?? ''))) {
      run += String(nextUnit ?? words[at + 1]).repeat(times)
      at += 1
    } else if (ten !== null) {
      const next = words[at + 1] === 'y' ? at + 2 : at + 1
      const unit = unitOf(words[next])
      const joined =
        unit !== null && unit > 0 && unit < 10 && (next === at + 2 || isEnglishTen(word))
      run += String(joined ? ten + unit : ten)
      if (joined) at = next
    } else if (unitOf(word) !== null) run += String(unitOf(word))
    else if (run.length >= PHONE_MIN_DIGITS) break
    else if (word !== 'y') {
      if (run.length > longest.length) longest = run
      run = ''
    }
  }
  return run.length > longest.length ? run : longest
}

const THIS_NUMBER =
  /\b(?:a este|en este|este mismo|el mismo|este numero|este es|de este|al que (?:me )?(?:llama|marc)\p{L}*|del que (?:le )?(?:llamo|marco)|this (?:same )?(?:number|one)|the same|same number)\b/u

/** "A este mismo": an answer to the question for the number. */
export function isThisNumber(text: string): boolean {
  return THIS_NUMBER.test(plainWords(text).join(' '))
}

const DAY =
  /\b(?:pasado manana|(?:(?:el|este|proximo|para) )*(?:lunes|martes|miercoles|jueves|viernes|sabado|domingo)|hoy(?: mismo)?|manana|la (?:proxima|otra) semana|el \d{1,2} de \p{L}+|day after tomorrow|tomorrow|today|(?:next |this |on )*(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)|next week)(?![\p{L}])/u
const HOUR_WORD =
  'una|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve'
const PART_OF_DAY = '(?:manana|tarde|noche|medio ?dia)'
const HOUR = new RegExp(
  `\\b(?:a las? |at |tipo |como a las? )(?:\\d{1,2}(?:[:.]\\d{2})?|${HOUR_WORD})(?: y media| y cuarto| thirty)?` +
    `(?: (?:de|en|por) la ${PART_OF_DAY}| ?[ap]\\.? ?m\\.?(?![a-z])| in the (?:morning|afternoon|evening)| o'clock)?|` +
    `\\b(?:\\d{1,2}(?::\\d{2})?|${HOUR_WORD}) (?:de|en|por) la ${PART_OF_DAY}|` +
    `\\b\\d{1,2}(?::\\d{2})? ?[ap]\\.? ?m\\.?(?![a-z])|\\b\\d{1,2}:\\d{2}\\b|\\b\\d{1,2} horas\\b|` +
    `\\b(?:por|en) la ${PART_OF_DAY}|\\btemprano\\b|\\bin the (?:morning|afternoon|evening)|\\b(?:al medio ?dia|at noon)`,
  'u',
)
const ACCENTS: [RegExp, string][] = [
  [/\bmanana\b/g, 'mañana'],
  [/\bmiercoles\b/g, 'miércoles'],
  [/\bsabado\b/g, 'sábado'],
  [/\bproximo\b/g, 'próximo'],
  [/\bproxima\b/g, 'próxima'],
  [/\bmedio ?dia\b/g, 'mediodía'],
]

/** Day and hour as they were said ("mañana a las 5 de la tarde"); null when neither was. */
export function timeIn(text: string): string | null {
  const plain = text.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '')
  const hour = HOUR.exec(plain)?.[0]
  const day = DAY.exec(hour === undefined ? plain : plain.replace(hour, ' '))?.[0]
  const parts = [day, hour].filter((part) => part !== undefined).map((part) => part.trim())
  if (parts.length === 0) return null
  return ACCENTS.reduce((time, [bare, accented]) => time.replace(bare, accented), parts.join(' '))
}

const ANY_TIME =
  /\b(?:cuando (?:guste|gusten|quiera|quieran|pueda|puedan|sea)|(?:a )?cualquier (?:hora|dia|momento)|(?:a la|la) hora que (?:sea|guste|quiera)|me da igual|ahorita|ahora mismo|any ?time|any day|whenever|right now)\b/
const OPENING_HOURS = /\b(?:de (?:lunes|martes) a|todos los dias|monday (?:to|through))\b/
const ARRANGES =
  /\b(?:llam[ae]\p{L}*|marq?[uc]\p{L}*|agend\p{L}*|cita|reunion|queda bien|me viene bien|puedo|podria|podemos|call|schedule|appointment|works|available|meet)\b/u

/** A time to talk. Unasked, "facturo los lunes" and opening hours are none. */
export function appointmentIn(
  text: string,
  { asked, language }: { asked: boolean; language: SpeechLanguage },
): string | null {
  const plain = plainWords(text).join(' ')
  if (OPENING_HOURS.test(plain)) return null
  const time = timeIn(text)
  if (time !== null) return asked || ARRANGES.test(plain) ? time : null
  const any = asked ? ANY_TIME.exec(plain) : null
  if (any !== null) return any[0]
  return asked ? bareHour(plain, language) : null
}

/** "Cinco", "las cinco": only when it was asked for. */
function bareHour(plain: string, language: SpeechLanguage): string | null {
  const hour = new RegExp(
    `^(?:(?:si|claro|pues|como|tipo|yes|like|around|about) )*(?:(?:a )?(?:las?) )?(\\d{1,2}|${HOUR_WORD})$`,
  ).exec(plain)?.[1]
  if (hour === undefined) return null
  if (language === 'en') return `at ${hour}`
  return `a ${hour === '1' || hour === 'una' ? 'la' : 'las'} ${hour}`
}

/** A number for the ear: digits in pairs. */
export function spokenPhone(digits: string): string {
  const odd = digits.length % 2 === 0 ? [] : [digits.slice(0, 1)]
  const rest = digits.slice(odd.length)
  return [...odd, ...(rest.match(/\d{2}/g) ?? [])].join(' ')
}
