/**
 * The state of the demo brain's conversation, replayed from the messages: which question was open, what the user's words
 * filled, what was given up. Nothing is kept between two answers.
 *
 * Only what the user heard was asked: a question that a barge-in cut off may be answered, but it does not count as
 * asked. Every sentence of the user may fill any slot, whichever question was open.
 */
import type { ChatMessage } from '../llm.ts'
import type { SpeechLanguage } from '../moonshine-package.ts'
import { factsIn } from './facts.ts'
import type { Facts, Slot } from './facts.ts'
import { intentOf, isAboutCall, resumes } from './intents.ts'
import type { Intent } from './intents.ts'
import { LINES } from './lines.ts'
import type { Script } from './script.ts'
import { plainWords } from './text-likeness.ts'

/** A question of the script: its place in the order is its place in the list. */
export interface Question {
  id: 'moment' | 'qualify' | 'offer' | 'detail' | 'confirm'
  slot: Slot | null
  text: string
  words: readonly string[]
}

/** What the agent said since the user's last words, and what the user answered. */
export interface Exchange {
  agent: string
  user: string
}

export interface State {
  facts: Facts
  /** Answered without a fact, refused, or given up. */
  done: Set<Question>
  /** How often it was asked in full and not answered. */
  unanswered: Map<Question, number>
  /** How often it was asked in full and the user said something of his own. */
  setAside: Map<Question, number>
  declined: boolean
  /** The user has no time: only a time to call back is wanted. */
  callBack: boolean
  offerHeard: boolean
  /** The question the last exchange left open. */
  open: Question | null
  /** The last exchange asked for a repetition. */
  repeating: boolean
}

export interface Scene {
  language: SpeechLanguage
  script: Script
  questions: readonly Question[]
  state: State
  canTransfer: boolean
}

export interface Taken {
  intent: Intent
  open: Question | null
  /** What this exchange told that was not known before. */
  learned: Facts
  result: 'answered' | 'unclear' | 'aside'
}

/** A question asked so often in full without an answer is left out. */
const MAX_UNANSWERED = 2
const MAX_SET_ASIDE = 3
/** Sentences that answer a question, as opposed to those that want something themselves. */
const ANSWERS = new Set<Intent>([
  'yes',
  'no',
  'statement',
  'busy',
  'greeting',
  'thanks',
  'smalltalk',
  'silence',
])
/** What a fact in the same sentence outweighs ("espere, tengo doce empleados"). */
const OUTWEIGHED = new Set<Intent>(['wait', 'repeat', 'greeting', 'smalltalk', 'thanks', 'purpose'])

export function newState(): State {
  return {
    facts: {},
    done: new Set(),
    unanswered: new Map(),
    setAside: new Map(),
    declined: false,
    callBack: false,
    offerHeard: false,
    open: null,
    repeating: false,
  }
}

export function exchangesOf(messages: readonly ChatMessage[]): Exchange[] {
  const exchanges: Exchange[] = []
  let agent = ''
  for (const message of messages) {
    if (message.role === 'assistant') agent = `${agent} ${message.content}`.trim()
    if (message.role !== 'user') continue
    exchanges.push({ agent, user: message.content })
    agent = ''
  }
  return exchanges
}

export function questionsOf(script: Script, language: SpeechLanguage): Question[] {
  const lines = LINES[language]
  const qualification =
    script.qualification.length > 0
      ? script.qualification
      : [{ topic: null, question: lines.howCanIHelp }]
  const question = (id: Question['id'], slot: Slot | null, text: string): Question => ({
    id,
    slot,
    text,
    words: plainWords(text),
  })
  return [
    question('moment', null, lines.goodMoment),
    ...qualification.map(({ topic, question: text }) => question('qualify', topic, text)),
    question('offer', 'interest', lines.offerQuestion),
    ...script.details.map((id) => question('detail', id, lines.ask[id])),
    question('confirm', null, lines.confirmQuestion),
  ]
}

/** A question that was cut off may be answered when most of it was heard: people answer before its end. */
const CUT_SHARE = 0.6
const WHOLE_SHARE = 0.85

type Heard = 'whole' | 'cut' | 'not'

function sentencesOf(agent: string): string[] {
  return agent.match(/[^.!?…]+[.!?…]*/g) ?? []
}

/** How much of the question the agent's text holds; it may be respelled, or cut ("…"). */
function heardOf(agent: string, { words }: Question): Heard {
  let best: Heard = 'not'
  for (const sentence of sentencesOf(agent)) {
    const said = plainWords(sentence)
    const share = words.filter((word) => said.includes(word)).length / words.length
    const isCut = sentence.endsWith('…')
    if (share >= WHOLE_SHARE && !(isCut && share < 1)) return 'whole'
    if (isCut && share >= CUT_SHARE) best = 'cut'
  }
  return best
}

/** The question that the agent's text ends on; the first exchange answers the greeting, whatever it asked. */
function openQuestion(
  scene: Scene,
  { agent }: Exchange,
  isFirst: boolean,
): { open: Question | null; heard: Heard } {
  for (const question of scene.questions.toReversed()) {
    const heard = agent === '' ? 'not' : heardOf(agent, question)
    if (heard !== 'not') return { open: question, heard }
  }
  if (!isFirst) {
    // Nothing was asked since: what was open before "aquí espero", or before words nobody heard, still is.
    const before = scene.state.open
    const carried =
      before !== null &&
      !isSettled(scene.state, before) &&
      (scene.state.repeating || !agent.includes('?'))
    return { open: carried ? before : null, heard: 'not' }
  }
  // "¿En qué puedo ayudarle?" is a greeting, and the question of a prompt without qualification, at once.
  const help = scene.questions.find(({ text }) => text === LINES[scene.language].howCanIHelp)
  const isHelp = help !== undefined && /ayud|servir|help/i.test(agent)
  return { open: isHelp ? help : scene.questions[0]!, heard: 'whole' }
}

/** Whether there is nothing more to ask about it. */
export function isSettled({ facts, done }: State, question: Question): boolean {
  if (done.has(question)) return true
  if (question.id === 'confirm') return !hasDetails(facts)
  return question.slot !== null && facts[question.slot] !== undefined
}

export function hasDetails({ name, phone, time }: Facts): boolean {
  return name !== undefined || phone !== undefined || time !== undefined
}

/** Lets one exchange change the state. Returns how the open question fared. */
export function take(scene: Scene, exchange: Exchange, isFirst: boolean): Taken {
  const { state, language } = scene
  if (exchange.user.startsWith('(')) {
    return { intent: 'silence', open: null, learned: {}, result: 'aside' }
  }
  const { open, heard } = openQuestion(scene, exchange, isFirst)
  if (heardOffer(scene, exchange.agent)) state.offerHeard = true
  const isOther =
    (heard === 'not' && exchange.agent !== '' && !state.repeating) ||
    (open !== null && endsOnAnother(exchange.agent, open))
  const isBack = isOther && resumes(exchange.user)
  const learned = isBack ? {} : learn(scene, exchange.user, open)
  const isTold = Object.keys(learned).length > 0
  const intent = intentWithFacts(intentOf(exchange.user, language), exchange.user, isTold)
  const isBadMoment = open?.id === 'moment' && intent === 'no' && !asksIfHeard(exchange)
  if (intent === 'busy' || (isBadMoment && !isTold)) state.callBack = true
  if (intent === 'notInterested') state.declined = true
  if (intent === 'human' && !scene.canTransfer) skipToDetails(scene)
  // Whoever answers any question has the moment to talk.
  if ((open !== null && open.id !== 'moment') || isTold) state.done.add(scene.questions[0]!)
  state.open = open
  state.repeating = intent === 'repeat'
  if (open === null || !ANSWERS.has(intent) || isBack) {
    if (open?.slot != null && open.id !== 'offer' && heard === 'whole')
      setAside(state, open, intent)
    return { intent, open, learned, result: isTold ? 'answered' : 'aside' }
  }
  const result = judge(scene, open, { intent, learned, user: exchange.user })
  if (result === 'answered') state.done.add(open)
  else if (heard === 'whole') {
    const times = (state.unanswered.get(open) ?? 0) + 1
    state.unanswered.set(open, times)
    if (times >= MAX_UNANSWERED) state.done.add(open)
  }
  return { intent, open, learned, result: result === 'unclear' && isTold ? 'answered' : result }
}

/** Behind the question came another one ("¿Sigue ahí?"): a bare yes answers that. */
function endsOnAnother(agent: string, open: Question): boolean {
  if (open.id === 'moment' || !agent.endsWith('?')) return false
  const said = plainWords(sentencesOf(agent).at(-1) ?? '')
  return open.words.filter((word) => said.includes(word)).length / open.words.length < CUT_SHARE
}

/** Who answers a question with questions of his own does not want to answer it. */
function setAside(state: State, open: Question, intent: Intent): void {
  if (intent === 'wait' || intent === 'repeat') return
  const times = (state.setAside.get(open) ?? 0) + 1
  state.setAside.set(open, times)
  if (times >= MAX_SET_ASIDE) state.done.add(open)
}

function intentWithFacts(intent: Intent, user: string, isTold: boolean): Intent {
  if (!isTold) return intent
  if (OUTWEIGHED.has(intent)) return 'statement'
  return intent === 'question' && !user.includes('?') ? 'statement' : intent
}

/** Puts what the sentence tells into the slots; the script's own slots only. */
function learn({ state, language, questions }: Scene, user: string, open: Question | null): Facts {
  const asked = open?.slot ?? null
  const found = factsIn(user, {
    language,
    intent: intentOf(user, language),
    asked,
    arranging:
      state.callBack || open?.id === 'detail' || open?.id === 'offer' || open?.id === 'confirm',
  })
  const learned: Facts = {}
  for (const slot of Object.keys(found) as Slot[]) {
    const isWanted = questions.some((question) => question.slot === slot)
    const isCallBackTime =
      slot === 'time' && (state.callBack || intentOf(user, language) === 'busy')
    if (!isWanted && !isCallBackTime) continue
    // A name or a business said by the way does not replace the one that was asked for; newer numbers do.
    const keeps = slot === 'name' || slot === 'business'
    const isCorrection = asked === slot || open?.id === 'confirm'
    if (state.facts[slot] !== undefined && keeps && !isCorrection) continue
    Object.assign(learned, { [slot]: found[slot] })
  }
  Object.assign(state.facts, learned)
  return learned
}

function heardOffer({ script }: Scene, agent: string): boolean {
  if (script.offer === null || agent === '') return false
  const words = plainWords(script.offer)
  const said = plainWords(agent)
  return words.filter((word) => said.includes(word)).length / words.length >= WHOLE_SHARE
}

/** "¿Me escucha bien?": a no to that is about the line, not about the moment. */
export function asksIfHeard({ agent }: Exchange): boolean {
  return /escucha|oye|hear/i.test(agent)
}

function skipToDetails({ state, questions }: Scene): void {
  for (const question of questions) {
    if (['moment', 'qualify', 'offer'].includes(question.id)) state.done.add(question)
  }
}

function judge(
  scene: Scene,
  open: Question,
  { intent, learned, user }: { intent: Intent; learned: Facts; user: string },
): 'answered' | 'unclear' | 'aside' {
  const { state } = scene
  if (intent === 'silence') return 'unclear'
  if (open.id === 'moment') return 'answered'
  if (open.slot !== null && learned[open.slot] !== undefined) return 'answered'
  const isTold = Object.keys(learned).length > 0
  const isPolite = ['smalltalk', 'thanks', 'greeting'].includes(intent) || isAboutCall(user)
  if (open.id === 'offer') {
    if (intent === 'no' && !isTold) state.declined = true
    return (intent === 'yes' && !isPolite) || intent === 'no' || hasDetails(learned)
      ? 'answered'
      : 'unclear'
  }
  if (open.id === 'confirm') {
    if (intent === 'yes' && !isTold) return 'answered'
    if (intent === 'no' && !isTold) forget(scene, user)
    return isTold || intent === 'no' ? 'aside' : 'unclear'
  }
  if (isPolite || isTold) return 'aside'
  // A topic of the prompt's own: whatever is said is the answer.
  if (open.slot === null) return 'answered'
  // "No tengo WhatsApp" is an answer, too.
  if (intent === 'no') return 'answered'
  return intent === 'yes' ? 'aside' : 'unclear'
}

const MENTIONS: [Slot, RegExp][] = [
  ['name', /nombre|name/],
  ['phone', /numero|telefono|whats|celular|number|phone/],
  ['time', /hora|dia|fecha|cita|time|day|date/],
]

/** The details that the user says are wrong; all of them when none is named. */
function forget({ state, questions }: Scene, user: string): void {
  const plain = plainWords(user).join(' ')
  const named = MENTIONS.filter(([, words]) => words.test(plain)).map(([slot]) => slot)
  for (const question of questions) {
    if (question.id !== 'detail' || question.slot === null) continue
    if (named.length > 0 && !named.includes(question.slot)) continue
    delete state.facts[question.slot]
    state.done.delete(question)
    state.unanswered.delete(question)
  }
}
