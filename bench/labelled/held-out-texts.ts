/**
 * The held-out part of the labelled sets: other sentences than hesitant-texts.ts and overlap-texts.ts, other names, other
 * voices. Nothing may be tuned with these at hand: what is wrong in their results is looked for in the tuning part.
 */
import type { HesitationKind } from './hesitant-texts.ts'
import type { SetTexts } from './set-texts.ts'

const SPANISH: Record<HesitationKind, string[]> = {
  open: [
    'Quisiera reservar una mesa para | {count} personas el {day}.',
    'Fíjese que mi esposa y | yo tenemos una panadería.',
    'Me dijeron que | ustedes arreglan lo del impuesto.',
    'El recibo llegó a nombre de | la señora {surname}.',
    'Trabajamos desde hace | quince años en {city}.',
    'Le marco para | confirmar lo del {day}.',
    'Creo que mi contador tiene | todos los papeles.',
    'Necesitaría que | me mandaran la cotización.',
    'Voy a estar en | la oficina hasta las seis.',
    'Lo que pasa es que | ya no tengo empleados.',
    'Queremos abrir otra sucursal en | {city} el año que viene.',
    'Antes lo llevaba un | despacho muy grande.',
  ],
  filler: [
    'Mire, eh | nosotros vendemos muebles.',
    'Yo diría que, este | a partir del {day}.',
    'Híjole, pues | la verdad no me acuerdo.',
    'Somos, este | como {count} en la bodega.',
  ],
  number: [
    'Márqueme al {d2} | {d2} | {d3} | {d3}.',
    'El celular es {d3} | {d3} | {d4}.',
    'Mi cuenta termina en {d4} | {d4}.',
    'Le doy el otro, {d2} | {d4} | {d4}.',
  ],
  email: [
    'Escríbame a {name} | arroba outlook punto com.',
    'Es ventas guion bajo {surname} arroba | yahoo punto com.',
  ],
  closed: [
    'Mi negocio está cerrado | hasta el {day}.',
    'Ya tengo seguro | con otra compañía.',
    'Pagamos mucho de impuestos | desde el año pasado.',
    'Estoy en {city} | visitando a un cliente.',
    'Prefiero la mañana | si se puede.',
  ],
}

const ENGLISH: Record<HesitationKind, string[]> = {
  open: [
    'I want to book a table for | {count} people on {day}.',
    'My wife and | I run a bakery together.',
    'Somebody told me that | you can help with the taxes.',
    'The bill came in the name of | a mister {surname}.',
    'We have been here since | the end of last year.',
    'I am just calling to | confirm the meeting on {day}.',
    'We would need a | quote before the summer.',
    'I will be at | the office until six.',
    'The problem is that | we have no employees left.',
    'We are opening a second store in | {city} next spring.',
    'If you could send the | papers to my office.',
    'It used to be with | a very large firm.',
  ],
  filler: [
    'Well, uh | we sell furniture mostly.',
    'I would say, um | starting next {day}.',
    'We are, uh | about {count} in the warehouse.',
    'Hmm, let me think | maybe in the afternoon.',
  ],
  number: [
    'Call me on {d3} | {d3} | {d2} | {d2}.',
    'My cell is {d3} | {d3} | {d4}.',
    'The account ends in {d4} | {d4}.',
    'The other one is {d2} | {d2} | {d3} | {d3}.',
  ],
  email: [
    'Write to {name} | at outlook dot com.',
    'It is sales underscore {surname} at | yahoo dot com.',
  ],
  closed: [
    'My shop is closed | until {day}.',
    'I already have insurance | with another company.',
    'We pay a lot of taxes | since last year.',
    'I am in {city} | visiting a client.',
    'I prefer the morning | if that works.',
  ],
}

export const HELD_OUT_TEXTS: SetTexts = {
  hesitant: { 'es-MX': SPANISH, 'en-US': ENGLISH },
  fillings: {
    'es-MX': {
      day: ['lunes', 'jueves', 'domingo', 'sábado'],
      city: ['Querétaro', 'Tijuana', 'León', 'Oaxaca', 'Cancún'],
      surname: ['Mendoza', 'Guerrero', 'Valdés', 'Rosales', 'Peña'],
      name: ['lucía', 'alejandro', 'gabriela', 'roberto', 'daniela'],
      count: ['tres', 'cinco', 'siete', 'nueve', 'once', 'treinta'],
      digit: ['cero', 'uno', 'dos', 'tres', 'cuatro', 'cinco', 'seis', 'siete', 'ocho', 'nueve'],
    },
    'en-US': {
      day: ['Monday', 'Thursday', 'Sunday', 'Saturday'],
      city: ['Boston', 'Seattle', 'Dallas', 'Memphis', 'Portland'],
      surname: ['miller', 'parker', 'hughes', 'foster', 'bailey'],
      name: ['laura', 'alexander', 'gabriela', 'robert', 'daniel'],
      count: ['three', 'five', 'seven', 'nine', 'eleven', 'thirty'],
      digit: ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'],
    },
  },
  agents: {
    'es-MX': [
      'Claro que sí, nuestro equipo acompaña a empresas como la suya desde hace más de diez años, y la primera consulta no se cobra. Después usted recibe un resumen por escrito con los pasos que siguen.',
      'Le comento rápidamente: analizamos su declaración, buscamos deducciones que no se han usado y le decimos cuánto podría recuperar. Si le parece bien, agendamos la reunión para esta misma semana.',
      'La reunión es por videollamada y dura alrededor de media hora. Solamente necesitamos saber a qué se dedica su empresa, cuántas personas trabajan con usted y quién lleva la contabilidad.',
    ],
    'en-US': [
      'Of course, our team has worked with companies like yours for more than ten years, and the first meeting is free of charge. Afterwards you receive a short summary in writing with the next steps.',
      'Let me tell you quickly: we read your tax return, look for deductions that nobody has used and tell you how much you could recover. If that sounds good, we can set up a meeting this week.',
      'The meeting is a video call and takes about half an hour. We only need to know what your company does, how many people work for you and who keeps the books.',
    ],
  },
  interruptions: {
    'es-MX': [
      'Perdón, no entendí.',
      'Oiga, ya me hablaron ayer.',
      '¿De qué empresa me habla?',
      'Ahorita no puedo hablar.',
      'Déjeme preguntarle algo.',
      'Eso ya lo tengo resuelto.',
      '¿Quién le dio mi número?',
      'No me marque otra vez.',
      'Más despacio, por favor.',
      'Quiero hablar con una persona.',
    ],
    'en-US': [
      'Sorry, I did not get that.',
      'Somebody called me yesterday.',
      'Which company is this?',
      'I cannot talk right now.',
      'Let me ask you something.',
      'We have already solved that.',
      'Who gave you my number?',
      'Do not call me again.',
      'Slow down, please.',
      'I want to talk to a person.',
    ],
  },
  backchannels: {
    'es-MX': ['Ya.', 'Perfecto.', 'Muy bien.', 'Sí, claro.', 'Órale.', 'Correcto.', 'Así es.'],
    'en-US': ['Yep.', 'Alright.', 'Okay, sure.', 'Right, right.', 'I understand.', 'Great.'],
  },
  speakers: [
    { speed: 0.9, pitch: 0.86 },
    { speed: 1.1, pitch: 0.93 },
    { speed: 1.15, pitch: 1.08 },
    { speed: 0.95, pitch: 1.16 },
  ],
}
