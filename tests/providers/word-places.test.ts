import { describe, expect, it } from 'vitest'
import { WordPlaces } from '../../server/providers/word-places.ts'

describe('the places of spoken words', () => {
  it('are found one after the other in a text that grows meanwhile', () => {
    const places = new WordPlaces()
    expect(places.next('la', 'la mesa, ')).toBe(0)
    expect(places.next('mesa', 'la mesa, ')).toBe(3)
    expect(places.next('la', 'la mesa, la silla.')).toBe(9)
    expect(places.next('silla', 'la mesa, la silla.')).toBe(12)
  })

  it('are unknown for a word that is spelled otherwise, or stands more than 60 characters ahead', () => {
    const text = `El Dr. Ruiz llega. ${'Luego viene algo más. '.repeat(5)}Fin`
    const places = new WordPlaces()
    expect(places.next('El', text)).toBe(0)
    expect(places.next('doctor', text)).toBe(-1)
    expect(places.next('Fin', text)).toBe(-1)
    expect(places.next('Ruiz', text)).toBe(7)
  })
})
