/** An answer that a voice speaks while the model is still writing its first sentence. */
import { describe, expect, it } from 'vitest'
import type { ProfileSettings } from '../../server/agent-settings.ts'
import { Rig } from './rig.ts'

/** A call in which the model was asked and has written `text`, and the voice takes texts that are being written. */
async function writing(text: string, settings: Partial<ProfileSettings> = {}): Promise<Rig> {
  const rig = new Rig(settings)
  rig.tts.isStreaming = true
  rig.conversation.start()
  await rig.user('Quiero información.')
  rig.answer.say(text)
  await rig.run(60)
  return rig
}

describe('an answer on a voice that takes text streams', () => {
  it('sounds before its first sentence ends, and says it whole', async () => {
    const rig = await writing('Con mucho gusto le ex')
    expect(rig.conversation.state).toBe('speaking')
    expect(rig.tts.streamed).toEqual(['Con mucho gusto le '])
    expect(rig.tts.spoken).toEqual([])
    rig.answer.say('plico todo. Son tres beneficios.').done()
    await rig.run(6_000)
    expect(rig.tts.streamed).toEqual(['Con mucho gusto le explico todo.'])
    // The next one is ready before the first has ended: it is spoken as a whole.
    expect(rig.tts.spoken).toEqual(['Son tres beneficios.'])
    expect(rig.turns.at(-1)).toMatchObject({
      textHeard: 'Con mucho gusto le explico todo. Son tres beneficios.',
      truncated: false,
    })
    expect(rig.conversation.state).toBe('listening')
  })

  it('waits for the end of the sentence on a voice that takes none', async () => {
    const rig = new Rig()
    rig.conversation.start()
    await rig.user('Quiero información.')
    rig.answer.say('Con mucho gusto le ex')
    await rig.run(60)
    expect([rig.tts.streamed, rig.tts.spoken]).toEqual([[], []])
    rig.answer.say('plico todo.').done()
    await rig.run(60)
    expect(rig.tts.spoken).toEqual(['Con mucho gusto le explico todo.'])
  })

  it('keeps only the heard words of a sentence that the user cuts while it is being written', async () => {
    const rig = await writing('Con mucho gusto le explico los ben')
    // 40 ms of playing are over; at 50 ms per character "Con mucho gusto" ends at 750 ms.
    await rig.run(720)
    await rig.sound(40)
    rig.partial('espera')
    const { signal } = rig.answer
    await rig.user('Espera, ¿cuánto cuesta?')
    await rig.run(500)
    const agent = rig.turns.find((turn) => turn.role === 'agent')
    expect(agent).toMatchObject({ textHeard: 'Con mucho gusto', truncated: true })
    expect(agent?.textSpoken).toBe('Con mucho gusto le explico los')
    expect(signal.aborted).toBe(true)
    expect(rig.answer.request.messages.slice(2)).toEqual([
      { role: 'assistant', content: 'Con mucho gusto…' },
      { role: 'user', content: 'Espera, ¿cuánto cuesta?' },
    ])
  })

  it('shows the sentence as it is spoken: its first words, then the whole', async () => {
    const rig = await writing('Con mucho gusto le ex')
    const shown = () => rig.of('turn').flatMap(({ turn }) => (turn.role === 'agent' ? [turn] : []))
    expect(shown().map(({ textSpoken }) => textSpoken)).toEqual(['Con mucho gusto le'])
    rig.answer.say('plico todo. Y').done()
    await rig.run(20)
    expect(shown().at(-1)?.textSpoken).toBe('Con mucho gusto le explico todo.')
  })

  it('speaks prices, marks and control tokens as in a whole sentence', async () => {
    const rig = await writing('Claro que sí cuesta $1,2')
    expect(rig.tts.streamed).toEqual(['Claro que sí '])
    rig.answer.say('50 pesos **al mes** nada más[END_CALL]').done()
    await rig.run(5_000)
    expect(rig.tts.streamed).toEqual(['Claro que sí cuesta 1250 pesos al mes nada más'])
    expect(rig.hangups).toEqual(['agentHangup'])
  })

  it('streams the first sentence behind a tool too, when nothing is heard meanwhile', async () => {
    const rig = await writing('Un momento por favor.', { fillerAfterMs: 0 })
    rig.answer.tool('no_such_tool').done()
    await rig.run(3_000)
    expect(rig.llm.answers).toHaveLength(2)
    rig.answer.say('Ya está su cita para el mar')
    await rig.run(60)
    expect(rig.tts.streamed.at(-1)).toBe('Ya está su cita para el ')
    rig.answer.say('tes.').done()
    await rig.run(3_000)
    expect(rig.turns.at(-1)?.textHeard).toBe(
      'Un momento por favor. Ya está su cita para el martes.',
    )
  })

  it('begins anew without a trace when the model breaks off before any audio, not after', async () => {
    const rig = new Rig()
    rig.tts.isStreaming = true
    rig.line.open = false
    rig.conversation.start()
    await rig.user('Quiero información.')
    const { mayRestart } = rig.answer.request
    expect(mayRestart?.()).toBe(true)
    rig.answer.say('Con mucho gu').restart().say('Sí, claro que sí. ').done()
    await rig.run(60)
    expect(mayRestart?.()).toBe(false)
    rig.line.open = true
    await rig.run(3_000)
    expect(rig.turns.at(-1)?.textHeard).toBe('Sí, claro que sí.')
  })

  it('ends the sentence with its last given word when the model breaks off behind the first audio', async () => {
    const rig = await writing('Con mucho gusto le ex')
    expect(rig.answer.request.mayRestart?.()).toBe(false)
    rig.answer.fail()
    await rig.run(6_000)
    expect(rig.tts.streamed[0]).toBe('Con mucho gusto le ')
    expect(rig.turns.at(-1)?.textHeard).toMatch(/^Con mucho gusto le .*\w/)
    expect(rig.turns.at(-1)?.truncated).toBe(false)
    expect(rig.conversation.state).toBe('listening')
  })

  it('asks a voice that failed before its first audio once more, from the first word on', async () => {
    const rig = new Rig()
    rig.tts.isStreaming = true
    rig.tts.failures = 1
    rig.conversation.start()
    await rig.user('Quiero información.')
    rig.answer.say('Con mucho gusto le ex')
    await rig.run(60)
    rig.answer.say('plico todo.').done()
    await rig.run(3_000)
    expect(rig.tts.streamed).toEqual(['', 'Con mucho gusto le explico todo.'])
    expect(rig.turns.at(-1)?.textHeard).toBe('Con mucho gusto le explico todo.')
  })

  it('leaves no silence of a sentence that was taken back: a second failure apologises', async () => {
    const rig = new Rig()
    rig.tts.isStreaming = true
    rig.conversation.start()
    await rig.user('Quiero información.')
    rig.answer.say('Con mucho gu').restart().done()
    await rig.run(3_000)
    expect(rig.turns.at(-1)?.role).toBe('agent')
    expect(rig.turns.at(-1)?.textHeard).not.toContain('Con mucho')
    expect(rig.turns.at(-1)?.textHeard).not.toBe('')
  })
})
