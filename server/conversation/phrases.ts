/** What the agent says by itself, without the language model, per language. */
export interface Phrases {
  technicalProblem: string
  technicalGoodbye: string
  technicalTransfer: string
  saturated: string
  notUnderstood: string
  idlePrompt: string
  idleGoodbye: string
  goodbye: string
  lengthWarning: string
  lengthGoodbye: string
  transferring: string
  transferFailed: string
  fillers: readonly string[]
}

const SPANISH: Phrases = {
  technicalProblem: 'Disculpe, tengo un problema técnico. ¿Me lo puede repetir, por favor?',
  technicalGoodbye:
    'Disculpe, seguimos con problemas técnicos. Le llamaremos más tarde. Hasta luego.',
  technicalTransfer: 'Disculpe, tenemos un problema técnico. Le comunico con una persona.',
  saturated:
    'Disculpe, en este momento nuestros sistemas están saturados. ¿Me lo repite, por favor?',
  notUnderstood: 'Disculpe, no le entendí bien. ¿Me lo puede repetir?',
  idlePrompt: '¿Hola? ¿Sigue ahí?',
  idleGoodbye: 'Parece que no me escucha. Le llamaremos en otro momento. Hasta luego.',
  goodbye: 'Gracias por su tiempo. Hasta luego.',
  lengthWarning: 'Le aviso que nos queda medio minuto de llamada.',
  lengthGoodbye: 'Se nos terminó el tiempo de la llamada. Muchas gracias, hasta luego.',
  transferring: 'Con gusto, le comunico en un momento.',
  transferFailed: 'Disculpe, no pude comunicarle. ¿Le puedo ayudar yo con algo más?',
  fillers: ['Un momento, por favor.', 'Déjeme ver.', 'Permítame un segundo.'],
}

const ENGLISH: Phrases = {
  technicalProblem: 'I am sorry, I have a technical problem. Could you say that again, please?',
  technicalGoodbye: 'I am sorry, the technical problem goes on. We will call you later. Goodbye.',
  technicalTransfer: 'I am sorry, we have a technical problem. I will put you through to a person.',
  saturated: 'I am sorry, our systems are very busy right now. Could you say that again, please?',
  notUnderstood: 'I am sorry, I did not catch that. Could you say it again?',
  idlePrompt: 'Hello? Are you still there?',
  idleGoodbye: 'It seems you cannot hear me. We will call you another time. Goodbye.',
  goodbye: 'Thank you for your time. Goodbye.',
  lengthWarning: 'Just so you know, we have half a minute left on this call.',
  lengthGoodbye: 'Our time for this call is over. Thank you very much, goodbye.',
  transferring: 'Of course, I will put you through in a moment.',
  transferFailed:
    'I am sorry, I could not put you through. Is there anything else I can do for you?',
  fillers: ['One moment, please.', 'Let me see.', 'Just a second.'],
}

/** Phrases for a BCP 47 tag: Spanish for es-*, else English. */
export function phrasesFor(language: string): Phrases {
  return language.toLowerCase().startsWith('es') ? SPANISH : ENGLISH
}
