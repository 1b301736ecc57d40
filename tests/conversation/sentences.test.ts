import { describe, expect, it } from 'vitest'
import { SentenceSplitter } from '../../server/conversation/sentences.ts'

/** The pieces when the text arrives in chunks of `size` characters. */
function split(text: string, size: number, language = 'es-MX'): string[] {
  const splitter = new SentenceSplitter(language)
  const out: string[] = []
  for (let i = 0; i < text.length; i += size) out.push(...splitter.push(text.slice(i, i + size)))
  return [...out, ...splitter.flush()]
}

const CASES: [string, string, string[], string?][] = [
  [
    'ends sentences at full stop, question and exclamation mark',
    'Hola, buenas tardes. ¿Con quién tengo el gusto? ¡Qué bueno que llama!',
    ['Hola, buenas tardes.', '¿Con quién tengo el gusto?', '¡Qué bueno que llama!'],
  ],
  [
    'keeps decimals and thousands together',
    'Cuesta 3.5 millones, o sea 3.500.000 pesos. Nada más.',
    ['Cuesta 3.5 millones, o sea 3.500.000 pesos.', 'Nada más.'],
  ],
  [
    'keeps abbreviations together',
    'Le atiende el Dr. Pérez. La Sra. Gómez llega a las 5 p. m. del lunes.',
    ['Le atiende el Dr. Pérez.', 'La Sra. Gómez llega a las 5 p. m. del lunes.'],
  ],
  [
    'keeps e-mail and web addresses together',
    'Escriba a ana.lopez@correo.com.mx hoy. O vea www.correo.com ahora.',
    ['Escriba a ana.lopez@correo.com.mx hoy.', 'O vea www.correo.com ahora.'],
  ],
  [
    'goes on after an ellipsis in front of a small letter',
    'Bueno... pues depende. Veamos… Claro que sí se puede.',
    ['Bueno... pues depende.', 'Veamos… Claro que sí se puede.'],
  ],
  [
    'joins short later sentences',
    'Entiendo perfectamente. Sí. Claro. Vamos a verlo.',
    ['Entiendo perfectamente.', 'Sí. Claro. Vamos a verlo.'],
  ],
  ['lets a short first sentence go alone', 'Sí. Con mucho gusto.', ['Sí.', 'Con mucho gusto.']],
  [
    'ends at a line break',
    'Primero el nombre\nDespués el teléfono',
    ['Primero el nombre', 'Después el teléfono'],
  ],
  [
    'keeps the number of a list with its text',
    'Mire estas opciones: \n1. Por la mañana temprano. \n2. Por la tarde.',
    ['Mire estas opciones:', '1. Por la mañana temprano.', '2. Por la tarde.'],
  ],
  ['ends a sentence at "no."', 'Creo que no. Pero veamos.', ['Creo que no.', 'Pero veamos.']],
  [
    'keeps English abbreviations together',
    'Please ask Mr. Smith about it. He lives on St. James Ave. near us.',
    ['Please ask Mr. Smith about it.', 'He lives on St. James Ave. near us.'],
    'en-US',
  ],
]

describe('sentences', () => {
  it.each(CASES)('%s', (_title, text, expected, language) => {
    expect(split(text, text.length, language)).toEqual(expected)
  })

  it.each(CASES)(
    'cuts the same in chunks of 1, 3 and 7: %s',
    (_title, text, expected, language) => {
      for (const size of [1, 3, 7]) expect(split(text, size, language)).toEqual(expected)
    },
  )

  it('cuts the first piece at the comma after 24 characters, before its sentence is complete', () => {
    const splitter = new SentenceSplitter('es-MX')
    expect(splitter.push('Con muchísimo gusto le ayudo, solo ')).toEqual([
      'Con muchísimo gusto le ayudo,',
    ])
    expect(splitter.push('necesito que me diga, por favor, su nombre')).toEqual([])
  })

  it('does not wait for the word after a full stop and a space', () => {
    expect(new SentenceSplitter('es-MX').push('Claro que sí. ')).toEqual(['Claro que sí.'])
  })

  it('cuts 1000 characters without punctuation into pieces of at most 240', () => {
    const text = 'palabra '.repeat(125).trim()
    const pieces = split(text, 11)
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(240)
    expect(pieces.join(' ')).toBe(text)
  })
})
