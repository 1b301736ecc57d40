import { describe, expect, it } from 'vitest'
import { UserWords } from '../../server/conversation/user-words.ts'
import type { Transcript } from '../../server/providers/stt.ts'

function heard(text: string, startMs: number, endMs: number, starts: number[] = []): Transcript {
  const words = text
    .split(' ')
    .map((word, i) => ({ text: word, startMs: starts[i] ?? 0, endMs: 0 }))
  return {
    text,
    language: 'es-MX',
    startMs,
    endMs,
    confidence: null,
    words: starts.length > 0 ? words : [],
  }
}

describe('user-words', () => {
  it('joins finals and the newest partial', () => {
    const words = new UserWords()
    words.final(heard('Quiero una cita.', 0, 1_000))
    words.partial(heard('para el', 1_500, 2_000))
    words.partial(heard('para el martes', 1_500, 2_200))
    expect(words.text).toBe('Quiero una cita. para el martes')
    expect(words.isFinal).toBe(false)
    words.final(heard('Para el martes.', 1_500, 2_200))
    expect(words.text).toBe('Quiero una cita. Para el martes.')
    expect(words.isFinal).toBe(true)
  })

  it('corrects the committed turn by a late final, with nothing left over', () => {
    const words = new UserWords()
    words.partial(heard('quiero el precio', 0, 1_000))
    expect(words.commit(1_000)).toBe('quiero el precio')
    expect(words.settled).toBe(false)
    expect(words.final(heard('Quiero el proceso.', 0, 1_050))).toBe('Quiero el proceso.')
    expect(words.text).toBe('')
    expect(words.settled).toBe(true)
  })

  it('reports no correction when only case, accents or punctuation differ', () => {
    const words = new UserWords()
    words.partial(heard('quiero el precio si', 0, 1_000))
    words.commit(1_000)
    expect(words.final(heard('Quiero el precio, sí.', 0, 1_000))).toBeNull()
  })

  it('divides an utterance that goes on after the commit by its word times', () => {
    const words = new UserWords()
    words.partial(heard('quiero una cita', 0, 1_000))
    words.commit(1_000)
    words.speechStarted()
    const starts = [0, 300, 600, 1_400, 1_600]
    words.partial(heard('quiero una cita el martes', 0, 2_000, starts))
    expect(words.text).toBe('el martes')
    expect(words.final(heard('Quiero la cita el martes.', 0, 2_000, starts))).toBe('Quiero la cita')
    expect(words.text).toBe('el martes.')
  })

  it('divides by the count of words when the recogniser gives no times', () => {
    const words = new UserWords()
    words.partial(heard('quiero una cita', 0, 1_000))
    words.commit(1_000)
    words.speechStarted()
    words.partial(heard('quiero una cita el martes', 0, 2_000))
    expect(words.text).toBe('el martes')
  })

  it('takes words that grow without a new onset as late, not as new', () => {
    const words = new UserWords()
    words.partial(heard('quiero una', 0, 1_000))
    words.commit(1_000)
    words.partial(heard('quiero una cita', 0, 1_000))
    expect(words.text).toBe('')
    expect(words.final(heard('Quiero una cita.', 0, 1_000))).toBe('Quiero una cita.')
  })

  it('makes one turn of both parts when reopened', () => {
    const words = new UserWords()
    words.final(heard('Quiero una cita.', 0, 1_000))
    words.commit(1_000)
    words.speechStarted()
    words.partial(heard('para el martes', 1_500, 2_000))
    words.reopen()
    expect(words.text).toBe('Quiero una cita. para el martes')
  })

  it('takes the whole of an utterance again when reopened before its final', () => {
    const words = new UserWords()
    words.partial(heard('quiero una cita', 0, 1_000))
    words.commit(1_000)
    words.speechStarted()
    words.partial(heard('quiero una cita el martes', 0, 2_000))
    words.reopen()
    expect(words.text).toBe('quiero una cita el martes')
    expect(words.final(heard('Quiero una cita el martes.', 0, 2_000))).toBeNull()
    expect(words.text).toBe('Quiero una cita el martes.')
  })

  it('leaves a new utterance alone after a commit', () => {
    const words = new UserWords()
    words.partial(heard('quiero una cita', 0, 1_000))
    words.commit(1_000)
    words.speechStarted()
    expect(words.final(heard('Para el martes.', 2_000, 3_000))).toBeNull()
    expect(words.text).toBe('Para el martes.')
    expect(words.settled).toBe(true)
  })

  it('discards the open words and those of their utterance that still come', () => {
    const words = new UserWords()
    words.partial(heard('ajá', 0, 300))
    words.discard()
    words.final(heard('Ajá.', 0, 300))
    expect(words.text).toBe('')
  })
})
