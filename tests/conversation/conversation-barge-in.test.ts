import { describe, expect, it } from 'vitest'
import { LONG_REPLY, Rig, speaking } from './rig.ts'

const SILENCE_MS = 500

describe('barge-in', () => {
  it('ducks the agent with the onset and clears the line with the first word', async () => {
    const rig = await speaking()
    await rig.run(500)
    await rig.sound(200)
    expect(rig.line.ducked).toBe(true)
    expect(rig.conversation.state).toBe('yielding')
    rig.partial('pero cuánto')
    expect(rig.line.clears).toBeGreaterThan(0)
    expect(rig.line.ducked).toBe(false)
    expect(rig.conversation.state).toBe('listening')
    expect(rig.of('bargeIn')).toMatchObject([{ reason: 'words' }])
  })

  it('keeps only heard words in history, transcript and the next request', async () => {
    const rig = await speaking()
    // 60 ms of playing are over; at 50 ms per character "Con mucho gusto" ends at 750 ms.
    await rig.run(700)
    await rig.sound(40)
    rig.partial('espera')
    await rig.user('Espera, ¿cuánto cuesta?')
    await rig.run(SILENCE_MS)
    const agent = rig.turns.find((turn) => turn.role === 'agent')
    expect(agent).toMatchObject({
      textHeard: 'Con mucho gusto',
      truncated: true,
      textSpoken: LONG_REPLY,
    })
    expect(rig.answer.request.messages.slice(2)).toEqual([
      { role: 'assistant', content: 'Con mucho gusto…' },
      { role: 'user', content: 'Espera, ¿cuánto cuesta?' },
    ])
  })

  it('speaks on after a backchannel', async () => {
    const rig = await speaking()
    await rig.run(500)
    await rig.user('Ajá.', 200)
    expect(rig.line.ducked).toBe(false)
    expect(rig.conversation.state).toBe('speaking')
    await rig.run(6_000)
    expect(rig.turns.at(-1)).toMatchObject({ textHeard: LONG_REPLY, truncated: false })
    expect(rig.llm.answers).toHaveLength(1)
  })

  it('falls silent during a cough of 200 ms and goes on 0.5 s after it', async () => {
    const rig = await speaking()
    await rig.run(300)
    await rig.sound(200)
    expect(rig.line.paused).toBe(true)
    await rig.run(480)
    expect(rig.line.paused).toBe(true)
    await rig.run(20)
    expect(rig.line.paused).toBe(false)
    expect(rig.line.ducked).toBe(false)
    expect(rig.states.slice(-2)).toEqual(['yielding', 'speaking'])
  })

  it('pauses once in 5 s of sound without a word, and then speaks for all the rest of it', async () => {
    const rig = await speaking()
    await rig.run(300)
    const pauses: boolean[] = []
    const { line } = rig
    const setPaused = line.setPaused.bind(line)
    line.setPaused = (isPaused) => {
      pauses.push(isPaused)
      setPaused(isPaused)
    }
    await rig.sound(5_000)
    expect(pauses).toEqual([true, false])
    expect(line.ducked).toBe(false)
    expect(rig.conversation.state).toBe('speaking')
  })

  it('says "Como le decía," once over 6 s of sound without a word', async () => {
    const rig = await speaking({ resumePhrase: 'Como le decía,' })
    await rig.run(300)
    await rig.sound(6_000)
    expect(rig.line.paused).toBe(false)
    expect(rig.tts.spoken.filter((text) => text.startsWith('Como le decía,'))).toHaveLength(1)
  })

  it('goes on with "Como le decía," and the words not heard after a pause, where that is set', async () => {
    const rig = await speaking({ resumePhrase: 'Como le decía,' })
    await rig.run(300)
    await rig.sound(200)
    await rig.run(1_000)
    expect(rig.line.paused).toBe(false)
    expect(rig.conversation.state).toBe('speaking')
    await rig.run(8_000)
    const [first, second] = rig.turns.filter(({ role }) => role === 'agent')
    expect(first).toMatchObject({ truncated: true })
    expect(second?.textHeard).toBe(
      `Como le decía, ${LONG_REPLY.slice(first?.textHeard.length).trim()}`,
    )
    expect(second).toMatchObject({ kind: 'reply', truncated: false })
    expect(rig.llm.answers).toHaveLength(1)
  })

  it('needs two words with interruptionWords 2, but one stop word', async () => {
    const rig = await speaking({ interruptionWords: 2 })
    await rig.sound(200)
    rig.partial('cuánto')
    expect(rig.of('bargeIn')).toHaveLength(0)
    rig.partial('alto')
    expect(rig.of('bargeIn')).toMatchObject([{ reason: 'stopWord' }])
  })

  it('takes the floor at one final word with interruptionWords 2, since it is paused', async () => {
    const rig = await speaking({ interruptionWords: 2 })
    await rig.sound(400)
    rig.partial('cuánto')
    await rig.run(400)
    expect(rig.line.paused).toBe(true)
    expect(rig.of('bargeIn')).toHaveLength(0)
    rig.final('¿Cuánto?')
    expect(rig.of('bargeIn')).toMatchObject([{ reason: 'words' }])
    await rig.run(SILENCE_MS)
    expect(rig.answer.request.messages.at(-1)).toEqual({ role: 'user', content: '¿Cuánto?' })
  })

  it('yields to a key and to typed text', async () => {
    const rig = await speaking()
    rig.conversation.digit('1')
    expect(rig.conversation.state).toBe('listening')
    const other = await speaking()
    other.conversation.typed('Otra cosa')
    expect(other.conversation.state).toBe('thinking')
    const reasons = [...rig.of('bargeIn'), ...other.of('bargeIn')].map((event) => event.reason)
    expect(reasons).toEqual(['digit', 'typed'])
  })

  it('lets the greeting be cut', async () => {
    const rig = new Rig({ firstMessageMode: 'speak-first' })
    rig.conversation.start()
    await rig.run(500)
    await rig.sound(200)
    rig.partial('con el doctor')
    expect(rig.turns).toMatchObject([{ kind: 'greeting', truncated: true }])
  })

  it('gives the greeting after "¿Bueno?", uncut', async () => {
    const rig = new Rig({ firstMessageMode: 'speak-first' })
    rig.line.open = false
    rig.conversation.start()
    await rig.sound(200)
    rig.line.open = true
    await rig.run(300)
    rig.final('¿Bueno?')
    await rig.run(5_000)
    expect(rig.turns).toMatchObject([{ kind: 'greeting', truncated: false }])
    expect(rig.llm.answers).toHaveLength(0)
  })

  it('takes "sí" over the end of a question as its answer', async () => {
    const rig = await speaking({}, '¿Le queda bien el martes por la tarde?')
    await rig.run(1_400)
    await rig.user('Sí.', 200)
    await rig.run(1_500)
    expect(rig.llm.answers).toHaveLength(2)
    expect(rig.answer.request.messages.at(-1)).toEqual({ role: 'user', content: 'Sí.' })
  })

  it('ignores its own words that come back as echo', async () => {
    const rig = await speaking()
    await rig.run(800)
    await rig.user('mucho gusto le explico', 400)
    expect(rig.of('bargeIn')).toHaveLength(0)
    expect(rig.of('ignored')).toMatchObject([{ reason: 'echo' }])
  })

  it('sends nothing to the line after the cut, though the model goes on', async () => {
    const rig = new Rig()
    await rig.user('Quiero información.')
    const answer = rig.answer.say('Con mucho gusto le explico todo. ')
    await rig.run(400)
    await rig.sound(100)
    rig.partial('espera un momento')
    answer.say('Esto ya no se dice. ').done()
    await rig.run(400)
    expect(rig.line.busy).toBe(false)
    expect(rig.tts.spoken).toEqual(['Con mucho gusto le explico todo.'])
  })
})
