import { describe, expect, test } from 'vitest'
import { LATENCY_PARTS } from '../../dashboard/src/call/latency.ts'
import { MESSAGES, isMessageKey, translate } from '../../dashboard/src/language/messages.ts'
import { FIELDS, SECTIONS } from '../../dashboard/src/settings/fields.ts'
import { END_REASONS } from '../../server/call/call-state.ts'

const places = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort()

describe('messages', () => {
  test('has the same keys in Spanish and in English', () => {
    expect(Object.keys(MESSAGES.en).sort()).toEqual(Object.keys(MESSAGES.es).sort())
  })

  test('has no empty text, and the same places to fill in both languages', () => {
    for (const [key, text] of Object.entries(MESSAGES.es)) {
      const english = MESSAGES.en[key as keyof typeof MESSAGES.en]
      expect(text.trim(), key).not.toBe('')
      expect(english.trim(), key).not.toBe('')
      expect(places(english), key).toEqual(places(text))
    }
  })

  test('names every end reason, field, hint, section, option and latency part', () => {
    const keys = [
      ...END_REASONS.map((reason) => `end.${reason}`),
      ...FIELDS.flatMap(({ name }) => [`field.${name}`, `hint.${name}`]),
      ...FIELDS.flatMap((field) => ('options' in field ? field.options : [])).map(
        (option) => `option.${option}`,
      ),
      ...SECTIONS.map((section) => `section.${section}`),
      ...LATENCY_PARTS.map((part) => `latency.part.${part}`),
    ]
    expect(keys.filter((key) => !isMessageKey(key))).toEqual([])
  })

  test('fills places and leaves one without a value as it is', () => {
    expect(translate('es', 'calls.range', { from: 1, to: 20, total: '57' })).toBe('1–20 de 57')
    expect(translate('en', 'calls.range', { from: 1 })).toBe('1–{to} of {total}')
  })

  test('does not take an inherited property for a key', () => {
    expect(isMessageKey('toString')).toBe(false)
  })
})
