/** The slots of a call: what one sentence of the user fills, and how it is said back to him. */
import type { SpeechLanguage } from '../moonshine-package.ts'
import { businessIn, employeesIn, invoicesIn } from './business-facts.ts'
import type { Business, Employees } from './business-facts.ts'
import { appointmentIn, isThisNumber, nameIn, phoneIn } from './details.ts'
import type { Intent } from './intents.ts'
import { LINES } from './lines.ts'
import type { Detail, Topic } from './script.ts'
import { plainWords } from './text-likeness.ts'

export interface Facts {
  business?: Business
  invoices?: boolean
  employees?: Employees
  interest?: true
  name?: string
  /** Digits, or the line for "this number". */
  phone?: string
  time?: string
}
export type Slot = Topic | Detail | 'interest'

const INTERESTED =
  /\b(?:me interesa|me (?:gustaria|encantaria)(?! saber)|suena (?:bien|interesante)|agendem|si (?:la )?quiero|(?:i am|i m) interested|i would like that|sounds (?:good|great))/
const NOT_INTERESTED = /\b(?:no (?:me|te|le|nos) |not |tampoco)/

interface Hearing {
  language: SpeechLanguage
  intent: Intent
  /** The slot of the question that the user answers. */
  asked: Slot | null
  /** The appointment is being made: any day that is named is meant for it. */
  arranging: boolean
}

/** Sentences whose facts are kept: a call's history is looked at again at each of its turns. */
const REMEMBERED_LIMIT = 4_000
const remembered = new Map<string, Facts>()

/** Everything the sentence tells; empty when it tells nothing. */
export function factsIn(text: string, hearing: Hearing): Facts {
  const { language, intent, asked, arranging } = hearing
  const key = `${language} ${intent} ${asked} ${arranging} ${text}`
  let facts = remembered.get(key)
  if (facts === undefined) {
    facts = read(text, hearing)
    if (remembered.size >= REMEMBERED_LIMIT) remembered.clear()
    remembered.set(key, facts)
  }
  return facts
}

function read(text: string, { language, intent, asked, arranging }: Hearing): Facts {
  const facts: Facts = {}
  const about = (slot: Slot) => ({ asked: asked === slot, intent, language })
  const business = businessIn(text, about('business'))
  if (business !== null) facts.business = business
  const invoices = invoicesIn(text, about('invoices'))
  if (invoices !== null) facts.invoices = invoices
  const employees = employeesIn(text, about('employees'))
  if (employees !== null) facts.employees = employees
  const plain = plainWords(text).join(' ')
  if (INTERESTED.test(plain) && !NOT_INTERESTED.test(plain)) facts.interest = true
  const mayBeName = intent === 'statement' || intent === 'yes' || intent === 'greeting'
  const name = nameIn(text, { asked: asked === 'name' && mayBeName })
  if (name !== null) facts.name = name
  const phone = phoneIn(text)
  if (phone !== null) facts.phone = phone
  else if (asked === 'phone' && isThisNumber(text)) facts.phone = LINES[language].thisNumber
  const time = appointmentIn(phone === null ? text : text.replace(/\d{3,}/g, ' '), {
    asked: asked === 'time' || (arranging && phone === null),
    language,
  })
  if (time !== null) facts.time = time
  return facts
}

/** "Un restaurante con 12 empleados, perfecto."; empty when nothing new was said that is worth saying back. */
export function saidBack(facts: Facts, language: SpeechLanguage, turn: number): string {
  const lines = LINES[language]
  const isPlain = facts.invoices === false || facts.employees?.count === 1
  const tail = isPlain ? lines.plainTail : lines.tails[turn % lines.tails.length]!
  const about = language === 'es' ? aboutSpanish(facts) : aboutEnglish(facts)
  if (about !== '') return `${about[0]!.toUpperCase()}${about.slice(1)}, ${tail}.`
  const first = facts.name?.split(' ')[0]
  if (first !== undefined)
    return language === 'es' ? `Mucho gusto, ${first}.` : `Nice to meet you, ${first}.`
  if (facts.phone !== undefined) return language === 'es' ? 'Lo tengo anotado.' : 'I have noted it.'
  if (facts.interest) return language === 'es' ? 'Me da mucho gusto.' : 'I am glad to hear that.'
  return ''
}

function aboutSpanish({ business, invoices, employees }: Facts): string {
  const people =
    employees === undefined
      ? ''
      : employees.count === null
        ? 'varias personas'
        : employees.count === 1
          ? 'usted solo'
          : `${employees.count} empleados`
  const bills = invoices === undefined ? '' : invoices ? 'ya emite facturas' : 'todavía no factura'
  const trade = business?.echo ?? ''
  if (trade === '') return [people, bills].filter(Boolean).join(' y ')
  const joint = employees?.count === 1 ? ' y trabaja ' : ' con '
  return [trade + (people === '' ? '' : joint + people), bills].filter(Boolean).join(' y ')
}

function aboutEnglish({ business, invoices, employees }: Facts): string {
  const people =
    employees === undefined
      ? ''
      : employees.count === null
        ? 'several people'
        : employees.count === 1
          ? 'just you'
          : `${employees.count} employees`
  const bills = invoices === undefined ? '' : invoices ? 'you issue invoices' : 'no invoices so far'
  const trade = business?.echo ?? ''
  if (trade === '') return [people, bills].filter(Boolean).join(' and ')
  const joint = employees?.count === 1 ? ', ' : ' with '
  return [trade + (people === '' ? '' : joint + people), bills].filter(Boolean).join(', and ')
}
