import { describe, expect, test } from 'vitest'
import * as form from '../../dashboard/src/settings/form.ts'
import { FIELDS, LANGUAGES } from '../../dashboard/src/settings/fields.ts'
import type { FieldName } from '../../dashboard/src/settings/fields.ts'
import { DEFAULT_SETTINGS, agentSettings, profileSettings } from '../../server/agent-settings.ts'

const settings = DEFAULT_SETTINGS
const field = (name: FieldName) => FIELDS.find((each) => each.name === name)!

const TOOL = {
  ...{ name: 'find', description: 'Finds.', method: 'GET', url: 'https://example.com/' },
  ...{ headers: {}, timeoutMs: 1_000, retries: 0 },
  parameters: { type: 'object', properties: {} },
}

describe('fields', () => {
  test('has exactly one field for every setting of the schema', () => {
    const names = FIELDS.map(({ name }) => name).sort()
    expect(names).toEqual(Object.keys(profileSettings.shape).sort())
  })

  test('accepts and refuses the same limits as the server', () => {
    for (const each of FIELDS) {
      for (const value of edgesOf(each)) {
        const server = profileSettings.shape[each.name].safeParse(value).success
        const here = form.problemOf(each, value) === null
        expect(here, `${each.name} ${JSON.stringify(value).slice(0, 40)}`).toBe(server)
      }
    }
  })

  test('offers only languages that the server accepts', () => {
    for (const language of LANGUAGES) {
      expect(profileSettings.shape.language.safeParse(language).success).toBe(true)
    }
  })
})

/** Values on both sides of every limit of a field. */
function edgesOf(each: (typeof FIELDS)[number]): unknown[] {
  if ('step' in each) {
    const edges = [each.min, each.max, each.min - 0.5, each.max + 0.5, each.min + 0.25, NaN]
    return edges
  }
  if ('maxItems' in each) {
    const word = (length: number) => 'x'.repeat(length)
    const many = (count: number) =>
      Array.from({ length: count }, (_, i) => (each.item ? 'es-MX' : `w${i}`))
    return [[], many(each.maxItems), many(each.maxItems + 1), [word(each.maxItemLength + 1)]]
  }
  if (each.control === 'json') return [[], [TOOL], [TOOL, {}], 'text', null, [1]]
  if (each.control === 'phone') return ['+525512345678', '5512345678', '+0123456789', null]
  if (each.control === 'language') return ['es-MX', 'es', 'ES-mx', '']
  if ('maxLength' in each) {
    const long = ['x'.repeat(each.maxLength), 'x'.repeat(each.maxLength + 1)]
    return each.required ? [...long, ''] : long
  }
  return 'options' in each ? [...each.options, 'other'] : [true, false, 'yes']
}

describe('form', () => {
  test('takes a profile value from the base until the profile has its own', () => {
    expect(form.inherits(settings, 'twilio', 'temperature')).toBe(true)
    expect(form.valueIn(settings, 'twilio', 'temperature')).toBe(0.7)
    expect(form.inherits(settings, 'twilio', 'voiceSpeed')).toBe(false)
    expect(form.valueIn(settings, 'twilio', 'voiceSpeed')).toBe(0.9)
    expect(form.inherits(settings, 'base', 'temperature')).toBe(false)
  })

  test('keeps 0, false and the empty text as own values', () => {
    let draft = form.withValue(settings, { scope: 'browser', name: 'interruptionWords' }, 0)
    draft = form.withValue(draft, { scope: 'browser', name: 'recording' }, false)
    draft = form.withValue(draft, { scope: 'browser', name: 'idleMessage' }, '')
    expect(draft.profiles.browser).toEqual({
      interruptionWords: 0,
      recording: false,
      idleMessage: '',
    })
    expect(form.valueIn(draft, 'browser', 'interruptionWords')).toBe(0)
    expect(agentSettings.safeParse(draft).success).toBe(true)
  })

  test('leaves the document it was given alone', () => {
    const before = structuredClone(settings)
    form.withValue(settings, { scope: 'base', name: 'temperature' }, 1)
    form.withoutValue(settings, 'twilio', 'voiceSpeed')
    expect(settings).toEqual(before)
  })

  test('lists changed paths, and none after the value is set back', () => {
    const at = { scope: 'base', name: 'temperature' } as const
    const changed = form.withValue(settings, at, 1.2)
    expect(form.changedPaths(settings, changed)).toEqual(['base.temperature'])
    expect(form.changedPaths(settings, form.withValue(changed, at, 0.7))).toEqual([])
  })

  test('counts an own value equal to the base as a change, for it no longer follows the base', () => {
    const at = { scope: 'telnyx', name: 'temperature' } as const
    const draft = form.withValue(settings, at, 0.7)
    expect(form.changedPaths(settings, draft)).toEqual(['profiles.telnyx.temperature'])
    expect(form.withoutValue(draft, 'telnyx', 'temperature')).toEqual(settings)
  })

  test('does not count a base change in the profiles that inherit it', () => {
    const draft = form.withValue(settings, { scope: 'base', name: 'stopWords' }, ['alto'])
    expect(form.changedPaths(settings, draft)).toEqual(['base.stopWords'])
  })

  test('finds no problem in the default settings', () => {
    expect(form.problemsOf(settings).size).toBe(0)
  })

  test('reports a range with its two limits at the path of the value', () => {
    const draft = form.withValue(settings, { scope: 'twilio', name: 'voicePacingMs' }, 2_001)
    expect([...form.problemsOf(draft)]).toEqual([
      ['profiles.twilio.voicePacingMs', { key: 'invalid.range', values: { min: 0, max: 2_000 } }],
    ])
  })

  test('reports an emptied number as missing, not as 0', () => {
    expect(form.problemOf(field('maxTokens'), NaN)).toEqual({ key: 'invalid.required' })
  })

  test('reads the server paths of refused values, also inside a list', () => {
    expect(form.ownPath('settings.base.temperature')).toBe('base.temperature')
    expect(form.ownPath('profiles.twilio.stopWords.3')).toBe('profiles.twilio.stopWords')
    expect(form.ownPath('settings.base.stopWords[3]')).toBe('base.stopWords')
    expect(form.ownPath('name')).toBeNull()
    expect(form.partsOf('profiles.twilio.stopWords')?.scope).toBe('twilio')
  })
})
