import { describe, expect, it } from 'vitest'
import { completeness } from '../../server/conversation/completeness.ts'

const COMPLETE: [string, string][] = [
  ['es-MX', '¿Cuánto cuesta?'],
  ['es-MX', 'Quiero una cita para el martes.'],
  ['es-MX', 'Sí.'],
  ['es-MX', 'no, gracias'],
  ['es-MX', 'Así es.'],
  ['es-MX', 'No quiero.'],
  ['es-MX', 'Creo que sí.'],
  ['es-MX', 'Nada más.'],
  ['es-MX', 'Yo también.'],
  ['es-MX', 'Prefiero hablar con él.'],
  ['es-MX', '¿Por qué?'],
  ['es-MX', 'Mi número es 55 1234 5678.'],
  ['es-MX', 'Mi correo es ana arroba gmail punto com'],
  ['es-MX', 'Tengo treinta y cinco.'],
  ['es-MX', 'El 25 de noviembre de 2026.'],
  ['en-US', 'What does it cost?'],
  ['en-US', 'Yes, please.'],
  ['en-US', 'My email is ana at gmail dot com.'],
  ['en-US', "I can't."],
  ['en-US', 'No, I am not.'],
  ['en-US', 'Of course not.'],
]

const GOES_ON: [string, string][] = [
  ['es-MX', 'Quiero una cita y.'],
  ['es-MX', 'Necesito hablar con.'],
  ['es-MX', 'Me llamo.'],
  ['es-MX', 'Quisiera.'],
  ['es-MX', 'Estoy buscando un, eh'],
  ['es-MX', 'La verdad es que'],
  ['es-MX', 'Es para mi.'],
  ['es-MX', 'Bueno, o sea'],
  ['es-MX', 'Pues...'],
  ['es-MX', 'El martes,'],
  ['es-MX', 'Mi número es 55 12 34.'],
  ['es-MX', 'cinco cinco uno dos'],
  ['es-MX', 'Mi correo es ana arroba'],
  ['es-MX', 'ana.lopez@gmail'],
  ['en-US', 'I would like to.'],
  ['en-US', 'I want an appointment and'],
  ['en-US', 'It is, you know'],
  ['en-US', 'I am not.'],
  ['en-US', "I'm not"],
  ['en-US', 'five five five one'],
  ['en-US', 'My email is ana at'],
]

describe('completeness', () => {
  it.each(COMPLETE)('%s: "%s" is complete (≥ 0.8)', (language, text) => {
    expect(completeness(text, language)).toBeGreaterThanOrEqual(0.8)
  })

  it.each(GOES_ON)('%s: "%s" goes on (≤ 0.15)', (language, text) => {
    expect(completeness(text, language)).toBeLessThanOrEqual(0.15)
  })

  it('is undecided about words without punctuation', () => {
    expect(completeness('quiero una cita', 'es-MX')).toBe(0.52)
    expect(completeness('el martes', 'es-MX')).toBe(0.5)
    expect(completeness('', 'es-MX')).toBe(0.5)
  })

  it('believes a longer statement more, one that says why still more, and never above 0.82', () => {
    const of = (text: string) => completeness(text, 'es-MX')
    expect(of('quiero cambiar la cita del martes')).toBeCloseTo(0.64)
    expect(of('quiero cambiar la cita porque salgo de viaje')).toBeCloseTo(0.8)
    expect(of('quiero cambiar la cita del martes porque salgo de viaje a Puebla')).toBe(0.82)
  })

  it('closes on thanks and on questions without their marks', () => {
    expect(completeness('ya no gracias', 'es-MX')).toBe(0.9)
    expect(completeness('cuánto cuesta la consulta', 'es-MX')).toBe(0.9)
    expect(completeness('what time do you open', 'en-US')).toBe(0.9)
    expect(completeness('cuánto cuesta el', 'es-MX')).toBe(0.1)
  })

  it('waits for the five digits of a postal code and the ten of a telephone', () => {
    expect(completeness('mi código postal es cuatro cuatro uno', 'es-MX')).toBe(0.15)
    expect(completeness('mi código postal es cuatro cuatro uno seis cero', 'es-MX')).toBe(0.85)
    expect(completeness('mi teléfono es 33 12', 'es-MX')).toBe(0.15)
    expect(completeness('my zip code is nine zero two one zero', 'en-US')).toBe(0.85)
  })

  it('waits for the rest of an address that has begun with a name and a dot', () => {
    expect(completeness('es claudia punto ramírez', 'es-MX')).toBe(0.25)
    expect(completeness('it is claudia dot ramsey', 'en-US')).toBe(0.25)
  })
})
