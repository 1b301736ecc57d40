import { describe, expect, test } from 'vitest'
import { eventSentence, mediaFigures } from '../../dashboard/src/call/event-text.ts'
import { isMessageKey } from '../../dashboard/src/language/messages.ts'
import type { BargeInReason, IgnoredReason } from '../../server/conversation/conversation-events.ts'

const bargeIn = (reason: BargeInReason) => ({
  name: 'bargeIn',
  atMs: 33_020,
  data: { reason, onsetMs: 32_380 },
})

describe('a stored event', () => {
  test('tells a barge-in by words 640 ms after the onset in both languages', () => {
    expect(eventSentence(bargeIn('words'), 'es')).toBe(
      'El usuario interrumpió con palabras, 640 ms después de empezar a hablar.',
    )
    expect(eventSentence(bargeIn('words'), 'en')).toBe(
      'The user interrupted with words, 640 ms after beginning to speak.',
    )
    expect(eventSentence(bargeIn('typed'), 'es')).toBe('El usuario interrumpió con texto escrito.')
  })

  test('has a sentence for every reason of a barge-in and of an ignored text', () => {
    const reasons: Record<BargeInReason, true> = {
      words: true,
      stopWord: true,
      digit: true,
      typed: true,
    }
    const ignored: Record<IgnoredReason, true> = {
      blacklist: true,
      tooShort: true,
      tooQuiet: true,
      backchannel: true,
      echo: true,
      overlap: true,
    }
    const keys = [
      ...Object.keys(reasons).flatMap((name) => [`event.bargeIn.${name}`, `note.bargeIn.${name}`]),
      ...Object.keys(ignored).map((name) => `event.ignored.${name}`),
    ]
    expect(keys.filter((key) => !isMessageKey(key))).toEqual([])
  })

  test('tells the digits of a tool call and why it failed', () => {
    const data = { name: 'send_dtmf', arguments: '{"digits":"12#"}', result: 'error: no line' }
    expect(eventSentence({ name: 'tool', atMs: 1, data }, 'es')).toBe(
      'Andrea marca «12#». No se pudo: no line',
    )
    const broken = { name: 'send_dtmf', arguments: '{"dig', result: 'ok' }
    expect(eventSentence({ name: 'tool', atMs: 1, data: broken }, 'en')).toBe('Andrea dials “”.')
    const unknown = { name: 'book', arguments: '{}', result: 'ok' }
    expect(eventSentence({ name: 'tool', atMs: 1, data: unknown }, 'en')).toBe(
      'Andrea used the function book.',
    )
  })

  test('names the failed part by the code of the error', () => {
    const data = { provider: 'groq', code: 'LLM_TIMEOUT', message: 'no token in 5 s' }
    expect(eventSentence({ name: 'providerError', atMs: 1, data }, 'es')).toBe(
      'Falló el cerebro (groq): no token in 5 s (LLM_TIMEOUT)',
    )
    const odd = { ...data, code: 'X' }
    expect(eventSentence({ name: 'providerError', atMs: 1, data: odd }, 'en')).toBe(
      'groq failed: no token in 5 s (X)',
    )
  })

  test('gives null for what it does not know', () => {
    expect(eventSentence({ name: 'weather', atMs: 1, data: { rain: 1 } }, 'es')).toBeNull()
    expect(eventSentence({ name: 'bargeIn', atMs: 1, data: null }, 'es')).toBeNull()
  })

  test('shows 1500 sent frames of 20 ms as 0:30 and marks only what went wrong', () => {
    const data = { framesSent: 1_500, underruns: 0, concealedFrames: 3, latePayloads: 2 }
    const figures = mediaFigures({ name: 'media', atMs: 30_000, data }, 'es')
    expect(figures).toEqual([
      { label: 'media.framesSent', value: '0:30', notable: false },
      { label: 'media.underruns', value: '0', notable: false },
      { label: 'media.concealedFrames', value: '60 ms', notable: true },
      { label: 'media.latePayloads', value: '2', notable: true },
    ])
    expect(figures.every(({ label }) => isMessageKey(label))).toBe(true)
  })
})
