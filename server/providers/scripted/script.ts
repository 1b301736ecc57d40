/**
 * What the demo brain takes out of an agent's prompt: the questions to ask, the offer, and sentences to quote.
 *
 * A prompt is written for a model: most of it are orders ("No inventes precios"). Only what states something is quoted,
 * and of the orders three are followed: what to qualify, what to propose, which details to ask for.
 */
import type { SpeechLanguage } from '../moonshine-package.ts'
import { LINES } from './lines.ts'
import { StemWeights, stems } from './text-likeness.ts'

export type Detail = 'name' | 'phone' | 'time'
/** Qualification that the brain understands wherever it is said; other topics are only asked. */
export type Topic = 'business' | 'invoices' | 'employees'

export interface Qualification {
  topic: Topic | null
  question: string
}

export interface Script {
  agentName: string
  /** "Soy Andrea, consultora …", or only the name. */
  introduction: string
  qualification: Qualification[]
  /** "una llamada gratuita de 15 minutos …"; null when the prompt proposes nothing. */
  offer: string | null
  details: Detail[]
  /** Sentences that may be quoted. */
  facts: string[]
}

const MAX_QUALIFICATION = 4
const ORDER =
  /^(?:eres|habla|hablas|responde|fases?|si |no |nunca|siempre|usa|pide|prop[oó]n|ofrece|califica|confirma|transfiere|saluda|pregunta|tu |tus |mant[eé]n|cuando|s[eé] |evita|haz|di |llama|convierte|conecta|tienes|debes|objetivo|you|your|speak|answer|phases?|never|always|do not|don't|if |when |ask|use|keep|be |offer|propose|confirm|transfer|greet|qualify|say|stay|goal|reply)/i

/** Prompts whose script is kept: one per agent and call variables. */
const REMEMBERED_LIMIT = 200
const remembered = new Map<string, Script>()

export function scriptFrom(systemPrompt: string, language: SpeechLanguage): Script {
  const key = `${language} ${systemPrompt}`
  let script = remembered.get(key)
  if (script === undefined) {
    script = read(systemPrompt, language)
    if (remembered.size >= REMEMBERED_LIMIT) remembered.clear()
    remembered.set(key, script)
  }
  return script
}

function read(systemPrompt: string, language: SpeechLanguage): Script {
  const lines = LINES[language]
  // The conversation's own rules come first, without a blank line; the agent's prompt follows after one.
  const prompt = systemPrompt
    .split(/\n\s*\n/)
    .slice(systemPrompt.includes('\n\n') ? 1 : 0)
    .join('\n')
  const own = prompt === '' ? systemPrompt : prompt
  const agentName =
    /(?:eres|te llamas|you are|your name is|tu nombre es)\s+(\p{Lu}[\p{L}]+)/u.exec(own)?.[1] ??
    /(?:tu nombre es|your name is)\s+(\p{Lu}[\p{L} ]*)/iu.exec(systemPrompt)?.[1]?.trim() ??
    'Andrea'
  const offer = after(own, /(?:prop[oó]n(?:er|ga)?|ofrece(?:r)?|propose|offer)\s+(?:que\s+)?/iu)
  const wanted = after(own, /(?:pide|pida|pedir|solicita|ask for|collect)\s+/iu) ?? ''
  const details: Detail[] = []
  if (wanted === '' || /nombre|name/i.test(wanted)) details.push('name')
  if (wanted === '' || /whats|tel[eé]fono|n[uú]mero|phone|number|celular/i.test(wanted))
    details.push('phone')
  if (wanted === '' || /horario|hora|fecha|d[ií]a|time|date|cita/i.test(wanted))
    details.push('time')
  const items = after(own, /(?:califica(?:r)?|qualify|averigua|find out)\s*:?\s+/iu) ?? ''
  return {
    agentName,
    introduction: introduction(own, agentName, language),
    qualification: qualificationFrom(listItems(items), language),
    offer,
    details,
    facts: quotable(own, offer === null ? [] : [lines.offerFact(offer)]),
  }
}

/** The rest of the clause behind a phrase: up to the next semicolon, full stop or numbered item. */
function after(text: string, phrase: RegExp): string | null {
  const match = phrase.exec(text)
  if (match === null) return null
  const rest = text.slice(match.index + match[0].length)
  const clause = rest.split(/[;\n]|\.(?:\s|$)|\s\d\)/)[0]!.trim()
  return clause === '' ? null : clause
}

function listItems(clause: string): string[] {
  return clause
    .split(/,|\s+(?:y|e|and)\s+/)
    .map((item) => item.trim())
    .filter((item) => item !== '' && item.length < 80)
    .slice(0, MAX_QUALIFICATION)
}

const TOPICS: [Topic, RegExp][] = [
  ['invoices', /factur|invoic/i],
  [
    'employees',
    /emplead|cu[aá]ntas personas|trabajador|colaborador|employees|staff|how many people/i,
  ],
  ['business', /giro|a qu[eé] se dedica|tipo de negocio|(?:kind|type|line) of business|industry/i],
]

function qualificationFrom(items: readonly string[], language: SpeechLanguage): Qualification[] {
  const { askFor, askAbout } = LINES[language]
  const asked = new Set<Topic>()
  return items.flatMap((item): Qualification[] => {
    const topic = TOPICS.find(([, words]) => words.test(item))?.[0] ?? null
    if (topic === null) return [{ topic, question: askAbout(item) }]
    if (asked.has(topic)) return []
    asked.add(topic)
    return [{ topic, question: askFor[topic] }]
  })
}

function introduction(own: string, agentName: string, language: SpeechLanguage): string {
  const found = /(?:^|\n)\s*(eres|you are)\s+([^.\n]{3,200})/iu.exec(own)
  if (found === null) return LINES[language].iAm(agentName)
  return LINES[language].iAm(found[2]!.trim())
}

function quotable(own: string, more: string[]): string[] {
  const sentences = own
    .split(/\n|(?<=[.!?])\s+/)
    .map((sentence) => sentence.replace(/^[\s\-*•#]+|^\d+[).]\s*/g, '').trim())
    .filter((sentence) => sentence.length >= 12 && sentence.length <= 240)
    .filter((sentence) => !ORDER.test(sentence) && !/^\p{L}+\s*:/u.test(sentence.slice(0, 8)))
  return [...sentences, ...more]
}

const FACT_MUST_SCORE = 0.3
const QUESTION_WORDS = new Set(
  stems(
    'que cual cuanto cuanta cuantos como donde cuando quien por para es son el la los de a en su sus y me un una ' +
      'what which how much many where when who is are the of to in your do does you a an and for it i can will',
  ),
)

/** The fact that answers the question best; null when none is near it. */
export function factFor(question: string, script: Script): string | null {
  const words = stems(question).filter((word) => !QUESTION_WORDS.has(word))
  if (words.length === 0) return null
  const weights = new StemWeights(script.facts)
  let best: string | null = null
  let top = FACT_MUST_SCORE
  for (const fact of script.facts) {
    const score = weights.coverage(words, stems(fact))
    if (score > top) {
      top = score
      best = fact
    }
  }
  return best
}
