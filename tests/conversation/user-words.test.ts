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

function corrected(words: UserWords, transcript: Transcript): string[] {
  return words.final(transcript).corrections.map((correction) => correction.text)
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
    expect(words.commit(1_000)).toEqual({ key: 1, text: 'quiero el precio' })
    expect(words.settled(1)).toBe(false)
    expect(corrected(words, heard('Quiero el proceso.', 0, 1_050))).toEqual(['Quiero el proceso.'])
    expect(words.text).toBe('')
    expect(words.settled(1)).toBe(true)
  })

  it('reports no correction when only case, accents or punctuation differ', () => {
    const words = new UserWords()
    words.partial(heard('quiero el precio si', 0, 1_000))
    words.commit(1_000)
    expect(corrected(words, heard('Quiero el precio, sí.', 0, 1_000))).toEqual([])
  })

  it('divides an utterance that goes on after the commit by its word times', () => {
    const words = new UserWords()
    words.partial(heard('quiero una cita', 0, 1_000))
    words.commit(1_000)
    words.speechStarted()
    const starts = [0, 300, 600, 1_400, 1_600]
    words.partial(heard('quiero una cita el martes', 0, 2_000, starts))
    expect(words.text).toBe('el martes')
    expect(corrected(words, heard('Quiero la cita el martes.', 0, 2_000, starts))).toEqual([
      'Quiero la cita',
    ])
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
    expect(corrected(words, heard('Quiero una cita.', 0, 1_000))).toEqual(['Quiero una cita.'])
  })

  it('makes one turn of both parts when reopened', () => {
    const words = new UserWords()
    words.final(heard('Quiero una cita.', 0, 1_000))
    words.commit(1_000)
    words.speechStarted()
    words.partial(heard('para el martes', 1_500, 2_000))
    words.reopen(1)
    expect(words.text).toBe('Quiero una cita. para el martes')
  })

  it('takes the whole of an utterance again when reopened before its final', () => {
    const words = new UserWords()
    words.partial(heard('quiero una cita', 0, 1_000))
    words.commit(1_000)
    words.speechStarted()
    words.partial(heard('quiero una cita el martes', 0, 2_000))
    words.reopen(1)
    expect(words.text).toBe('quiero una cita el martes')
    expect(corrected(words, heard('Quiero una cita el martes.', 0, 2_000))).toEqual([])
    expect(words.text).toBe('Quiero una cita el martes.')
  })

  it('leaves a new utterance alone after a commit', () => {
    const words = new UserWords()
    words.partial(heard('quiero una cita', 0, 1_000))
    words.commit(1_000)
    words.speechStarted()
    expect(corrected(words, heard('Para el martes.', 2_000, 3_000))).toEqual([])
    expect(words.text).toBe('Para el martes.')
    expect(words.settled(1)).toBe(false)
  })

  it('discards the open words and those of their utterance that still come', () => {
    const words = new UserWords()
    words.partial(heard('ajá', 0, 300))
    words.discard()
    words.final(heard('Ajá.', 0, 300))
    expect(words.text).toBe('')
  })

  it('opens ignored words again when their final says more', () => {
    const words = new UserWords()
    words.partial(heard('ajá', 0, 600))
    words.discard()
    words.final(heard('Ajá, ¿y cuánto cuesta?', 0, 2_000))
    expect(words.text).toBe('Ajá, ¿y cuánto cuesta?')
  })

  it('keeps the partial of one utterance when that of the next comes, 100 ms into it', () => {
    const words = new UserWords()
    words.partial(heard('sí', 0, 1_200))
    words.partial(heard('buenos', 1_100, 2_000))
    expect(words.text).toBe('sí buenos')
    words.final(heard('Buenos días.', 1_400, 2_000))
    expect([words.text, words.isFinal]).toEqual(['sí Buenos días.', false])
    words.final(heard('Sí, le escucho.', 200, 1_000))
    expect([words.text, words.isFinal]).toEqual(['Sí, le escucho. Buenos días.', true])
  })

  it('gives a turn all words of a final that ends with its speech, though an onset came since', () => {
    const words = new UserWords()
    words.partial(heard('Yes.', 0, 600))
    words.commit(2_200)
    words.speechStarted()
    expect(corrected(words, heard('Yes, I can hear you.', 0, 2_200))).toEqual([
      'Yes, I can hear you.',
    ])
    expect(words.text).toBe('')
  })

  it('corrects a turn after the next was committed', () => {
    const words = new UserWords()
    words.partial(heard('uno', 0, 1_000))
    words.commit(1_000)
    words.final(heard('Dos.', 2_000, 3_000))
    words.commit(3_000)
    expect(words.final(heard('Uno más.', 0, 1_000))).toEqual({
      corrections: [{ key: 1, text: 'Uno más.' }],
      isOpen: false,
    })
  })

  it('takes a partial for final when 10 s of later speech overtook it', () => {
    const words = new UserWords()
    words.partial(heard('uno', 0, 1_000))
    words.final(heard('Dos.', 12_000, 13_000))
    expect([words.text, words.isFinal]).toEqual(['uno Dos.', true])
  })
})
