/**
 * TwiML: the documents in which Twilio is told what to do with a call. Pure; the SDK only writes the XML.
 *
 *   <Connect><Stream url><Parameter token/></Stream></Connect>  <Say>apology</Say> <Hangup/>
 *                                                               └ runs only when our server is gone: when we end a call
 *                                                                 we do it by REST, before the socket closes
 */
import type { StreamInvite } from './carrier.ts'

/** Twilio's voice says these: ours costs what is missing. */
const SENTENCES = {
  es: {
    busy: 'En este momento todas nuestras líneas están ocupadas. Por favor, llame de nuevo en unos minutos.',
    gone: 'Disculpe, tenemos un problema técnico. Por favor, llame de nuevo en unos minutos.',
    unanswered: 'Lo siento, nadie puede atenderle en este momento. Por favor, llame más tarde.',
  },
  en: {
    busy: 'All our lines are busy at the moment. Please call again in a few minutes.',
    gone: 'Sorry, we have a technical problem. Please call again in a few minutes.',
    unanswered: 'Sorry, nobody can take your call at the moment. Please call again later.',
  },
}
export type SpokenSentence = keyof (typeof SENTENCES)['es']

async function newResponse() {
  // Loaded on first use: a server without Twilio never pays for it.
  const { default: VoiceResponse } = await import('twilio/lib/twiml/VoiceResponse.js')
  return new VoiceResponse()
}
type Response = Awaited<ReturnType<typeof newResponse>>

/** What a stream's document needs to know besides the invitation. */
export interface StreamDocument {
  invite: StreamInvite
  /** Of the apology. */
  language: string
  /** False where closing the socket is our only way to hang up: then silence must follow it. */
  apologise: boolean
}

export async function streamTwiml(document: StreamDocument): Promise<string> {
  const response = await newResponse()
  connect(response, document)
  return response.toString()
}

/** Presses keys, then opens a new stream for the same call. */
export async function digitsTwiml(digits: string, document: StreamDocument): Promise<string> {
  const response = await newResponse()
  response.play({ digits })
  connect(response, document)
  return response.toString()
}

/** Says one of our sentences and hangs up. */
export async function sentenceTwiml(sentence: SpokenSentence, language: string): Promise<string> {
  const response = await newResponse()
  say(response, sentence, language)
  response.hangup()
  return response.toString()
}

export async function hangupTwiml(): Promise<string> {
  const response = await newResponse()
  response.hangup()
  return response.toString()
}

/** Connects the user with a person: `announceUrl` is asked what the person hears first, `endUrl` what follows. */
export async function transferTwiml(transfer: {
  to: string
  callerId: string | null
  announceUrl: string | null
  endUrl: string
}): Promise<string> {
  const response = await newResponse()
  const dial = response.dial({
    answerOnBridge: true,
    action: transfer.endUrl,
    ...(transfer.callerId === null ? {} : { callerId: transfer.callerId }),
  })
  dial.number(transfer.announceUrl === null ? {} : { url: transfer.announceUrl }, transfer.to)
  return response.toString()
}

/** What the person hears before the user. */
export async function announceTwiml(announcement: {
  text: string
  language: string
}): Promise<string> {
  const response = await newResponse()
  sayText(response, announcement.text, announcement.language)
  return response.toString()
}

function connect(response: Response, { invite, language, apologise }: StreamDocument): void {
  const stream = response.connect().stream({ url: invite.url })
  stream.parameter({ name: 'token', value: invite.token })
  stream.parameter({ name: 'from', value: invite.from })
  stream.parameter({ name: 'to', value: invite.to })
  if (!apologise) return
  say(response, 'gone', language)
  response.hangup()
}

function say(response: Response, sentence: SpokenSentence, language: string): void {
  const sentences = language.toLowerCase().startsWith('es') ? SENTENCES.es : SENTENCES.en
  sayText(response, sentences[sentence], language)
}

function sayText(response: Response, text: string, language: string): void {
  // The SDK's type lists the languages of the day; Twilio takes any of its tags.
  const attributes = { language: language as 'es-MX' }
  response.say(attributes, text)
}
