import { describe, expect, it } from 'vitest'
import { History } from '../../server/conversation/history.ts'

const CALL = { id: 't1', name: 'send_dtmf', arguments: '{"digits":"1"}' }

describe('history', () => {
  it('holds the heard words of a cut turn with "…", and nothing of an unheard one', () => {
    const history = new History('sistema')
    history.user(1, 'Hola.')
    history.agent('Con mucho gusto', true)
    history.user(2, 'Espere.')
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
      history.user(i, `u${i}`)
      history.agent(`a${i}`, false)
    }
    const messages = history.messages()
    expect(messages).toHaveLength(41)
    expect(messages[0]).toEqual({ role: 'system', content: 'sistema' })
    expect(messages[1]).toEqual({ role: 'user', content: 'u80' })
  })

  it('never begins with the result of a tool whose call was dropped', () => {
    const history = new History('sistema', 4)
    history.user(4, 'Marca uno.')
    history.tools('', [CALL], ['ok'])
    history.agent('Listo.', false)
    history.user(5, 'Gracias.')
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
    history.user(6, 'Marca uno.')
    history.tools('Va.', [CALL], ['ok'])
    expect(history.messages().at(-2)).toMatchObject({ role: 'assistant', content: 'Va.' })
    history.agent('Va. Listo.', false)
    expect(history.messages().slice(2)).toMatchObject([
      { role: 'assistant', content: '', toolCalls: [CALL] },
      { role: 'tool', content: 'ok', toolCallId: 't1' },
      { role: 'assistant', content: 'Va. Listo.' },
    ])
  })

  it('corrects user messages in their place and withdraws the newest', () => {
    const history = new History('sistema')
    history.user(7, 'Uno.')
    history.agent('Sí.', false)
    history.user(8, 'Dos.')
    history.correctUser(8, 'Tres.')
    history.correctUser(7, 'Uno más.')
    history.correctUser(7, 'Uno menos.')
    expect(history.messages()[1]).toEqual({ role: 'user', content: 'Uno menos.' })
    expect(history.messages().at(-1)).toEqual({ role: 'user', content: 'Tres.' })
    history.withdrawUser(8)
    expect(history.messages().at(-1)).toEqual({ role: 'assistant', content: 'Sí.' })
  })
})
