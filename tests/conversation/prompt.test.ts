import { describe, expect, it } from 'vitest'
import { DEFAULT_SETTINGS } from '../../server/agent-settings.ts'
import { fillVariables, systemPrompt } from '../../server/conversation/prompt.ts'

describe('prompt', () => {
  it('fills variables, and leaves no braces for unknown ones', () => {
    expect(fillVariables('Hola {{ name }}, {{x}}{{toString}}.', { name: 'Luis' })).toBe(
      'Hola Luis, .',
    )
  })

  it('does not fill a value that looks like a variable', () => {
    expect(fillVariables('{{a}}', { a: '{{b}}', b: 'no' })).toBe('{{b}}')
  })

  it('puts the rules before the prompt and names the tools that are on', () => {
    const settings = { ...DEFAULT_SETTINGS.base, systemPrompt: 'Atiende a {{name}}.' }
    const text = systemPrompt(settings, 'Andrea', { name: 'Luis' })
    expect(text.startsWith('Tu nombre es Andrea.')).toBe(true)
    expect(text.endsWith('Atiende a Luis.')).toBe(true)
    expect(text).toContain('end_call')
    expect(text).not.toContain('transfer_call')
  })

  it('speaks English to an English agent', () => {
    const text = systemPrompt({ ...DEFAULT_SETTINGS.base, language: 'en-US' }, 'Andrea', {})
    expect(text).toMatch(/^Your name is Andrea\.\nYou are on a phone call/)
  })
})
