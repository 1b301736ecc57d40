/**
 * Hesitant speech as text: `|` is a pause of 600-900 ms in the middle of the turn. `{…}` is filled in by the generator.
 *
 * open      the pause follows a word after which a sentence cannot end (conjunction, preposition, article, verb)
 * filler    … a sound of somebody looking for the word
 * number    … a group of a dictated number      email   … a part of an address
 * closed    … words that could be a whole turn: nothing in the text tells it from the end
 *
 * The endpointing was tuned with these texts at hand: figures from them flatter it. held-out-texts.ts has others.
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
    'Le quería preguntar si | hacen envíos a {city}.',
    'La factura salió con | el nombre equivocado.',
    'Nuestra empresa está en | la zona industrial de {city}.',
    'Me urge hablar con alguien de | contabilidad.',
    'El problema que tengo es | que no me llega el correo.',
    'Mi hija trabaja en una | escuela de {city}.',
    'Necesitamos por lo menos | {count} lugares.',
    'Tendría que hablarlo con mi | esposo primero.',
    'Hace como dos meses que | no recibo nada.',
    'Podríamos vernos el {day} a | las diez.',
    'Empezamos a facturar desde | enero.',
    'Yo le marco cuando | salga de la junta.',
  ],
  filler: [
    'Sí, este | quería preguntar por los precios.',
    'Quiero una cita, eh | para el {day}.',
    'Déjeme ver | sí, el {day} puedo.',
    'Pues mire, o sea | no estoy muy convencido.',
    'Trabajo con, este | con una constructora en {city}.',
    'Bueno, a ver | creo que son {count} personas.',
    'Bueno, eh | mire, yo quería otra cosa.',
    'Es que, este | no traigo los datos aquí.',
    'A ver, mmm | creo que el {day} sí.',
  ],
  number: [
    'Mi número es {d2} | {d4} | {d4}.',
    'Es el {d2} | {d2} | {d2} | {d2} | {d2}.',
    'Anote, {d3} | {d3} | {d4}.',
    'El teléfono es {d3} | {d3} | {d2} | {d2}.',
    'Mi whatsapp es {d2} {d2} | {d3} | {d3}.',
    'Mi teléfono es {d3} | {d3} | {d4}.',
    'Apunte, {d2} | {d4} | {d4}.',
    'El folio es {d3} | {d3}.',
    'Es el {d3} | {d2} | {d2} | {d3}.',
  ],
  email: [
    'Mi correo es {name} arroba | hotmail punto com.',
    'Es {name} punto {surname} | arroba gmail punto com.',
    'Mi correo es {name} {surname} arroba | gmail punto com.',
    'Le dicto, {name} punto | {surname} arroba hotmail punto com.',
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
    'Me llamo {name} | {surname}.',
    'Abrimos todos los días | menos el {day}.',
    'Quiero cancelar | por ahora.',
    'Tenemos dos locales | y una bodega.',
    'Llámeme mañana | después de comer.',
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
    'I wanted to ask if | you ship to {city}.',
    'The invoice came with | the wrong name.',
    'Our company is in | the industrial park.',
    'I need to speak with someone from | accounting.',
    'The trouble I have is | that the mail never comes.',
    'My daughter works at a | school in {city}.',
    'We need at least | {count} seats.',
    'I would have to ask my | husband first.',
    'It has been two months since | I got anything.',
    'We could meet on {day} at | ten.',
    'We started billing in | January.',
    'I will call you when | I get out of the meeting.',
  ],
  filler: [
    'Yes, um | I wanted to ask about the prices.',
    'I want an appointment, uh | for {day}.',
    'Let me see | yes, {day} works.',
    'Well, you know | I am not convinced.',
    'I work with, um | a builder in {city}.',
    'Well, um | look, I wanted something else.',
    'It is just, uh | I do not have it here.',
    'Let me see, hmm | {day} should work.',
  ],
  number: [
    'My number is {d3} | {d3} | {d4}.',
    'It is {d3} | {d3} | {d2} | {d2}.',
    'You can reach me at {d3} | {d3} | {d4}.',
    'The phone is {d2} | {d4} | {d4}.',
    'My phone is {d3} | {d3} | {d4}.',
    'Write this down, {d2} | {d4} | {d4}.',
    'The reference is {d3} | {d3}.',
    'It is {d3} | {d2} | {d2} | {d3}.',
  ],
  email: [
    'My email is {name} at | hotmail dot com.',
    'It is {name} dot {surname} | at gmail dot com.',
    'My email is {name} {surname} at | gmail dot com.',
    'I will spell it, {name} dot | {surname} at hotmail dot com.',
  ],
  closed: [
    'I have a restaurant | in the centre of {city}.',
    'I want information | about the free call.',
    'I can do {day} | but only in the morning.',
    'I talked to you people | last week.',
    'I like the offer | although I have a question.',
    'I want to change the appointment | because I will be away.',
    'That is fine | but send me the details first.',
    'My name is {name} | {surname}.',
    'We open every day | except {day}.',
    'I want to cancel | for now.',
    'We have two shops | and a warehouse.',
    'Call me tomorrow | after lunch.',
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
