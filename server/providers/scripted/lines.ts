/** Everything the demo brain can say, in Spanish (usted, Mexico) and English. */
import type { SpeechLanguage } from '../moonshine-package.ts'
import { spokenPhone } from './details.ts'
import type { Detail, Topic } from './script.ts'

export interface Lines {
  opening(introduction: string): string
  iAm(who: string): string
  goodMoment: string
  askAbout(item: string): string
  askFor: Record<Topic, string>
  howCanIHelp: string
  offer(offer: string | null): string
  offerQuestion: string
  offerFact(offer: string): string
  ask: Record<Detail, string>
  confirm(details: Partial<Record<Detail, string>>): string
  confirmQuestion: string
  acknowledge: string[]
  /** After what was said back: "Un restaurante, perfecto." */
  tails: string[]
  /** Behind what is no success: "Todavía no factura, entiendo." */
  plainTail: string
  polite: string[]
  startOver: string
  closing(name: string | null): string
  goodbye: string
  notInterested: string
  busy: string
  callBack(time: string): string
  transferring: string
  noTransfer: string
  notUnderstood: string
  waiting: string
  phoneTooShort: string
  freeOffer(offer: string): string
  unknownPrice: string
  thisNumber: string
  skip: string
  robot(agentName: string): string
  smalltalk: string
  thanks: string
  greeting: string
  unknownFact: string
  hearMe: string
  toolFailed: string
}

/** All but the last with commas: "a, b" and "c", to be joined by "and". */
function listed(parts: (string | null)[]): string[] {
  const said = parts.filter((part) => part !== null)
  return said.length < 2 ? said : [said.slice(0, -1).join(', '), said.at(-1)!]
}

const SPANISH: Lines = {
  opening: (introduction) => `Hola. ${introduction}. ¿Es buen momento para platicar un minuto?`,
  iAm: (who) => `Soy ${who}`,
  goodMoment: '¿Es buen momento para platicar un minuto?',
  askAbout: (item) => {
    if (/^(?:si|qu[eé]|cu[aá]l\p{L}*|cu[aá]nt\p{L}*|c[oó]mo|d[oó]nde|cu[aá]ndo)\s/iu.test(item)) {
      return `¿Me puede decir ${item}?`
    }
    return `¿Me cuenta cuál es su ${item.replace(/^(?:el|la|los|las|su|sus)\s+/i, '')}?`
  },
  askFor: {
    business: '¿A qué se dedica su negocio?',
    invoices: '¿Actualmente emite facturas?',
    employees: '¿Cuántas personas trabajan con usted?',
  },
  howCanIHelp: '¿En qué le puedo ayudar?',
  offer: (offer) =>
    offer === null
      ? 'Puedo dejar anotados sus datos para que una persona del equipo le llame.'
      : `Por lo que me cuenta, le propongo ${offer}.`,
  offerQuestion: '¿Le parece bien si lo agendamos?',
  offerFact: (offer) => `Lo que ofrecemos es ${offer}.`,
  ask: {
    name: '¿Me da su nombre, por favor?',
    phone: '¿A qué número de WhatsApp le escribimos?',
    time: '¿Qué día y a qué hora le queda bien?',
  },
  confirm: ({ name, phone, time }) =>
    `Entonces tengo ${listed([
      name ? `el nombre ${name}` : null,
      phone ? (/^\d/.test(phone) ? `el número ${spokenPhone(phone)}` : phone) : null,
      time ? `el horario ${time}` : null,
    ]).join(' y ')}.`,
  confirmQuestion: '¿Están bien esos datos?',
  acknowledge: ['Muy bien.', 'Entiendo.', 'Perfecto, gracias.', 'De acuerdo.'],
  tails: ['perfecto', 'muy bien', 'qué bien', 'excelente'],
  plainTail: 'entiendo',
  polite: ['Gracias.', 'Qué bien, gracias.', 'Perfecto, gracias.'],
  startOver: 'Vamos a corregirlo.',
  closing: (name) =>
    `Listo${name ? `, ${name}` : ''}, queda anotado. Muchas gracias por su tiempo, que tenga un excelente día.`,
  goodbye: 'Muchas gracias por su tiempo. Que tenga un excelente día, hasta luego.',
  notInterested: 'Entiendo, no le quito más tiempo. Gracias por atenderme, que tenga buen día.',
  busy: 'Entiendo, no le quito tiempo.',
  callBack: (time) => `De acuerdo, le llamamos ${time}. Gracias, hasta luego.`,
  transferring: 'Claro, le comunico con una persona del equipo. Un momento, por favor.',
  noTransfer:
    'En este momento no puedo pasarle con una persona, pero dejo anotado que quiere que le llamen.',
  notUnderstood: 'Perdone, no le entendí bien.',
  waiting: 'Claro, aquí espero.',
  phoneTooShort: 'Me faltaron algunos dígitos.',
  freeOffer: (offer) =>
    `Le propongo ${offer}, así que eso no le cuesta nada. Otros precios no los tengo, y prefiero no inventarlos.`,
  unknownPrice: 'El precio no lo tengo, y prefiero no inventarlo.',
  thisNumber: 'este mismo número',
  skip: 'No se preocupe, seguimos.',
  robot: (agentName) =>
    `Soy ${agentName}, una voz automática de demostración: sigo un guion, todavía sin modelo de lenguaje.`,
  smalltalk: 'Muy bien, gracias por preguntar.',
  thanks: 'Con mucho gusto.',
  greeting: 'Hola, mucho gusto.',
  unknownFact: 'Ese dato no lo tengo, y prefiero no inventarlo.',
  hearMe: 'Disculpe. ¿Ahora me escucha mejor?',
  toolFailed: 'Disculpe, eso no fue posible en este momento.',
}

const ENGLISH: Lines = {
  opening: (introduction) => `Hello. ${introduction}. Is this a good moment to talk?`,
  iAm: (who) => `I am ${who}`,
  goodMoment: 'Is this a good moment to talk?',
  askAbout: (item) =>
    /^(?:if|whether|what|which|how|where|when|who)\s/i.test(item)
      ? `Could you tell me ${item}?`
      : `Could you tell me about your ${item.replace(/^(?:the|their|your|his|her)\s+/i, '')}?`,
  askFor: {
    business: 'What kind of business do you have?',
    invoices: 'Do you issue invoices at the moment?',
    employees: 'How many people work with you?',
  },
  howCanIHelp: 'How can I help you?',
  offer: (offer) =>
    offer === null
      ? 'I can take down your details so that somebody of the team calls you.'
      : `From what you tell me, I would propose ${offer}.`,
  offerQuestion: 'Shall we arrange it?',
  offerFact: (offer) => `What we offer is ${offer}.`,
  ask: {
    name: 'May I have your name, please?',
    phone: 'Which phone number can we reach you at?',
    time: 'Which day and time suit you?',
  },
  confirm: ({ name, phone, time }) =>
    `So I have ${listed([
      name ? `the name ${name}` : null,
      phone ? (/^\d/.test(phone) ? `the number ${spokenPhone(phone)}` : phone) : null,
      time ? `the time ${time}` : null,
    ]).join(' and ')}.`,
  confirmQuestion: 'Are these details right?',
  acknowledge: ['Very good.', 'I see.', 'Perfect, thank you.', 'All right.'],
  tails: ['perfect', 'very good', 'great', 'excellent'],
  plainTail: 'I see',
  polite: ['Thank you.', 'Great, thanks.', 'Good, thank you.'],
  startOver: "Let's correct that.",
  closing: (name) =>
    `Done${name ? `, ${name}` : ''}, I have noted it. Thank you for your time, have a great day.`,
  goodbye: 'Thank you for your time. Have a great day, goodbye.',
  notInterested: 'I understand. Thank you for taking the call, have a nice day.',
  busy: 'I understand, I will not keep you.',
  callBack: (time) => `All right, we will call you ${time}. Thank you, goodbye.`,
  transferring: 'Of course, I will connect you with somebody of the team. One moment, please.',
  noTransfer:
    'I cannot connect you with a person right now, but I will note that you want to be called.',
  notUnderstood: 'Sorry, I did not quite understand.',
  waiting: 'Of course, I will wait.',
  phoneTooShort: 'I am missing a few digits.',
  freeOffer: (offer) =>
    `I propose ${offer}, so that costs you nothing. Other prices I do not have, and I would rather not make them up.`,
  unknownPrice: 'I do not have the price, and I would rather not make it up.',
  thisNumber: 'this same number',
  skip: 'Never mind, let us go on.',
  robot: (agentName) =>
    `I am ${agentName}, an automatic demonstration voice: I follow a script, without a language model yet.`,
  smalltalk: 'Very well, thank you for asking.',
  thanks: 'You are welcome.',
  greeting: 'Hello, nice to meet you.',
  unknownFact: 'I do not have that information, and I would rather not make it up.',
  hearMe: 'Sorry. Can you hear me better now?',
  toolFailed: 'Sorry, that was not possible right now.',
}

export const LINES: Record<SpeechLanguage, Lines> = { es: SPANISH, en: ENGLISH }
