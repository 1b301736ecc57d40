/** What of an unfinished sentence is spoken: never anything that the rest of it could still change. */
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../bench/rig/tone-code.ts'
import { ControlTokenParser } from '../../server/conversation/control-tokens.ts'
import { safePrefix } from '../../server/conversation/growing-sentence.ts'
import { readable } from '../../server/conversation/readable.ts'
import { SentenceSplitter } from '../../server/conversation/sentences.ts'
import { speakable } from '../../server/conversation/speakable.ts'
import { GrowingText } from '../../server/growing-text.ts'

const ANSWERS: [language: string, answer: string][] = [
  ['es-MX', 'Con mucho gusto le explico los beneficios del programa. Son tres.'],
  ['es-MX', 'Sí. Claro que sí, el costo es de $1,250.50 pesos al mes, más IVA.'],
  ['es-MX', 'El costo es de US$99.90 USD por persona, con un 15 % de descuento.'],
  ['es-MX', 'La cita es el 03/12/2026 a las 10:30 hrs. con la Dra. Pérez, en el consultorio 5 B.'],
  ['es-MX', 'Nuestro número es 55 1234 5678 y el otro es +52 (55) 8765-4321. Anótelo por favor.'],
  ['es-MX', '**Muy bien**, le mando un correo a juan_perez@ejemplo.com con _todos_ los datos.'],
  ['es-MX', '1. Abra la página. 2. Busque [el formulario](https://ejemplo.com/a_b) y llénelo.'],
  ['es-MX', 'Claro 😊 , con gusto | le ayudo … dígame ¿en qué puedo “servirle” hoy?'],
  ['es-MX', '- Primero, el nombre\n- Segundo, la edad\n- Tercero, el teléfono: 5512345678'],
  ['es-MX', 'Le paso con una persona [TRANSFER] en este momento. [END_CALL]'],
  ['es-MX', 'Son aprox. 3 etc. y luego etc. Después vemos el No. 5 y el no. También el 10 %.'],
  ['es-MX', 'Bueno... pues mire... El horario es de 9:00 a 18:30 h y los sábados de 9 a 13:00.'],
  ['es-MX', 'Son 100 % seguros — se lo digo yo — y cuestan $ 5 dólares o MX$80 pesos cada uno.'],
  [
    'es-MX',
    'Mire usted que esta es una frase muy larga que no tiene ninguna coma ni punto y que sigue y sigue hablando ' +
      'de todo lo que se puede hablar cuando uno no sabe cómo terminar lo que empezó a decir hace ya bastante rato y ' +
      'todavía no termina de decirlo porque le falta mucho',
  ],
  ['es-MX', `Palabra ${'a'.repeat(130)} ${'b'.repeat(150)} fin, de la frase.`],
  ['en-US', 'Sure, I can help you with that right away. What is your name?'],
  ['en-US', 'It costs $1,299.99 USD per year, i.e. about $108 a month, plus 8.25 % tax.'],
  ['en-US', 'Your appointment with Dr. Smith is on 12/03/2026 at 2:05, room 7.'],
  ['en-US', 'Call 212-555-0143 or (212) 555-0199 ext. 5, or visit www.example.com/a*b*c today!'],
  ['en-US', 'U.S. customers: use `code` *A1B2* <now> {please} # 5, and don’t wait — it’s “free”!'],
  ['en-US', '> Quoted text\n## Title\nThen the rest of it, which is 2026-12-24 at 9:00 h sharp.'],
  [
    'en-US',
    'Great 👍🏽 news: the flag 🇲🇽 is here!! Is it? Yes!! OK. Fine. So be it then, my friend.',
  ],
]
const SEEDS = 40
const PARTS = (
  'hola qué a y el USD MXN pesos dólares h hr hrs no No. etc. Dr. U.S. US$ MX$ $ $5 $1,2 .50 5 12 55 1234 5678 10:30 3/4/2026 ' +
  '2026-12-24 +52 (55) 8 % 5% * ** _ __ _a_ ~~ ` ``` [x] [a](b) [END_CALL] ( ) < > { } | # - • — … ... . , ; : ? ! ¿ ¡ " “ ” 😊 ' +
  '🇲🇽 © a_b a@b.c www.x.y/z don’t l’eau niño 5B B5 km/h uno. dos, tres; cuatro: cinco? \n'
).split(' ')

/** The model's text in pieces of 1 to 12 characters, as the conversation sees it. Every sentence, and what it grew through. */
function* grown(answer: string, language: string, random: () => number) {
  const tokens = new ControlTokenParser()
  const splitter = new SentenceSplitter(language)
  let prefixes: string[] = []
  for (let at = 0; at <= answer.length;) {
    const isEnd = at === answer.length
    const next = at + 1 + Math.floor(random() * 12)
    for (const piece of isEnd ? tokens.flush() : tokens.push(answer.slice(at, next))) {
      if (piece.kind !== 'text') continue
      for (const sentence of splitter.push(piece.text)) {
        yield { sentence, prefixes }
        prefixes = []
      }
      const prefix = safePrefix(splitter.open, language)
      if (prefix !== '') prefixes.push(prefix)
    }
    at = isEnd ? next : Math.min(next, answer.length)
  }
  for (const sentence of splitter.flush()) {
    yield { sentence, prefixes }
    prefixes = []
  }
}

describe('a sentence that is still being written', () => {
  it.each(ANSWERS)(
    'in %s, cut anywhere, is spoken exactly as when it is whole: %s',
    async (language, answer) => {
      for (let seed = 1; seed <= SEEDS; seed++) {
        for (const { sentence, prefixes } of grown(answer, language, seededRandom(seed))) {
          const whole = readable(speakable(sentence), language)
          const text = new GrowingText()
          for (const prefix of prefixes) text.grow(prefix)
          text.finish(whole)
          expect(text.dropped).toBe(0)
          let said = ''
          for await (const piece of text) said += piece
          expect(said.trimEnd()).toBe(whole)
        }
      }
    },
  )

  it('is spoken as when it is whole for 4000 texts thrown together of words, numbers and marks', async () => {
    const random = seededRandom(7)
    const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)]!
    for (let round = 0; round < 4_000; round++) {
      const answer = Array.from({ length: 3 + Math.floor(random() * 25) }, () => pick(PARTS)).join(
        random() < 0.7 ? ' ' : '',
      )
      const language = pick(['es-MX', 'en-US'])
      for (const { sentence, prefixes } of grown(answer, language, random)) {
        const whole = readable(speakable(sentence), language)
        const text = new GrowingText()
        for (const prefix of prefixes) text.grow(prefix)
        text.finish(whole)
        expect([text.dropped, text.text.trimEnd()], answer).toEqual([0, whole])
      }
    }
  })

  it('gives out whole words only, each once the next one has begun', () => {
    expect(safePrefix('Con mucho gus', 'es-MX')).toBe('Con mucho ')
    expect(safePrefix('Con mucho gusto', 'es-MX')).toBe('Con mucho ')
    expect(safePrefix('Con mucho gusto ', 'es-MX')).toBe('Con mucho ')
    expect(safePrefix('Con mucho gusto l', 'es-MX')).toBe('Con mucho gusto ')
    expect(safePrefix('Con', 'es-MX')).toBe('')
  })

  it.each([
    ['a price waits for the word behind it', 'Hoy cuesta $5 d', 'Hoy '],
    ['which may be its unit', 'Cuesta $5 dólares al mes', 'Cuesta 5 dólares al '],
    ['a telephone number in parts is one number', 'Es el 55 1234 56', 'Es '],
    ['a time with its hours', 'A las 10:30 h en', 'A las 10 y media de la mañana '],
    ['nothing goes out behind an open mark', 'Le digo *que no quiero nada', 'Le '],
    ['nor behind an open bracket', 'Vea usted [el formulario de', 'Vea '],
    ['nor an address', 'Escriba a juan_perez@ejemplo.com o llame', 'Escriba a '],
    ['a comma that stands alone belongs to the word before', 'Hola , qué tal', 'Hola, qué '],
    ['an emoji ends it', 'Hola amigo 😊 qué tal', 'Hola '],
  ])('keeps back what may change: %s', (_what, open, prefix) => {
    expect(safePrefix(open, 'es-MX')).toBe(prefix)
  })

  it('waits for the rest behind 120 characters, where a late cut could fall', () => {
    expect(safePrefix('palabra '.repeat(15), 'es-MX')).toHaveLength(14 * 8)
    expect(safePrefix('palabra '.repeat(29), 'es-MX')).toHaveLength(15 * 8)
  })
})
