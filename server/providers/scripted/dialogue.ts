/**
 * The demo brain's conversation: from all that was said, the next thing to say.
 *
 *   greeting ─► qualification ─► proposal ─► details ─► confirmation ─► closing
 *        └── at any time: transfer, goodbye, "please repeat", "wait", a question, small talk, not understood ──┘
 *
 * It keeps nothing between two answers: replay.ts works the state out from the messages. Asked is always the first
 * question whose slot is still empty.
 */
import type { ChatMessage } from '../llm.ts'
import type { SpeechLanguage } from '../moonshine-package.ts'
import { isPartOfPhone } from './details.ts'
import { saidBack } from './facts.ts'
import { intentOf, isAboutCall } from './intents.ts'
import { LINES } from './lines.ts'
import {
  asksIfHeard,
  exchangesOf,
  hasDetails,
  isSettled,
  newState,
  questionsOf,
  take,
} from './replay.ts'
import type { Exchange, Question, Scene, Taken } from './replay.ts'
import { factFor, scriptFrom } from './script.ts'

export interface Reply {
  text: string
  tool: 'end_call' | 'transfer_call' | null
}

interface Options {
  language: SpeechLanguage
  canTransfer: boolean
}

export function replyTo(messages: readonly ChatMessage[], options: Options): Reply {
  const system = messages.find((message) => message.role === 'system')?.content ?? ''
  const last = messages.at(-1)
  if (last?.role === 'tool') {
    return say(last.content.startsWith('error') ? LINES[options.language].toolFailed : '')
  }
  return replyAt(exchangesOf(messages), system, options)
}

function replyAt(exchanges: readonly Exchange[], system: string, options: Options): Reply {
  const { language, canTransfer } = options
  const script = scriptFrom(system, language)
  const lines = LINES[language]
  const current = exchanges.at(-1)
  if (current === undefined || (exchanges.length === 1 && isOpening(current))) {
    return say(lines.opening(script.introduction))
  }
  const scene: Scene = {
    language,
    script,
    questions: questionsOf(script, language),
    state: newState(),
    canTransfer,
  }
  exchanges.slice(0, -1).forEach((exchange, index) => take(scene, exchange, index === 0))
  // Who goes on talking after a "no, thank you" has not hung up: only the newest one ends the call.
  scene.state.declined = false
  const taken = take(scene, current, exchanges.length === 1)
  if (taken.intent === 'repeat') return repeated(exchanges, system, options)
  return answer(scene, current, { ...taken, turn: exchanges.length })
}

function say(text: string, tool: Reply['tool'] = null): Reply {
  return { text, tool }
}

function joined(...parts: string[]): string {
  return parts.filter((part) => part !== '').join(' ')
}

/** The user speaks first, or the conversation asks for a greeting (its instruction is in parentheses). */
function isOpening({ agent, user }: Exchange): boolean {
  if (agent !== '') return false
  return user.startsWith('(') || ['greeting', 'silence'].includes(intentOf(user, 'es'))
}

/** The first question that is still open; null when all is said. */
function nextQuestion({ state, questions }: Scene): Question | null {
  const open = questions.filter((question) => !isSettled(state, question))
  if (state.callBack) return open.find(({ slot }) => slot === 'time') ?? null
  return open[0] ?? null
}

type Turn = Taken & { turn: number }

function answer(scene: Scene, exchange: Exchange, taken: Turn): Reply {
  const { state, language } = scene
  const lines = LINES[language]
  const { intent, open, result } = taken
  if (open?.id === 'moment' && intent === 'no' && asksIfHeard(exchange)) return say(lines.hearMe)
  if (intent === 'goodbye') return say(lines.goodbye, 'end_call')
  if (state.declined) return say(lines.notInterested, 'end_call')
  if (intent === 'wait') return say(lines.waiting)
  if (intent === 'human' && scene.canTransfer) return say(lines.transferring, 'transfer_call')
  const remark = remarkOn(scene, exchange.user, taken)
  const next = nextQuestion(scene)
  if (next !== null) return say(joined(remark, asked(scene, next, remark)))
  if (state.callBack) {
    const { time } = state.facts
    return say(time === undefined ? lines.goodbye : lines.callBack(time), 'end_call')
  }
  if (result === 'aside') return say(joined(remark, lines.howCanIHelp))
  const { facts } = state
  return say(hasDetails(facts) ? lines.closing(facts.name ?? null) : lines.goodbye, 'end_call')
}

function asked({ state, script, language }: Scene, question: Question, remark: string): string {
  const lines = LINES[language]
  const isOffered = state.offerHeard || (script.offer !== null && remark.includes(script.offer))
  if (question.id === 'offer') {
    return joined(isOffered ? '' : lines.offer(script.offer), question.text)
  }
  if (question.id === 'confirm') return joined(lines.confirm(state.facts), question.text)
  // Who is interested beforehand ("sí, me interesa") is told in what before the details are asked for.
  const isUntold = state.facts.interest && script.offer !== null && !isOffered
  const first = question.id === 'detail' && isUntold ? lines.offer(script.offer) : ''
  return joined(first, question.text)
}

/** What is said before the next question. */
function remarkOn(scene: Scene, user: string, taken: Turn): string {
  const { state, script, language, canTransfer } = scene
  const lines = LINES[language]
  switch (taken.intent) {
    case 'human':
      return canTransfer ? '' : lines.noTransfer
    case 'who':
      return `${script.introduction}.`
    case 'robot':
      return lines.robot(script.agentName)
    case 'purpose':
      return script.offer === null ? `${script.introduction}.` : lines.offerFact(script.offer)
    case 'price':
      return priceOf(scene, user)
    case 'question':
      return factFor(user, script) ?? lines.unknownFact
    case 'smalltalk':
      return lines.smalltalk
    case 'busy':
      return state.facts.time === undefined ? lines.busy : ''
    case 'thanks':
      return taken.result === 'answered' ? '' : lines.thanks
    case 'greeting':
      return taken.turn === 1 ? lines.greeting : ''
    default:
      return acknowledgement(scene, user, taken)
  }
}

/** A price that the prompt states, or that there is none to tell. */
function priceOf({ script, language }: Scene, user: string): string {
  const lines = LINES[language]
  if (script.offer !== null && /gratui|gratis|\bfree\b/i.test(script.offer)) {
    return lines.freeOffer(script.offer)
  }
  return factFor(user, script) ?? lines.unknownPrice
}

function acknowledgement(scene: Scene, user: string, taken: Turn): string {
  const { state, language } = scene
  const lines = LINES[language]
  const { intent, open, learned, result, turn } = taken
  const echo = saidBack(learned, language, turn)
  if (echo !== '') return echo
  if (open?.id === 'confirm' && intent === 'no') return lines.startOver
  if (open?.id === 'moment' && intent === 'no') return lines.busy
  if (open?.id === 'moment' && intent !== 'silence') return pick(lines.polite, turn)
  if (open?.slot === 'phone' && result === 'unclear' && isPartOfPhone(user)) {
    return lines.phoneTooShort
  }
  if (result === 'unclear') return state.done.has(open!) ? lines.skip : lines.notUnderstood
  if (result === 'aside') {
    if (open === null && intent !== 'yes') return lines.notUnderstood
    return isAboutCall(user) || (open !== null && intent === 'yes') ? pick(lines.polite, turn) : ''
  }
  return pick(lines.acknowledge, turn)
}

function pick(lines: readonly string[], turn: number): string {
  return lines[turn % lines.length]!
}

/** What the agent said last, in full: worked out again, since the history holds only what was heard of it. */
function repeated(exchanges: readonly Exchange[], system: string, options: Options): Reply {
  const { language } = options
  // Behind "aquí espero" and earlier repetitions is what the user wants to hear.
  const before = exchanges
    .slice(0, -1)
    .findLastIndex(({ user }) => !['repeat', 'wait'].includes(intentOf(user, language)))
  if (before >= 0) {
    const { text } = replyAt(exchanges.slice(0, before + 1), system, options)
    const [first, ...rest] = text.split(/(?<=[.?!])\s+/)
    const lines = LINES[language]
    const isEcho = first !== undefined && isAcknowledgement(first, language)
    const kept = isEcho && rest.length > 0 ? rest.join(' ') : text
    return say(kept || lines.howCanIHelp)
  }
  const greeting = exchanges[0]?.agent ?? ''
  const heard = greeting.replace(/…$/, '').trim()
  const opening = LINES[language].opening(scriptFrom(system, language).introduction)
  return say(heard === '' || greeting.endsWith('…') ? opening : heard)
}

/** Whether the sentence only takes note of what the user said: not worth a repetition. */
function isAcknowledgement(sentence: string, language: SpeechLanguage): boolean {
  const lines = LINES[language]
  return (
    [...lines.acknowledge, ...lines.polite, lines.notUnderstood, lines.skip].includes(sentence) ||
    [...lines.tails, lines.plainTail].some((tail) => sentence.endsWith(`, ${tail}.`))
  )
}
