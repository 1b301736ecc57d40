import { describe, expect, test } from 'vitest'
import { MAX_BREATH, orbRadius } from '../../dashboard/src/components/orb-shape.ts'
import {
  MOONSHINE_CREDIT,
  providerLabel,
  providerNotice,
} from '../../dashboard/src/call/provider-text.ts'
import { MOONSHINE_CREDIT as SERVER_CREDIT } from '../../server/providers/moonshine-package.ts'

const provider = (name: string, notice: string | null) => ({
  name,
  label: `${name} label`,
  production: false,
  notice,
})

describe('providers', () => {
  test('translates those that come with Andrea and leaves others as they are', () => {
    expect(providerLabel('stt', provider('embedded', null), 'es')).toBe(
      'Moonshine (en este equipo)',
    )
    expect(providerLabel('tts', provider('embedded', null), 'en')).toBe(
      'SVOX Pico (on this machine)',
    )
    expect(providerLabel('llm', provider('groq', null), 'es')).toBe('groq label')
  })

  test('shows a licence notice whole with its credit, and an unknown one as sent', () => {
    const text = `Licensed. ${SERVER_CREDIT}. For demonstration.`
    expect(providerNotice('stt', provider('embedded', text))).toEqual({
      credit: MOONSHINE_CREDIT,
      text,
    })
    expect(providerNotice('llm', provider('other', 'Beta.'))).toEqual({
      credit: null,
      text: 'Beta.',
    })
  })

  test('leaves out the notices that a translated sentence covers', () => {
    expect(providerNotice('llm', provider('scripted', 'Answers follow a script.'))).toBeNull()
    expect(providerNotice('tts', provider('embedded', 'A small voice.'))).toBeNull()
    expect(providerNotice('stt', provider('azure', null))).toBeNull()
  })
})

describe('the orb', () => {
  test('stays inside its box at level 1 in every direction and phase', () => {
    let farthest = 0
    for (let phase = 0; phase < 7; phase += 0.05) {
      for (let angle = 0; angle < 6.3; angle += 0.05) {
        const layer = { spread: 1, level: 1, breath: MAX_BREATH, phase }
        farthest = Math.max(farthest, orbRadius(layer, angle))
      }
    }
    expect(farthest).toBeGreaterThan(0.42)
    expect(farthest).toBeLessThan(0.5)
  })
})
