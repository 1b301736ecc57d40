import { describe, expect, it } from 'vitest'
import { rejection } from '../../server/conversation/input-filter.ts'

const SETTINGS = {
  language: 'es-MX',
  inputMinCharacters: 10,
  hallucinationBlacklist: ['Pero.', 'Y...', 'Mm.'],
}

describe('input-filter', () => {
  it.each(['pero', 'Y', 'mm', 'PERO!'])(
    'rejects the hallucination "%s" whatever its case and punctuation',
    (text) => {
      expect(rejection(text, SETTINGS)).toBe('blacklist')
    },
  )

  it('rejects the whole text only, not a word in it', () => {
    expect(rejection('Pero quiero saber más.', SETTINGS)).toBeNull()
  })

  it.each(['', '...', 'eh', 'la casa'])('rejects "%s" as shorter than 10 characters', (text) => {
    expect(rejection(text, SETTINGS)).toBe('tooShort')
  })

  it.each(['Sí.', 'No', 'tres', '25', 'El 5', 'Gracias'])('keeps the short answer "%s"', (text) => {
    expect(rejection(text, SETTINGS)).toBeNull()
  })
})
