import { describe, expect, it } from 'vitest'
import { Filler } from '../../server/conversation/filler.ts'
import { Rig } from './rig.ts'

const SETTINGS = { language: 'es-MX', fillerAfterMs: 2_000, fillerPhrases: [] }

describe('filler', () => {
  it('is due 2 s into a silence, once, and again only after an answer', () => {
    const filler = new Filler(SETTINGS, 3)
    expect(filler.tick(1_000, true)).toBeNull()
    expect(filler.tick(2_980, true)).toBeNull()
    expect(filler.tick(3_000, true)).toBe('Un momento, por favor.')
    expect(filler.tick(9_000, true)).toBeNull()
    filler.answered()
    expect(filler.tick(9_020, true)).toBeNull()
    expect(filler.tick(11_020, true)).toBe('Un momento, por favor.')
  })

  it('counts only silence without a break, and never comes with 0 ms', () => {
    const filler = new Filler(SETTINGS, 0)
    filler.tick(0, true)
    filler.tick(1_900, false)
    expect(filler.tick(2_100, true)).toBeNull()
    const off = new Filler({ ...SETTINGS, fillerAfterMs: 0 }, 0)
    off.tick(0, true)
    expect(off.tick(60_000, true)).toBeNull()
  })

  it('takes the profile’s own phrases in turn', () => {
    const settings = { ...SETTINGS, fillerPhrases: ['Déjeme revisar.', 'Un segundito.'] }
    const phrases = [2, 3].map((turnId) => {
      const filler = new Filler(settings, turnId)
      filler.tick(0, true)
      return filler.tick(2_000, true)
    })
    expect(phrases).toEqual(['Déjeme revisar.', 'Un segundito.'])
  })

  it('is spoken while the model thinks, the answer follows it, and the latency is the answer’s', async () => {
    const rig = new Rig({ fillerPhrases: ['Un segundito.'] })
    await rig.user('Quiero información.')
    await rig.run(3_500)
    expect(rig.tts.spoken).toEqual(['Un segundito.'])
    rig.answer.say('Claro que sí.').done()
    await rig.run(2_000)
    expect(rig.tts.spoken).toEqual(['Un segundito.', 'Claro que sí.'])
    const turn = rig.turns.at(-1)
    expect(turn?.textHeard).toBe('Un segundito. Claro que sí.')
    expect(turn?.latency?.responseMs).toBeGreaterThan(3_000)
  })

  it('is not spoken when the answer comes within 2 s', async () => {
    const rig = new Rig()
    await rig.user('Quiero información.')
    await rig.run(1_500)
    rig.answer.say('Claro que sí.').done()
    await rig.run(3_000)
    expect(rig.tts.spoken).toEqual(['Claro que sí.'])
  })
})

describe('legal notice', () => {
  const NOTICE = { legalNotice: 'Esta llamada se graba.', firstMessage: 'Hola.' }

  it('is heard to its end whatever the user says, and the greeting follows', async () => {
    const rig = new Rig({ ...NOTICE, firstMessageMode: 'speak-first' })
    rig.conversation.start()
    await rig.run(200)
    await rig.sound(300)
    rig.partial('no espere espere por favor')
    await rig.run(3_000)
    expect(rig.of('bargeIn')).toEqual([])
    expect(rig.turns.map((turn) => turn.textHeard).slice(0, 2)).toEqual([
      'Esta llamada se graba.',
      'Hola.',
    ])
  })

  it('comes before the dynamic greeting too', async () => {
    const rig = new Rig({ ...NOTICE, firstMessageMode: 'speak-first-dynamic' })
    rig.conversation.start()
    await rig.run(1_600)
    rig.answer.say('Buenas tardes.').done()
    await rig.run(1_000)
    expect(rig.turns.map((turn) => turn.textHeard)).toEqual([
      'Esta llamada se graba.',
      'Buenas tardes.',
    ])
  })
})

describe('voicemail', () => {
  it('says the message to its end, whatever is heard meanwhile, and hangs up', async () => {
    const rig = new Rig()
    rig.conversation.start()
    rig.conversation.leaveMessage('Le llamó Andrea. Por favor, regrese la llamada.')
    await rig.run(200)
    await rig.sound(400)
    rig.partial('grabe su mensaje después del tono')
    await rig.run(4_000)
    expect(rig.turns.map((turn) => turn.textHeard)).toContain(
      'Le llamó Andrea. Por favor, regrese la llamada.',
    )
    expect(rig.hangups).toEqual(['voicemail'])
  })
})
