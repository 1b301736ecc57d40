/** What is said over the agent, and what the agent says meanwhile. */
export const AGENT_TEXTS = {
  'es-MX': [
    'Con mucho gusto le explico cómo funciona, la llamada dura quince minutos y no tiene ningún costo para usted ni para su empresa. Primero revisamos su situación fiscal con uno de nuestros especialistas.',
    'Nuestra correduría trabaja con dueños de negocio en todo el país, desde restaurantes hasta constructoras, y revisa los beneficios que la ley ya permite. Al final usted decide si quiere seguir adelante con nosotros.',
  ],
  'en-US': [
    'I am happy to explain how it works, the call takes fifteen minutes and there is no cost for you or for your company. First one of our specialists goes over your tax situation with you.',
    'Our brokerage works with business owners all over the country, from restaurants to builders, and looks at the benefits that the law already allows. In the end you decide whether you want to go on with us.',
  ],
} as const

export const INTERRUPTIONS = {
  'es-MX': [
    'Espere, espere.',
    'No me interesa, gracias.',
    'Una pregunta, por favor.',
    '¿Cuánto cuesta eso?',
    'Disculpe, ¿quién habla?',
    'Estoy ocupado en este momento.',
    'Ya tengo contador, gracias.',
    'No, yo no pedí eso.',
    'Perdone, no le escucho bien.',
    'Mejor llámeme mañana.',
    'Oiga, ¿y eso tiene costo?',
    'Permítame un momento.',
  ],
  'en-US': [
    'Wait, wait a second.',
    'I am not interested, thanks.',
    'Can I ask you something?',
    'How much does that cost?',
    'Sorry, who is calling?',
    'I am busy right now.',
    'We already have an accountant.',
    'No, I did not ask for that.',
    'I cannot hear you very well.',
    'Please call me tomorrow.',
    'Hold on, is that free?',
    'Just stop for a moment.',
  ],
} as const

export const BACKCHANNELS = {
  'es-MX': ['Ajá.', 'Sí.', 'Claro.', 'Mjm.', 'Sí, sí.', 'De acuerdo.', 'Ok.', 'Entiendo.'],
  'en-US': ['Uh huh.', 'Yeah.', 'Right.', 'Mhm.', 'Okay.', 'I see.', 'Sure.', 'Got it.'],
} as const
