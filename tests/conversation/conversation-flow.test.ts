import { describe, expect, it } from 'vitest'
import { DEFAULT_SETTINGS, resolveProfile } from '../../server/agent-settings.ts'
import { fixedSentences } from '../../server/conversation/fixed-sentences.ts'
import { lastResort } from '../../server/conversation/last-resort.ts'
import { Rig, speaking } from './rig.ts'

const SILENCE_MS = 500
const APOLOGY = 'Disculpe, seguimos con problemas técnicos. Le llamaremos más tarde. Hasta luego.'
const TO_A_PERSON = {
  providerFailureAction: 'transfer',
  transferPhoneNumber: '+525512345678',
} as const

describe('flow', () => {
  it('fills variables into the greeting', async () => {
    const rig = new Rig({ firstMessageMode: 'speak-first', firstMessage: 'Hola, {{name}}.' })
    rig.conversation.start()
    await rig.run(1_000)
    expect(rig.turns).toMatchObject([{ kind: 'greeting', textHeard: 'Hola, Luis.' }])
  })

  it('lets the model greet in the mode speak-first-dynamic', async () => {
    const rig = new Rig({ firstMessageMode: 'speak-first-dynamic' })
    rig.conversation.start()
    await rig.run(20)
    await rig.reply('Buenas tardes.')
    await rig.run(1_000)
    expect(rig.turns).toMatchObject([{ kind: 'greeting', textHeard: 'Buenas tardes.' }])
  })

  it('asks twice after 5 s of silence each, then says goodbye and hangs up when it was heard', async () => {
    const rig = new Rig({ idleTimeoutSec: 5, inactivityMaxRetries: 2, idleMessage: '¿Sigue ahí?' })
    await rig.run(20_000)
    expect(rig.turns.map((turn) => turn.kind)).toEqual(['idle', 'idle', 'goodbye'])
    expect(rig.turns.at(-1)?.truncated).toBe(false)
    expect(rig.hangups).toEqual(['idle'])
    expect(rig.conversation.state).toBe('ended')
  })

  it('stays when the user speaks into the idle goodbye', async () => {
    const rig = new Rig({ idleTimeoutSec: 5, inactivityMaxRetries: 0 })
    await rig.run(6_000)
    await rig.sound(200)
    rig.partial('aquí estoy')
    await rig.run(3_000)
    expect(rig.hangups).toEqual([])
  })

  it('warns 30 s before the longest duration and ends at it, also against the user', async () => {
    const rig = new Rig({ maxDurationSec: 60, idleTimeoutSec: 100 })
    await rig.run(59_900)
    expect(rig.turns.map((turn) => turn.kind)).toEqual(['idle'])
    await rig.sound(1_000)
    rig.partial('una cosa más por favor')
    await rig.run(6_000)
    expect(rig.hangups).toEqual(['maxDuration'])
    expect(rig.turns.at(-1)).toMatchObject({ kind: 'goodbye', truncated: false })
  })

  it('hangs up after the goodbye of end_call was heard, not before', async () => {
    const rig = new Rig()
    await rig.user('Adiós.')
    rig.answer.say('Hasta luego, que le vaya bien.').tool('end_call').done()
    await rig.run(1_400)
    expect(rig.hangups).toEqual([])
    await rig.run(400)
    expect(rig.hangups).toEqual(['agentHangup'])
    expect(rig.of('tool')).toMatchObject([{ name: 'end_call', result: 'ok' }])
  })

  it('understands [END_CALL] split over three chunks and never says it', async () => {
    const rig = new Rig()
    await rig.user('Adiós.')
    rig.answer.say('Hasta luego. [EN').say('D_CA').say('LL]').done()
    await rig.run(1_500)
    expect(rig.tts.spoken).toEqual(['Hasta luego.'])
    expect(rig.hangups).toEqual(['agentHangup'])
  })

  it('says a goodbye of its own when the model only calls end_call', async () => {
    const rig = new Rig()
    await rig.user('Adiós.')
    rig.answer.tool('end_call').done()
    await rig.run(4_000)
    expect(rig.tts.spoken[0]).toMatch(/Gracias por su tiempo/)
    expect(rig.hangups).toEqual(['agentHangup'])
  })

  it('transfers after the announcement was heard, and goes on when that fails', async () => {
    const rig = new Rig({ transferPhoneNumber: '+525512345678' })
    rig.transferFails = true
    await rig.user('Quiero hablar con una persona.')
    rig.answer.say('Le comunico.').tool('transfer_call').done()
    await rig.run(400)
    expect(rig.transfers).toEqual([])
    await rig.run(600)
    expect(rig.transfers).toEqual(['+525512345678'])
    expect(rig.tts.spoken.at(-1)).toMatch(/Le puedo ayudar/)
  })

  it('sends digits and lets the model go on with the result', async () => {
    const rig = new Rig({ enableDialKeypad: true })
    await rig.user('Marca el dos por favor.')
    rig.answer.tool('send_dtmf', '{"digits":"2"}').done()
    await rig.run(40)
    expect(rig.digitsSent).toEqual(['2'])
    expect(rig.llm.answers).toHaveLength(2)
    expect(rig.answer.request.messages.at(-1)).toEqual({
      role: 'tool',
      content: 'ok',
      toolCallId: 't-send_dtmf',
    })
  })

  it('records what was heard when the call ends from outside', async () => {
    const rig = await speaking()
    await rig.run(700)
    rig.conversation.close()
    rig.conversation.close()
    expect(rig.turns.at(-1)).toMatchObject({ textHeard: 'Con mucho gusto', truncated: true })
    expect(rig.states.filter((state) => state === 'ended')).toHaveLength(1)
    await rig.user('Hola.')
    expect(rig.conversation.state).toBe('ended')
  })

  it('finishes a turn whose marks are lost 5 s after it should have been heard', async () => {
    const rig = new Rig()
    rig.line.losesMarks = true
    await rig.user('Hola, buenas.')
    await rig.reply('Claro que sí.')
    await rig.run(5_500)
    expect(rig.conversation.state).toBe('speaking')
    await rig.run(400)
    expect(rig.conversation.state).toBe('listening')
  })
})

describe('provider failures', () => {
  it('apologises when the model fails and listens again', async () => {
    const rig = new Rig()
    await rig.user('Quiero información.')
    rig.answer.fail()
    await rig.run(5_000)
    expect(rig.tts.spoken[0]).toMatch(/^Disculpe, tengo un problema técnico/)
    expect(rig.of('providerError')).toMatchObject([
      { provider: 'test-llm', code: 'LLM_UNAVAILABLE' },
    ])
    expect(rig.conversation.state).toBe('listening')
  })

  it('says that the systems are busy on LLM_RATE_LIMITED', async () => {
    const rig = new Rig()
    await rig.user('Quiero información.')
    rig.answer.fail('LLM_RATE_LIMITED')
    await rig.run(100)
    expect(rig.tts.spoken[0]).toMatch(/saturados/)
  })

  it('tries a failed sentence once more', async () => {
    const rig = new Rig()
    rig.tts.failures = 1
    await rig.user('Quiero información.')
    await rig.reply('Con gusto.')
    await rig.run(1_000)
    expect(rig.turns.at(-1)).toMatchObject({ textHeard: 'Con gusto.', truncated: false })
    expect(rig.hangups).toEqual([])
  })

  it('ends the call with providerFailed when after two failures not even an apology can be spoken', async () => {
    const rig = new Rig()
    rig.tts.failures = 4
    await rig.user('Quiero información.')
    await rig.reply('Con gusto.')
    expect(rig.hangups).toEqual(['providerFailed'])
    expect(rig.conversation.state).toBe('ended')
    expect(rig.turns).toMatchObject([{ role: 'user', textSpoken: 'Quiero información.' }])
  })

  it('apologises after two failures of the voice in a row, and hangs up when that was heard', async () => {
    const rig = new Rig()
    rig.tts.failures = 2
    await rig.user('Quiero información.')
    await rig.reply('Con gusto.')
    expect(rig.hangups).toEqual([])
    await rig.run(8_000)
    expect(rig.turns.at(-1)).toMatchObject({ kind: 'goodbye', textHeard: APOLOGY })
    expect(rig.hangups).toEqual(['providerFailed'])
    expect(rig.conversation.state).toBe('ended')
  })

  it('transfers instead of hanging up where the agent is set so and has a number', async () => {
    const rig = new Rig(TO_A_PERSON)
    rig.tts.failures = 2
    await rig.user('Quiero información.')
    await rig.reply('Con gusto.')
    await rig.run(8_000)
    expect(rig.tts.spoken.at(-1)).toBe('Le comunico con una persona.')
    expect(rig.transfers).toEqual(['+525512345678'])
    expect(rig.hangups).toEqual([])
  })

  it('transfers at once when not even the apology can be spoken', async () => {
    const rig = new Rig(TO_A_PERSON)
    rig.tts.failures = 4
    await rig.user('Quiero información.')
    await rig.reply('Con gusto.')
    expect(rig.transfers).toEqual(['+525512345678'])
    expect(rig.hangups).toEqual([])
  })

  it('hangs up when that transfer fails too, and when no number is set', async () => {
    const refused = new Rig(TO_A_PERSON)
    const nowhere = new Rig({ ...TO_A_PERSON, transferPhoneNumber: null })
    refused.transferFails = true
    for (const rig of [refused, nowhere]) {
      rig.tts.failures = 2
      await rig.user('Quiero información.')
      await rig.reply('Con gusto.')
      await rig.run(8_000)
      expect(rig.hangups).toEqual(['providerFailed'])
    }
  })

  it('apologises and hangs up when the recogniser is gone for good', async () => {
    const rig = new Rig()
    rig.conversation.giveUp()
    await rig.run(8_000)
    expect(rig.turns).toMatchObject([{ kind: 'goodbye', textHeard: APOLOGY }])
    expect(rig.hangups).toEqual(['providerFailed'])
  })

  it('transfers after three failures of the model in a row where the agent is set so', async () => {
    const rig = new Rig(TO_A_PERSON)
    for (let i = 0; i < 3; i++) {
      await rig.user('Quiero información.')
      await rig.run(SILENCE_MS)
      rig.answer.fail()
      await rig.run(6_000)
    }
    expect(rig.transfers).toEqual(['+525512345678'])
    expect(rig.hangups).toEqual([])
  })

  it('keeps every sentence of both apologies among those that the voices prepare', () => {
    for (const language of ['es-MX', 'en-US']) {
      const settings = { ...resolveProfile(DEFAULT_SETTINGS, 'twilio'), language }
      const prepared = fixedSentences(settings)
      for (const providerFailureAction of ['hangup', 'transfer'] as const) {
        const { text } = lastResort({ ...settings, ...TO_A_PERSON, providerFailureAction })
        const rest = prepared.reduce((left, sentence) => left.replace(sentence, ''), text)
        expect(rest.trim()).toBe('')
      }
    }
  })

  it('says goodbye and ends after three failures of the model in a row', async () => {
    const rig = new Rig()
    for (let i = 0; i < 3; i++) {
      await rig.user('Quiero información.')
      await rig.run(SILENCE_MS)
      rig.answer.fail()
      await rig.run(6_000)
    }
    expect(rig.hangups).toEqual(['providerFailed'])
  })
})
