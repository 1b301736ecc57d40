import { describe, expect, it } from 'vitest'
import { History } from '../../server/conversation/history.ts'

const CALL = { id: 't1', name: 'send_dtmf', arguments: '{"digits":"1"}' }

describe('history', () => {
  it('holds the heard words of a cut turn with "…", and nothing of an unheard one', () => {
    const history = new History('sistema')
    history.user('Hola.')
    history.agent('Con mucho gusto', true)
    history.user('Espere.')
    history.agent('', true)
    expect(history.messages()).toEqual([
      { role: 'system', content: 'sistema' },
      { role: 'user', content: 'Hola.' },
      { role: 'assistant', content: 'Con mucho gusto…' },
      { role: 'user', content: 'Espere.' },
    ])
  })

  it('keeps the system prompt and the last 40 messages of 100 turns', () => {
    const history = new History('sistema')
    for (let i = 0; i < 100; i++) {
      history.user(`u${i}`)
      history.agent(`a${i}`, false)
    }
    const messages = history.messages()
    expect(messages).toHaveLength(41)
    expect(messages[0]).toEqual({ role: 'system', content: 'sistema' })
    expect(messages[1]).toEqual({ role: 'user', content: 'u80' })
  })

  it('never begins with the result of a tool whose call was dropped', () => {
    const history = new History('sistema', 4)
    history.user('Marca uno.')
    history.tools('', [CALL], ['ok'])
    history.agent('Listo.', false)
    history.user('Gracias.')
    history.agent('De nada.', false)
    expect(history.messages().map((message) => message.role)).toEqual([
      'system',
      'assistant',
      'user',
      'assistant',
    ])
  })

  it('says the text before a tool call once', () => {
    const history = new History('sistema')
    history.user('Marca uno.')
    history.tools('Va.', [CALL], ['ok'])
    expect(history.messages().at(-2)).toMatchObject({ role: 'assistant', content: 'Va.' })
    history.agent('Va. Listo.', false)
    expect(history.messages().slice(2)).toMatchObject([
      { role: 'assistant', content: '', toolCalls: [CALL] },
      { role: 'tool', content: 'ok', toolCallId: 't1' },
      { role: 'assistant', content: 'Va. Listo.' },
    ])
  })

  it('corrects and withdraws the newest user message', () => {
    const history = new History('sistema')
    history.user('Uno.')
    history.agent('Sí.', false)
    history.user('Dos.')
    history.correctUser('Tres.')
    expect(history.messages().at(-1)).toEqual({ role: 'user', content: 'Tres.' })
    history.withdrawUser()
    expect(history.messages().at(-1)).toEqual({ role: 'assistant', content: 'Sí.' })
  })
})
