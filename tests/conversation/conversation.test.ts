import { describe, expect, it } from 'vitest'
import { Rig, speaking } from './rig.ts'

const SILENCE_MS = 500

describe('a turn', () => {
  it('asks the model, speaks the answer and listens again', async () => {
    const rig = await speaking({}, 'Claro que sí.')
    await rig.run(1_000)
    expect(rig.states).toEqual(['thinking', 'speaking', 'listening'])
    expect(rig.turns.map((turn) => [turn.role, turn.textHeard, turn.truncated])).toEqual([
      ['user', 'Quiero información.', false],
      ['agent', 'Claro que sí.', false],
    ])
  })

  it('says nothing of an answer that was begun anew before its first sentence', async () => {
    const rig = new Rig()
    await rig.user('Quiero información.')
    await rig.run(SILENCE_MS)
    rig.answer.say('A med')
    await rig.run(40)
    expect(rig.answer.request.mayRestart?.()).toBe(true)
    rig.answer.restart().say('Claro que sí. ')
    await rig.run(40)
    expect(rig.answer.request.mayRestart?.()).toBe(false)
    rig.answer.done()
    await rig.run(1_500)
    expect(rig.turns.at(-1)?.textHeard).toBe('Claro que sí.')
  })

  it('commits a closed sentence 240 ms after the last voiced sample when the final is there', async () => {
    const rig = new Rig()
    await rig.sound(600)
    const endMs = rig.nowMs
    rig.final('Quiero información sobre eso.')
    await rig.run(600)
    const thinking = rig.of('state')[0]
    // endpointingMinMs of the default profile.
    expect((thinking?.atMs ?? 0) - endMs).toBe(240)
  })

  it('commits at once when the final comes after the wait', async () => {
    const rig = new Rig()
    await rig.sound(600)
    await rig.run(900)
    expect(rig.llm.answers).toHaveLength(0)
    rig.final('Quiero información.')
    expect(rig.conversation.state).toBe('thinking')
  })

  it('measures parts that add up to the response time', async () => {
    const rig = new Rig()
    await rig.user('Quiero información.')
    await rig.run(100)
    rig.answer.say('Claro que sí. ')
    await rig.run(100)
    rig.answer.done()
    await rig.run(200)
    await rig.run(1_000)
    const latency = rig.turns.at(-1)?.latency
    expect(latency).toMatchObject({ endpointingMs: 240, sttMs: 60, queueMs: 0, pacingMs: 20 })
    if (!latency) return
    const parts =
      latency.endpointingMs +
      (latency.sttMs ?? 0) +
      (latency.llmFirstTokenMs ?? 0) +
      (latency.firstSentenceMs ?? 0) +
      (latency.ttsFirstAudioMs ?? 0) +
      latency.ownMs
    expect(parts).toBeCloseTo(latency.responseMs, 3)
  })

  it('ignores a hallucinated "Y..." and a one-letter transcript', async () => {
    const rig = new Rig()
    await rig.user('Y...')
    await rig.run(1_500)
    await rig.user('h')
    await rig.run(1_500)
    expect(rig.of('ignored').map((event) => event.reason)).toEqual(['blacklist', 'tooShort'])
    expect(rig.llm.answers).toHaveLength(0)
  })

  it('answers "sí" although it is shorter than inputMinCharacters 10', async () => {
    const rig = new Rig({ inputMinCharacters: 10 })
    await rig.user('Sí.')
    await rig.run(SILENCE_MS)
    expect(rig.llm.answers).toHaveLength(1)
  })

  it('waits for more after an open conjunction, up to 1500 ms', async () => {
    const rig = new Rig()
    await rig.sound(600)
    const endMs = rig.nowMs
    rig.final('Quiero una cita y.')
    await rig.run(1_480)
    expect(rig.conversation.state).toBe('listening')
    await rig.run(40)
    expect((rig.of('state')[0]?.atMs ?? 0) - endMs).toBe(1_500)
  })

  it('takes a typed text as a turn at once', async () => {
    const rig = new Rig()
    rig.conversation.typed('  Hola  ')
    expect(rig.conversation.state).toBe('thinking')
    await rig.reply('Hola.')
    await rig.run(1_000)
    expect(rig.turns[0]).toMatchObject({ role: 'user', kind: 'typed', textSpoken: 'Hola' })
    expect(rig.turns[1]?.latency).toMatchObject({ sttMs: null, endpointingMs: 0 })
  })

  it('collects digits into one turn 2 s after the last key', async () => {
    const rig = new Rig()
    for (const digit of '123') rig.conversation.digit(digit)
    await rig.run(1_980)
    expect(rig.llm.answers).toHaveLength(0)
    await rig.run(20)
    expect(rig.answer.request.messages.at(-1)).toEqual({ role: 'user', content: 'DTMF: 123' })
  })
})

describe('corrections', () => {
  it('answers from a stable partial and lets an equal final pass', async () => {
    const rig = new Rig()
    await rig.sound(600)
    rig.partial('quiero saber el precio, por favor.')
    await rig.run(400)
    expect(rig.conversation.state).toBe('thinking')
    rig.final('Quiero saber el precio por favor')
    await rig.run(20)
    expect(rig.llm.answers).toHaveLength(1)
    expect(rig.llm.answers[0]?.signal.aborted).toBe(false)
  })

  it('answers again, once, when the final differs before anything was heard', async () => {
    const rig = new Rig()
    await rig.sound(600)
    rig.partial('quiero saber el precio.')
    await rig.run(400)
    rig.final('Quiero saber el proceso.')
    await rig.run(20)
    expect(rig.llm.answers.map((answer) => answer.signal.aborted)).toEqual([true, false])
    expect(rig.answer.request.messages.filter((message) => message.role === 'user')).toEqual([
      { role: 'user', content: 'Quiero saber el proceso.' },
    ])
    await rig.reply('Con gusto.')
    await rig.run(1_000)
    expect(rig.turns.map((turn) => turn.textHeard)).toEqual([
      'Quiero saber el proceso.',
      'Con gusto.',
    ])
  })

  it('corrects the record but not the speech when the final comes after the first audio', async () => {
    const rig = new Rig()
    await rig.sound(600)
    rig.partial('quiero saber el precio.')
    await rig.run(400)
    await rig.reply('Con gusto le explico.')
    expect(rig.conversation.state).toBe('speaking')
    rig.final('Quiero saber el proceso.')
    await rig.run(2_000)
    expect(rig.llm.answers).toHaveLength(1)
    expect(rig.turns.map((turn) => turn.textHeard)).toEqual([
      'Quiero saber el proceso.',
      'Con gusto le explico.',
    ])
  })

  it('joins speech before the first audio to the same turn', async () => {
    const rig = new Rig()
    await rig.user('Quiero una cita.')
    expect(rig.conversation.state).toBe('thinking')
    await rig.user('Para el martes.')
    await rig.run(SILENCE_MS)
    expect(rig.llm.answers.map((answer) => answer.signal.aborted)).toEqual([true, false])
    expect(rig.answer.request.messages.slice(1)).toEqual([
      { role: 'user', content: 'Quiero una cita. Para el martes.' },
    ])
    await rig.reply('Perfecto.')
    await rig.run(1_000)
    expect(rig.turns.map((turn) => [turn.turnId, turn.textHeard])[0]).toEqual([
      1,
      'Quiero una cita. Para el martes.',
    ])
  })

  it('does not start to speak into the user, and starts 600 ms after a sound without words', async () => {
    const rig = new Rig()
    await rig.user('Quiero una cita.')
    await rig.sound(100)
    rig.answer.say('Con gusto.').done()
    await rig.run(700)
    expect(rig.conversation.state).toBe('thinking')
    await rig.run(120)
    expect(rig.conversation.state).toBe('speaking')
  })

  it('is not disturbed by a backchannel while it thinks', async () => {
    const rig = new Rig()
    await rig.user('Quiero una cita.')
    await rig.user('Ajá.', 200)
    expect(rig.llm.answers[0]?.signal.aborted).toBe(false)
    expect(rig.of('ignored')[0]?.reason).toBe('backchannel')
  })
})
