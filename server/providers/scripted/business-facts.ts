/**
 * What the user tells about the business: its line, whether it issues invoices, how many people work there.
 *
 * A sentence may tell any of them at any time ("tengo un restaurante con 12 empleados"). Unasked, only clear words count;
 * when it was asked for, a bare "zapatos" or "doce" does. The surprising part is what must not count: "claro que sí,
 * tengo un momento" is an answer to an earlier question, and "¿ustedes facturan?" is a question.
 */
import type { SpeechLanguage } from '../moonshine-package.ts'
import { isBusinessWord, isGenericBusiness, isProfession, isStaffWord } from './business-words.ts'
import { phoneIn } from './details.ts'
import { isAboutCall, isFiller } from './intents.ts'
import type { Intent } from './intents.ts'
import { numbersIn } from './numbers.ts'
import { clausesOf, originalWords, plainWords } from './text-likeness.ts'

export interface Business {
  /** "un restaurante en Guadalajara", "vende zapatos": fit to be said back; null when it is better not repeated. */
  echo: string | null
}

interface Asking {
  asked: boolean
  intent: Intent
  language: SpeechLanguage
}

const HAVE = new Set(
  plainWords(
    `tengo tenemos manejo manejamos administro atiendo llevo abri abrimos puse pusimos duena dueno duenos
    propietario propietaria have own run manage operate owner opened started`,
  ),
)
const BE = new Set(plainWords('soy somos es son trabajo trabajamos am are is re m s work in at'))
/** "Vendo" → "vende": said back to the user. */
const SELL: Record<SpeechLanguage, Record<string, string>> = {
  es: {
    vendo: 'vende',
    vendemos: 'venden',
    bendo: 'vende',
    fabrico: 'fabrica',
    fabricamos: 'fabrican',
    distribuyo: 'distribuye',
    distribuimos: 'distribuyen',
    reparo: 'repara',
    reparamos: 'reparan',
    rento: 'renta',
    rentamos: 'rentan',
    ofrezco: 'ofrece',
    ofrecemos: 'ofrecen',
  },
  en: { sell: 'you sell', make: 'you make', repair: 'you repair', rent: 'you rent' },
}
const DEDICATED = /\b(?:me dedico|nos dedicamos|se dedica) al? /
const NAMED = /\b(?:negocio|negosio|giro|ramo|business) (?:es|son|is) (de |del |un negocio de )?/
const DETERMINERS = new Set(
  plainWords(
    'un una unos unas mi mis nuestro nuestra el la los las de del a an the my our dos tres two',
  ),
)
const PHRASE_ENDS = new Set(
  plainWords(
    `y e con que donde pero porque desde hace aunque cuando aqui pues gracias ahorita somos tengo tenemos emito facturo
    emitimos facturamos and with that but since where we i who because here`,
  ),
)
const TRAILING = new Set(
  plainWords('de del en con para por a al of in for as un una mi la el los las the my'),
)
const NOT_A_BUSINESS =
  /^(?:moment|minut|tiempo|rat[oi]|dud|pregunt|problem|pris|junt|reunion|cit|segund|interes|necesidad|fac?k?tur|invoice|ano|hijo|much|ocupad|quien|aqui|bien|buen|time|question|meeting|doubt|busy|here|fine|good|interested|correct|eso|verdad)/
const PHRASE_MAX_WORDS = 6
const BARE_MAX_WORDS = 4

/** The line of business; null when nothing was said about it. */
export function businessIn(text: string, { asked, intent, language }: Asking): Business | null {
  for (const clause of clausesOf(text)) {
    if (clause.isQuestion || isAboutCall(clause.text)) continue
    const found = statedBusiness(clause.text, { asked, language })
    if (found !== null) return found
  }
  if (!['statement', 'yes', 'no'].includes(intent)) return null
  for (const clause of clausesOf(text)) {
    if (clause.isQuestion || isAboutCall(clause.text)) continue
    const found = bareBusiness(clause.text, { asked, intent, language })
    if (found !== null) return found
  }
  return null
}

function statedBusiness(
  clause: string,
  { asked, language }: { asked: boolean; language: SpeechLanguage },
): Business | null {
  const words = plainWords(clause)
  const originals = originalWords(clause)
  const plain = words.join(' ')
  const dedicated = DEDICATED.exec(plain)
  if (dedicated !== null) {
    const from = wordsBefore(plain, dedicated) - 1
    return { echo: `se dedica ${phraseFrom(originals, from).join(' ')}` }
  }
  const named = NAMED.exec(plain)
  if (named !== null) {
    const phrase = phraseFrom(originals, wordsBefore(plain, named))
    return echoOf(named[1] === undefined ? phrase : ['un', 'negocio', 'de', ...phrase])
  }
  for (const [at, word] of words.entries()) {
    const sells = SELL[language][word]
    if (sells !== undefined && (language === 'es' || ['i', 'we'].includes(words[at - 1] ?? ''))) {
      const goods = phraseFrom(originals, at + 1)
      if (goods.length > 0 && !NOT_A_BUSINESS.test(plainWords(goods[0]!)[0] ?? '')) {
        return { echo: `${sells} ${goods.join(' ')}` }
      }
    }
    if (!HAVE.has(word) && !BE.has(word)) continue
    const phrase = phraseFrom(
      originals,
      at + (words[at + 1] === 'de' || words[at + 1] === 'of' ? 2 : 1),
    )
    if (isBusiness(phrase, { have: HAVE.has(word), asked })) return echoOf(phrase)
  }
  return null
}

function wordsBefore(plain: string, match: RegExpExecArray): number {
  return plain
    .slice(0, match.index + match[0].length)
    .trim()
    .split(' ').length
}

/** The noun phrase at `from`: up to a conjunction, a number of people or six words. */
function phraseFrom(originals: readonly string[], from: number): string[] {
  const words = originals.map((word) => plainWords(word)[0] ?? '')
  let to = from
  while (to < words.length && to - from < PHRASE_MAX_WORDS && !PHRASE_ENDS.has(words[to]!)) {
    if (to > from && /^\d/.test(words[to]!)) break
    const people = numbersIn(words.slice(to, to + 4)).find((number) => number.from === 0)
    if (people !== undefined && isStaffWord(words[to + people.to] ?? '')) break
    to += 1
  }
  while (to > from && TRAILING.has(words[to - 1]!)) to -= 1
  return originals.slice(from, to)
}

function isBusiness(
  phrase: readonly string[],
  { have, asked }: { have: boolean; asked: boolean },
): boolean {
  const words = plainWords(phrase.join(' '))
  const at = words.findIndex((word) => !DETERMINERS.has(word))
  if (at < 0 || NOT_A_BUSINESS.test(words[at]!) || isStaffWord(words[at]!)) return false
  const named = words.slice(at, at + 3)
  if (named.some(isBusinessWord)) return have || at > 0 || asked || named.some(isProfession)
  if (isGenericBusiness(words[at]!)) return /^(?:de|del|que|of|for)$/.test(words[at + 1] ?? '')
  return asked && have && at > 0
}

/** "Zapatos.", "pues de ropa" when it was asked for, "una ferretería" at any time; behind a yes only a known word. */
function bareBusiness(clause: string, { asked, intent, language }: Asking): Business | null {
  if (employeesIn(clause, { asked: false, intent, language }) !== null) return null
  if (invoicesIn(clause, { asked: false, intent, language }) !== null) return null
  const originals = originalWords(clause)
  const first = originals.findIndex((word) => !isFiller(plainWords(word)[0] ?? ''))
  if (first < 0) return null
  const phrase = phraseFrom(originals, first)
  const words = plainWords(phrase.join(' '))
  const content = words.find((word) => !DETERMINERS.has(word) && !isFiller(word))
  if (content === undefined || content.length < 3 || NOT_A_BUSINESS.test(content)) return null
  if (isGenericBusiness(content) && words.length < 3) return null
  if (SOME_INVOICES.test(words.join(' '))) return null
  const known = words.some(isBusinessWord)
  if (!asked && !(known && /^(?:una?|an?)$/.test(words[0]!))) return null
  if (intent !== 'statement' && !known) return null
  return known && words.length <= BARE_MAX_WORDS ? echoOf(phrase) : { echo: null }
}

/** "mi restaurante" → "su restaurante". */
function echoOf(phrase: readonly string[]): Business {
  const said = phrase.join(' ')
  if (said === '') return { echo: null }
  const yours = said
    .replace(/^mi\b/i, 'su')
    .replace(/^nuestr([oa])\b/i, 'su')
    .replace(/^(?:my|our)\b/i, 'your')
  return { echo: yours[0]!.toLowerCase() + yours.slice(1) }
}

const INVOICE_WORD = /^(?:fac?[kt]+ur|fatur|invoic)/
/** "Facturan", "me facturan": what others do. */
const OTHERS_INVOICE = /^fa\p{L}*ur(?:an|en)$/u
const NOT = new Set(plainWords('no nunca tampoco sin ni don doesn t not never without'))
const INDEED = new Set(plainWords('si tambien siempre ya yes do'))
const INVOICE_LOOKS_BACK_WORDS = 4
const SOME_INVOICES =
  /\b(?:todos los dias|a veces|algunas?|siempre|cada (?:mes|dia|semana)|de vez en cuando|cuando me (?:la |las )?piden|diario|todo|en ocasiones|sometimes|every (?:day|month|week)|always|usually|often)\b/
const HARDLY = /\b(?:casi no|casi nunca|todavia no|aun no|rara vez|not yet|hardly|rarely)\b/

/** Whether the business issues invoices; null when nothing was said about it. */
export function invoicesIn(text: string, { asked, intent }: Asking): boolean | null {
  let found: boolean | null = null
  for (const { text: clause, isQuestion } of clausesOf(text)) {
    if (isQuestion) continue
    const words = plainWords(clause)
    const at = words.findIndex((word) => INVOICE_WORD.test(word) && !OTHERS_INVOICE.test(word))
    if (at < 0) continue
    const before = words.slice(Math.max(0, at - INVOICE_LOOKS_BACK_WORDS), at)
    const polarity = before.findLast((word) => NOT.has(word) || INDEED.has(word))
    found = polarity === undefined || INDEED.has(polarity)
    // "don't" is two plain words: "do" and what makes it a no.
    if (before.includes('don') || before.includes('not')) found = false
  }
  if (found !== null || !asked || isAboutCall(text)) return found
  const plain = plainWords(text).join(' ')
  if (HARDLY.test(plain)) return false
  if (intent === 'yes') return true
  if (intent === 'no') return false
  return intent === 'statement' && SOME_INVOICES.test(plain) ? true : null
}

const ALONE =
  /\b(?:(?:solo|solamente|nada mas|nomas|unicamente) yo|yo (?:solo|sola|solito|solita|nada mas|nomas|mero)|(?:trabajo|estoy) (?:solo|sola)|(?:no tengo|sin|ningun) empleados?|(?:just|only) me|by myself|on my own|no employees)\b/
const TWO =
  /\b(?:mi (?:espos[oa]|herman[oa]|hij[oa]|soci[oa]|mama|papa|pareja|mujer|marido) y yo|my \p{L}+ and (?:me|i)|me and my \p{L}+|un par|a couple)\b/u
const DOZEN = /\b(media docena|half a dozen)\b|\b(?:docena|dozen)\b/
const SOME_PEOPLE =
  /\b(?:much[oa]s|bastantes|vari[oa]s|poc[oa]s|unos cuantos|unas cuantas|many|several|a few|a lot)\b/
const NOT_PEOPLE =
  /^(?:anos?|mes(?:es)?|dias?|horas?|pesos|por|sucursal|locales|minutos?|momento|negocios?|empresas?|socios?|years?|months?|days?|hours?|locations?|percent|stores?|shops?)/
const EMPLOYEES_MAX = 20_000

export interface Employees {
  /** The user included; null when it was said without a number ("varios"). */
  count: number | null
}

/** How many people work there; null when nothing was said about it. */
export function employeesIn(text: string, { asked, intent, language }: Asking): Employees | null {
  const words = plainWords(text)
  const plain = words.join(' ')
  if (ALONE.test(plain)) return { count: 1 }
  const dozen = asked ? DOZEN.exec(plain) : null
  if (dozen !== null) return { count: dozen[1] === undefined ? 12 : 6 }
  if (phoneIn(text) === null) {
    const count = countIn(words, { asked, language })
    if (count !== null) return { count: Math.max(1, count) }
  }
  if (TWO.test(plain) && (asked || / (?:y yo|and me|and i)\b/.test(plain))) return { count: 2 }
  if (!asked || isAboutCall(text)) return null
  if (SOME_PEOPLE.test(plain)) return { count: null }
  return intent === 'no' && words.length <= 4 ? { count: 1 } : null
}

function countIn(
  words: readonly string[],
  { asked, language }: { asked: boolean; language: SpeechLanguage },
): number | null {
  for (const { value, from, to } of numbersIn(words)) {
    if (value > EMPLOYEES_MAX || (language === 'en' && words[from] === 'once')) continue
    const next = words.slice(to, to + 3)
    if (NOT_PEOPLE.test(next[0] ?? '')) continue
    if (next[0] !== undefined && isStaffWord(next[0])) return value
    const isArticle = value === 1 && to - from === 1
    if (isArticle && !(asked && words.length <= 2)) continue
    if (next.some(isStaffWord)) return value
    const lead = words.slice(Math.max(0, from - 3), from).join(' ')
    const weAre = /\b(?:somos|son|we are|we re|there are)\b/.test(lead)
    if (asked || (weAre && !next.some(isBusinessWord) && to === words.length)) return value
  }
  return null
}
