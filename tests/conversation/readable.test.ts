import { describe, expect, it } from 'vitest'
import { readable } from '../../server/conversation/readable.ts'

describe('readable', () => {
  it.each([
    ['Llame al 5512345678.', 'Llame al 55, 12, 34, 56, 78.'],
    ['Llame al 55 1234 5608.', 'Llame al 55, 12, 34, 56, 0 8.'],
    ['Es el +52 55 1234 5678', 'Es el 52, 55, 12, 34, 56, 78'],
    ['Nos vemos el 24/11/2026.', 'Nos vemos el 24 de noviembre de 2026.'],
    ['Nos vemos el 2026-11-24.', 'Nos vemos el 24 de noviembre de 2026.'],
    ['A las 17:30 en punto.', 'A las 5 y media de la tarde en punto.'],
    ['A las 09:05.', 'A las 9 y 5 de la mañana.'],
    ['Cuesta $1,500.50 al mes.', 'Cuesta 1500 pesos con 50 centavos al mes.'],
    ['Cuesta US$20.', 'Cuesta 20 dólares.'],
    ['Un 10% menos.', 'Un 10 por ciento menos.'],
    ['Somos 12 personas desde 1998.', 'Somos 12 personas desde 1998.'],
    ['Su folio es 48213.', 'Su folio es 48213.'],
    ['Mide 3.14 metros.', 'Mide 3.14 metros.'],
  ])('says in Spanish: %s', (text, said) => {
    expect(readable(text, 'es-MX')).toBe(said)
  })

  it.each([
    ['Call 312-555-0123.', 'Call 31, 25, 55, 0 1, 23.'],
    ['See you on 11/24/2026.', 'See you on November 24, 2026.'],
    ['At 17:05 sharp.', 'At 5 oh 5 p.m. sharp.'],
    ['It is $1,500.', 'It is 1500 dollars.'],
    ['It is $20.50.', 'It is 20 dollars and 50 cents.'],
    ['About 10% less.', 'About 10 percent less.'],
  ])('says in English: %s', (text, said) => {
    expect(readable(text, 'en-US')).toBe(said)
  })

  it('leaves an impossible date as it is', () => {
    expect(readable('El 45/13/2026.', 'es-MX')).toBe('El 45/13/2026.')
  })
})
