/**
 * The demo brain's conversation: from all that was said, the next thing to say.
 *
 *   greeting ─► qualification ─► proposal ─► details ─► confirmation ─► closing
 *        └── at any time: transfer, goodbye, "please repeat", a question, small talk, not understood ──┘
 *
 * It keeps nothing between two answers. The state is replayed from the messages: each of the agent's texts shows which
 * question was open, each of the user's what became of it. What the user did not hear (a barge-in cut it off) was
 * therefore not asked, and is asked again.
 */
import type { ChatMessage } from '../llm.ts'
import type { SpeechLanguage } from '../moonshine-package.ts'
import { nameIn, phoneIn, timeIn } from './details.ts'
import { intentOf } from './intents.ts'
import type { Intent } from './intents.ts'
import { LINES } from './lines.ts'
import { contains, factFor, scriptFrom } from './script.ts'
import type { Detail, Script } from './script.ts'

export interface Reply {
  text: string
  tool: 'end_call' | 'transfer_call' | null
}

/** A question of the script: its place in the order is its place in the list. */
interface Question {
  id: 'moment' | 'qualify' | 'offer' | Detail | 'confirm'
  text: string
}

/** What the agent said since the user's last words, and what the user answered. */
interface Exchange {
  agent: string
  user: string
}

interface State {
  done: Set<Question>
  unclear: Map<Question, number>
  details: Partial<Record<Detail, string>>
  declined: boolean
  /** The user has no time: only a time to call back is wanted. */
  callBack: boolean
}

interface Scene {
  language: SpeechLanguage
  script: Script
  questions: Question[]
  state: State
  canTransfer: boolean
}

/** After this many answers that made no sense a question is left open and the talk goes on. */
const MAX_UNCLEAR = 2
/** Sentences that answer a question, as opposed to those that want something themselves. */
const ANSWERS = new Set<Intent>([
  'yes',
  'no',
  'statement',
  'busy',
  'greeting',
  'thanks',
  'smalltalk',
])

export function replyTo(
  messages: readonly ChatMessage[],
  options: { language: SpeechLanguage; canTransfer: boolean },
): Reply {
  const { language, canTransfer } = options
  const system = messages.find((message) => message.role === 'system')?.content ?? ''
  const script = scriptFrom(system, language)
  const lines = LINES[language]
  const last = messages.at(-1)
  if (last?.role === 'tool') {
    return say(last.content.startsWith('error') ? lines.toolFailed : '')
  }
  const exchanges = exchangesOf(messages)
  const scene: Scene = {
    language,
    script,
    questions: questionsOf(script, language),
    state: { done: new Set(), unclear: new Map(), details: {}, declined: false, callBack: false },
    canTransfer,
  }
  const current = exchanges.at(-1)
  if (current === undefined || (exchanges.length === 1 && isOpening(current))) {
    return say(lines.opening(script.introduction))
  }
  exchanges.slice(0, -1).forEach((exchange, index) => take(scene, exchange, index === 0))
  // Who goes on talking after a "no, thank you" has not hung up: only the newest one ends the call.
  scene.state.declined = false
  if (intentOf(current.user, language) === 'repeat') return repeated(messages, options, current)
  return answer(scene, current, exchanges.length)
}

function say(text: string, tool: Reply['tool'] = null): Reply {
  return { text, tool }
}

function exchangesOf(messages: readonly ChatMessage[]): Exchange[] {
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

/** The user speaks first, or the conversation asks for a greeting (its instruction is in parentheses). */
function isOpening({ agent, user }: Exchange): boolean {
  if (agent !== '') return false
  return user.startsWith('(') || ['greeting', 'silence'].includes(intentOf(user, 'es'))
}

function questionsOf(script: Script, language: SpeechLanguage): Question[] {
  const lines = LINES[language]
  const qualification = script.qualification.length > 0 ? script.qualification : [lines.howCanIHelp]
  return [
    { id: 'moment', text: lines.goodMoment },
    ...qualification.map((text): Question => ({ id: 'qualify', text })),
    { id: 'offer', text: lines.offerQuestion },
    ...script.details.map((id): Question => ({ id, text: lines.ask[id] })),
    { id: 'confirm', text: lines.confirmQuestion },
  ]
}

/** The question that the agent's text ends on; the first exchange answers the greeting, whatever it asked. */
function openQuestion(scene: Scene, { agent }: Exchange, isFirst: boolean): Question | null {
  const found = scene.questions.findLast((question) => contains(agent, question.text))
  if (found !== undefined || !isFirst) return found ?? null
  // "¿En qué puedo ayudarle?" is a greeting, and the question of a prompt without qualification, at once.
  const help = scene.questions.find(({ text }) => text === LINES[scene.language].howCanIHelp)
  return help !== undefined && /ayud|servir|help/i.test(agent) ? help : scene.questions[0]!
}

/** Lets one exchange change the state. Returns how the open question fared. */
function take(
  scene: Scene,
  exchange: Exchange,
  isFirst: boolean,
): { intent: Intent; open: Question | null; result: 'answered' | 'unclear' | 'aside' } {
  const { state, language } = scene
  const open = openQuestion(scene, exchange, isFirst)
  const intent = intentOf(exchange.user, language)
  const found = ANSWERS.has(intent) && takeDetails(scene, exchange.user, open)
  const isBadMoment = open?.id === 'moment' && intent === 'no' && !asksIfHeard(exchange)
  if (intent === 'busy' || isBadMoment) state.callBack = true
  if (intent === 'notInterested') state.declined = true
  if (intent === 'human' && !scene.canTransfer) skipToDetails(scene)
  // Whoever answers any question has the moment to talk.
  if (open !== null && open.id !== 'moment') state.done.add(scene.questions[0]!)
  if (open === null || !(ANSWERS.has(intent) || intent === 'silence')) {
    return { intent, open, result: 'aside' }
  }
  const result = judge(scene, open, { intent, found })
  if (result === 'answered') state.done.add(open)
  else if (result === 'unclear') {
    const times = (state.unclear.get(open) ?? 0) + 1
    state.unclear.set(open, times)
    if (times >= MAX_UNCLEAR) state.done.add(open)
  }
  return { intent, open, result }
}

/** "¿Me escucha bien?": a no to that is about the line, not about the moment. */
function asksIfHeard({ agent }: Exchange): boolean {
  return /escucha|oye|hear/i.test(agent)
}

function takeDetails({ state }: Scene, user: string, open: Question | null): boolean {
  const name = nameIn(user, { asked: open?.id === 'name' })
  const phone = phoneIn(user)
  const time = timeIn(user)
  if (name !== null && (open?.id === 'name' || state.details.name === undefined)) {
    state.details.name = name
  }
  if (phone !== null) state.details.phone = phone
  if (time !== null) state.details.time = time
  return name !== null || phone !== null || time !== null
}

function judge(
  { state, questions }: Scene,
  open: Question,
  { intent, found }: { intent: Intent; found: boolean },
): 'answered' | 'unclear' | 'aside' {
  switch (open.id) {
    case 'moment':
      return intent === 'silence' ? 'unclear' : 'answered'
    case 'qualify':
      if (intent === 'smalltalk' || intent === 'thanks' || intent === 'greeting') return 'aside'
      return intent === 'silence' ? 'unclear' : 'answered'
    case 'offer':
      if (intent === 'no') state.declined = true
      return intent === 'yes' || intent === 'no' || found ? 'answered' : 'unclear'
    case 'confirm':
      if (intent === 'yes' && !found) return 'answered'
      if (intent === 'no' && !found) {
        state.details = {}
        for (const question of questions) if (isDetail(question)) state.done.delete(question)
      }
      return found || intent === 'no' ? 'aside' : 'unclear'
    default:
      // "No tengo WhatsApp" is an answer, too.
      return state.details[open.id] !== undefined || intent === 'no' ? 'answered' : 'unclear'
  }
}

function isDetail(question: Question): question is Question & { id: Detail } {
  return question.id === 'name' || question.id === 'phone' || question.id === 'time'
}

function skipToDetails({ state, questions }: Scene): void {
  for (const question of questions) {
    if (['moment', 'qualify', 'offer'].includes(question.id)) state.done.add(question)
  }
}

/** The first question that is still open; null when all is said. */
function nextQuestion({ state, questions }: Scene): Question | null {
  if (state.callBack) {
    return state.details.time ? null : (questions.find(({ id }) => id === 'time') ?? null)
  }
  return (
    questions.find((question) => {
      if (state.done.has(question)) return false
      if (isDetail(question)) return state.details[question.id] === undefined
      if (question.id === 'confirm') return Object.keys(state.details).length > 0
      return true
    }) ?? null
  )
}

function answer(scene: Scene, exchange: Exchange, turn: number): Reply {
  const { state, script, language } = scene
  const lines = LINES[language]
  const { intent, open, result } = take(scene, exchange, turn === 1)
  if (open?.id === 'moment' && intent === 'no' && asksIfHeard(exchange)) return say(lines.hearMe)
  if (intent === 'goodbye') return say(lines.goodbye, 'end_call')
  if (state.declined) return say(lines.notInterested, 'end_call')
  if (intent === 'human' && scene.canTransfer) return say(lines.transferring, 'transfer_call')
  const remark = remarkOn(scene, exchange.user, { intent, open, result, turn })
  const next = nextQuestion(scene)
  if (next !== null) return say(joined(remark, asked(scene, next)))
  if (result === 'aside' && intent !== 'busy') return say(joined(remark, lines.howCanIHelp))
  if (state.callBack) {
    return say(state.details.time ? lines.callBack(state.details.time) : lines.goodbye, 'end_call')
  }
  const agreed = Object.keys(state.details).length > 0
  return say(agreed ? lines.closing(state.details.name ?? null) : lines.goodbye, 'end_call')

  function joined(...parts: string[]): string {
    return parts.filter((part) => part !== '').join(' ')
  }

  function asked({ state: { details } }: Scene, question: Question): string {
    if (question.id === 'offer') return joined(lines.offer(script.offer), question.text)
    if (question.id === 'confirm') return joined(lines.confirm(details), question.text)
    return question.text
  }
}

/** What is said before the next question. */
function remarkOn(
  { state, script, language, canTransfer }: Scene,
  user: string,
  seen: { intent: Intent; open: Question | null; result: string; turn: number },
): string {
  const lines = LINES[language]
  switch (seen.intent) {
    case 'human':
      return canTransfer ? '' : lines.noTransfer
    case 'who':
      return `${script.introduction}.`
    case 'robot':
      return lines.robot(script.agentName)
    case 'purpose':
      return script.offer === null ? `${script.introduction}.` : lines.offerFact(script.offer)
    case 'question':
      return factFor(user, script) ?? lines.unknownFact
    case 'smalltalk':
      return lines.smalltalk
    case 'busy':
      return state.details.time ? '' : lines.busy
    case 'thanks':
      return seen.result === 'answered' ? '' : lines.thanks
    case 'greeting':
      return seen.turn === 1 ? lines.greeting : ''
    default:
      break
  }
  if (seen.open?.id === 'confirm' && seen.intent === 'no') return lines.startOver
  if (seen.open?.id === 'moment' && seen.intent === 'no') return lines.busy
  if (seen.result === 'unclear') {
    return seen.open !== null && state.done.has(seen.open) ? lines.skip : lines.notUnderstood
  }
  if (seen.result === 'aside') {
    return seen.open === null && seen.intent !== 'yes' ? lines.notUnderstood : ''
  }
  return lines.acknowledge[seen.turn % lines.acknowledge.length]!
}

/** What the agent said last, in full: worked out again, since the history holds only what was heard of it. */
function repeated(
  messages: readonly ChatMessage[],
  options: { language: SpeechLanguage; canTransfer: boolean },
  current: Exchange,
): Reply {
  const at = messages.findLastIndex((message) => message.role === 'assistant')
  const before = messages.slice(0, Math.max(0, at))
  if (before.some((message) => message.role === 'user')) {
    return say(replyTo(before, options).text || LINES[options.language].howCanIHelp)
  }
  const heard = current.agent.replace(/…$/, '').trim()
  const system = messages.find((message) => message.role === 'system')?.content ?? ''
  const opening = LINES[options.language].opening(scriptFrom(system, options.language).introduction)
  return say(heard === '' || current.agent.endsWith('…') ? opening : heard)
}
