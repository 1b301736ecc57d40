/** Everything the demo brain can say, in Spanish (usted, Mexico) and English. */
import type { SpeechLanguage } from '../moonshine-package.ts'
import { spokenPhone } from './details.ts'
import type { Detail } from './script.ts'

export interface Lines {
  opening(introduction: string): string
  iAm(who: string): string
  goodMoment: string
  askAbout(item: string): string
  howCanIHelp: string
  offer(offer: string | null): string
  offerQuestion: string
  offerFact(offer: string): string
  ask: Record<Detail, string>
  confirm(details: Partial<Record<Detail, string>>): string
  confirmQuestion: string
  acknowledge: string[]
  startOver: string
  closing(name: string | null): string
  goodbye: string
  notInterested: string
  busy: string
  callBack(time: string): string
  transferring: string
  noTransfer: string
  notUnderstood: string
  skip: string
  robot(agentName: string): string
  smalltalk: string
  thanks: string
  greeting: string
  unknownFact: string
  hearMe: string
  toolFailed: string
}

const SPANISH: Lines = {
  opening: (introduction) => `Hola. ${introduction}. ¿Es buen momento para platicar un minuto?`,
  iAm: (who) => `Soy ${who}`,
  goodMoment: '¿Es buen momento para platicar un minuto?',
  askAbout: (item) => {
    if (/giro/i.test(item)) return '¿A qué se dedica su negocio?'
    if (/^si factura/i.test(item)) return '¿Actualmente emite facturas?'
    if (/empleados/i.test(item)) return '¿Cuántas personas trabajan con usted?'
    if (/^(?:si|qu[eé]|cu[aá]l\p{L}*|cu[aá]nt\p{L}*|c[oó]mo|d[oó]nde|cu[aá]ndo)\s/iu.test(item)) {
      return `¿Me puede decir ${item}?`
    }
    return `¿Me cuenta cuál es su ${item.replace(/^(?:el|la|los|las|su|sus)\s+/i, '')}?`
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
    [
      'Entonces tengo',
      [
        name ? `el nombre ${name}` : null,
        phone ? `el número ${spokenPhone(phone)}` : null,
        time ? `y el horario ${time}` : null,
      ]
        .filter(Boolean)
        .join(', '),
    ].join(' ') + '.',
  confirmQuestion: '¿Están bien esos datos?',
  acknowledge: ['Muy bien.', 'Entiendo.', 'Perfecto, gracias.', 'De acuerdo.'],
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
    `So I have ${[
      name ? `the name ${name}` : null,
      phone ? `the number ${spokenPhone(phone)}` : null,
      time ? `and the time ${time}` : null,
    ]
      .filter(Boolean)
      .join(', ')}.`,
  confirmQuestion: 'Are these details right?',
  acknowledge: ['Very good.', 'I see.', 'Perfect, thank you.', 'All right.'],
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
