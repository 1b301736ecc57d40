/**
 * Hesitant speech as text: `|` is a pause of 600-900 ms in the middle of the turn. `{…}` is filled in by the generator.
 *
 * open      the pause follows a word after which a sentence cannot end (conjunction, preposition, article, verb)
 * filler    … a sound of somebody looking for the word
 * number    … a group of a dictated number      email   … a part of an address
 * closed    … words that could be a whole turn: nothing in the text tells it from the end
 *
 * The endpointing was tuned with these texts at hand: figures from them flatter it.
 */
export type HesitationKind = 'open' | 'filler' | 'number' | 'email' | 'closed'

export interface HesitantText {
  kind: HesitationKind
  language: 'es-MX' | 'en-US'
  text: string
}

/** Share of each kind in the set, in twentieths. `first`: before a look at results changed them to `now`. */
export const KIND_SHARES: Record<'now' | 'first', Record<HesitationKind, number>> = {
  now: { open: 8, filler: 3, number: 6, email: 1, closed: 2 },
  first: { open: 8, filler: 3, number: 5, email: 1, closed: 3 },
}
export type Shares = keyof typeof KIND_SHARES

const SPANISH: Record<HesitationKind, string[]> = {
  open: [
    'Quiero hacer una cita para | el {day} por la tarde.',
    'Me gustaría saber si | tienen lugar el {day}.',
    'Necesito hablar con | el licenciado {surname}.',
    'Tengo un negocio de | refacciones en {city}.',
    'La verdad es que | no me interesa mucho.',
    'Nosotros facturamos como | doscientos mil al mes.',
    'Estoy buscando un | seguro para mi camioneta.',
    'Somos {count} empleados y | todos están en nómina.',
    'Me puede llamar el {day} después de | las cinco de la tarde.',
    'No sé si | mi contador ya hizo ese trámite.',
    'Mi socio y | yo queremos revisarlo juntos.',
    'Vivo cerca de | la glorieta en {city}.',
    'Quisiera cambiar mi | dirección de entrega.',
    '¿Cuánto cuesta el | servicio completo?',
    'Pues yo creo que | sí me conviene.',
    'Le hablo porque | no me llegó el recibo.',
    'Sí, pero | ahorita estoy manejando.',
    'Quiero cancelar la | cita del {day}.',
  ],
  filler: [
    'Sí, este | quería preguntar por los precios.',
    'Quiero una cita, eh | para el {day}.',
    'Déjeme ver | sí, el {day} puedo.',
    'Pues mire, o sea | no estoy muy convencido.',
    'Trabajo con, este | con una constructora en {city}.',
    'Bueno, a ver | creo que son {count} personas.',
  ],
  number: [
    'Mi número es {d2} | {d4} | {d4}.',
    'Es el {d2} | {d2} | {d2} | {d2} | {d2}.',
    'Anote, {d3} | {d3} | {d4}.',
    'El teléfono es {d3} | {d3} | {d2} | {d2}.',
    'Mi whatsapp es {d2} {d2} | {d3} | {d3}.',
  ],
  email: [
    'Mi correo es {name} arroba | hotmail punto com.',
    'Es {name} punto {surname} | arroba gmail punto com.',
  ],
  closed: [
    'Tengo un restaurante | en el centro de {city}.',
    'Quiero información | sobre la llamada gratuita.',
    'Puedo el {day} | pero sólo en la mañana.',
    'Ya hablé con ustedes | la semana pasada.',
    'Me interesa la propuesta | aunque tengo una duda.',
    'Somos {count} empleados | contando a mi hermano.',
    'Quiero cambiar la cita | porque salgo de viaje.',
    'Está bien | pero mándeme la información antes.',
  ],
}

const ENGLISH: Record<HesitationKind, string[]> = {
  open: [
    'I would like to make an appointment for | next {day}.',
    'I was wondering if | you have anything on {day}.',
    'I need to talk to | someone in billing.',
    'We have a small shop in | downtown {city}.',
    'The thing is that | I am not really interested.',
    'I am looking for a | policy for my truck.',
    'There are {count} of us and | everybody is full time.',
    'You can call me on {day} after | five in the afternoon.',
    'I am not sure whether | my accountant has done it.',
    'My partner and | I want to look at it together.',
    'I would like to change my | delivery address.',
    'How much is the | complete service?',
    'I think that | it makes sense for us.',
    'I am calling because | the invoice never came.',
    'Yes, but | I am driving right now.',
    'I want to cancel the | appointment on {day}.',
  ],
  filler: [
    'Yes, um | I wanted to ask about the prices.',
    'I want an appointment, uh | for {day}.',
    'Let me see | yes, {day} works.',
    'Well, you know | I am not convinced.',
    'I work with, um | a builder in {city}.',
  ],
  number: [
    'My number is {d3} | {d3} | {d4}.',
    'It is {d3} | {d3} | {d2} | {d2}.',
    'You can reach me at {d3} | {d3} | {d4}.',
    'The phone is {d2} | {d4} | {d4}.',
  ],
  email: [
    'My email is {name} at | hotmail dot com.',
    'It is {name} dot {surname} | at gmail dot com.',
  ],
  closed: [
    'I have a restaurant | in the centre of {city}.',
    'I want information | about the free call.',
    'I can do {day} | but only in the morning.',
    'I talked to you people | last week.',
    'I like the offer | although I have a question.',
    'I want to change the appointment | because I will be away.',
    'That is fine | but send me the details first.',
  ],
}

export const HESITANT_TEXTS = { 'es-MX': SPANISH, 'en-US': ENGLISH }

export const FILLINGS = {
  'es-MX': {
    day: ['lunes', 'martes', 'miércoles', 'jueves', 'viernes', 'sábado'],
    city: ['Guadalajara', 'Monterrey', 'Puebla', 'Mérida', 'Toluca'],
    surname: ['Ramírez', 'Ortega', 'Navarro', 'Salinas', 'Cervantes'],
    name: ['claudia', 'fernando', 'patricia', 'ricardo', 'mariana'],
    count: ['cuatro', 'seis', 'ocho', 'doce', 'quince', 'veinte'],
    digit: ['cero', 'uno', 'dos', 'tres', 'cuatro', 'cinco', 'seis', 'siete', 'ocho', 'nueve'],
  },
  'en-US': {
    day: ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'],
    city: ['Chicago', 'Houston', 'Denver', 'Phoenix', 'Austin'],
    surname: ['ramsey', 'walker', 'turner', 'collins', 'bennett'],
    name: ['claudia', 'frederick', 'patricia', 'richard', 'monica'],
    count: ['four', 'six', 'eight', 'twelve', 'fifteen', 'twenty'],
    digit: ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'],
  },
} as const

/** What ends a turn without hesitation: latency is measured on these too, as in a real call. */
export const FLUENT_TEXTS = {
  'es-MX': [
    'Sí, está bien.',
    'No, gracias.',
    'Sí, claro, dígame.',
    '¿A qué hora abren mañana?',
    '¿Cuánto cuesta la consulta?',
    'Tengo un taller mecánico en Puebla.',
    'Somos ocho empleados.',
    'El martes por la tarde.',
    'Muchas gracias, hasta luego.',
    'No me interesa, gracias.',
  ],
  'en-US': [
    'Yes, that is fine.',
    'No, thank you.',
    'Sure, go ahead.',
    'What time do you open tomorrow?',
    'How much is the consultation?',
    'I have a repair shop in Denver.',
    'We are eight employees.',
    'Tuesday in the afternoon.',
    'Thank you very much, goodbye.',
    'I am not interested, thanks.',
  ],
} as const
