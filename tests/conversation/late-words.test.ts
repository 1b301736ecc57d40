/** Words that come late, early, out of order or in part: none is lost from the stored turn or the history. */
import { describe, expect, it } from 'vitest'
import { Rig } from './rig.ts'

const ENGLISH = { language: 'en-US', silenceTimeoutMs: 700 }
const WHOLE = 'Yes, I can hear you very well. Good morning.'

/** Texts of the user's stored turns, as their newest version has them. */
function stored(rig: Rig): string[] {
  return rig.turns.filter((turn) => turn.role === 'user').map((turn) => turn.textSpoken)
}

function asked(rig: Rig): unknown[] {
  const { messages } = rig.answer.request
  return messages.filter((message) => message.role === 'user').map((message) => message.content)
}

/** 'Yes.' is heard in the first 0.6 s of speech that lasts 2.2 s. */
async function stalePartial(): Promise<Rig> {
  const rig = new Rig(ENGLISH)
  await rig.sound(700)
  rig.partial('Yes.', 0, 600)
  await rig.sound(1_500)
  return rig
}

/** Two sounds of 1 s, 600 ms apart in the ears of the VAD: [0, 1000] and [1600, 2600]. */
async function twoSounds(partials: [string, string] = ['Sí.', '']): Promise<Rig> {
  const rig = new Rig({ silenceTimeoutMs: 700 })
  await rig.sound(700)
  if (partials[0] !== '') rig.partial(partials[0], 0, 600)
  await rig.sound(300)
  await rig.run(600)
  await rig.sound(700)
  if (partials[1] !== '') rig.partial(partials[1], 1_500, 2_300)
  await rig.sound(300)
  return rig
}

const FIRST = 'Sí, le escucho muy bien.'
const SECOND = 'Buenos días.'

async function finish(rig: Rig): Promise<void> {
  await rig.run(1_000)
  await rig.reply('Con gusto.')
  await rig.run(3_000)
}

describe('a partial that covers 0.6 s of 2.2 s', () => {
  it('commits no turn; the final 1.5 s after speech does, with all its words', async () => {
    const rig = await stalePartial()
    await rig.run(1_500)
    expect(rig.llm.answers).toHaveLength(0)
    rig.final(WHOLE, 0, 2_200)
    expect(rig.conversation.state).toBe('thinking')
    await finish(rig)
    expect(stored(rig)).toEqual([WHOLE])
    expect(asked(rig)).toEqual([WHOLE])
  })

  it('is taken after 2500 ms, and a final after 3 s corrects turn and question', async () => {
    const rig = await stalePartial()
    await rig.run(3_000)
    expect(asked(rig)).toEqual(['Yes.'])
    rig.final(WHOLE, 0, 2_200)
    await finish(rig)
    expect(rig.llm.answers).toHaveLength(2)
    expect(stored(rig)).toEqual([WHOLE])
    expect(asked(rig)).toEqual([WHOLE])
  })

  it('is corrected once the answer began, which goes on uncut and is not repeated', async () => {
    const rig = await stalePartial()
    await rig.run(2_600)
    await rig.reply('Good morning, nice to meet you.')
    expect(rig.conversation.state).toBe('speaking')
    rig.final(WHOLE, 0, 2_200)
    await rig.run(4_000)
    expect(rig.llm.answers).toHaveLength(1)
    expect(rig.of('bargeIn')).toHaveLength(0)
    expect(stored(rig)).toEqual([WHOLE])
    await rig.user('I have a question.')
    await rig.run(700)
    expect(asked(rig)).toEqual([WHOLE, 'I have a question.'])
  })

  it('is corrected after the whole answer was heard, in its place', async () => {
    const rig = await stalePartial()
    await rig.run(2_600)
    await rig.reply('Hi.')
    await rig.run(1_000)
    expect(rig.conversation.state).toBe('listening')
    rig.final(WHOLE, 0, 2_200)
    await rig.run(1_000)
    expect(rig.llm.answers).toHaveLength(1)
    expect(rig.turns.map((turn) => turn.textSpoken).toSorted()).toEqual(['Hi.', WHOLE])
  })
})

describe('two utterances 600 ms apart', () => {
  it('are one turn when both finals come late and in order', async () => {
    const rig = await twoSounds()
    await rig.run(100)
    rig.final(FIRST, 0, 1_000)
    await rig.run(900)
    expect(rig.llm.answers).toHaveLength(0)
    rig.final(SECOND, 1_600, 2_600)
    await finish(rig)
    expect(stored(rig)).toEqual([`${FIRST} ${SECOND}`])
    expect(asked(rig)).toEqual([`${FIRST} ${SECOND}`])
  })

  it('keep the first one’s words under a partial of the second', async () => {
    const rig = await twoSounds(['Sí.', 'Buenos'])
    await rig.run(400)
    rig.final(FIRST, 0, 1_000)
    await rig.run(400)
    rig.final(SECOND, 1_600, 2_600)
    await finish(rig)
    expect(stored(rig)).toEqual([`${FIRST} ${SECOND}`])
  })

  it('are put in order when the second final comes before the first', async () => {
    const rig = await twoSounds()
    await rig.run(300)
    rig.final(SECOND, 1_600, 2_600)
    await rig.run(900)
    expect(rig.llm.answers).toHaveLength(0)
    rig.final(FIRST, 0, 1_000)
    await finish(rig)
    expect(stored(rig)).toEqual([`${FIRST} ${SECOND}`])
  })

  it('are put in order when the first, of which no partial came, is 1 s behind the commit', async () => {
    const rig = await twoSounds(['', ''])
    await rig.run(300)
    rig.final(SECOND, 1_600, 2_600)
    await rig.run(1_000)
    expect(asked(rig)).toEqual([SECOND])
    rig.final(FIRST, 0, 1_000)
    await finish(rig)
    expect(stored(rig)).toEqual([`${FIRST} ${SECOND}`])
    expect(asked(rig)).toEqual([`${FIRST} ${SECOND}`])
  })

  it('are one stored turn when the second final comes after the answer began', async () => {
    const rig = new Rig({ silenceTimeoutMs: 700 })
    await rig.sound(1_000)
    await rig.run(300)
    rig.final(FIRST, 0, 1_000)
    await rig.run(300)
    await rig.sound(400)
    rig.answer.say('Muy buenos días, le llamo de Ubrokers.').done()
    await rig.run(2_000)
    expect(rig.conversation.state).toBe('speaking')
    rig.final(SECOND, 1_600, 2_000)
    await rig.run(4_000)
    expect(rig.of('bargeIn')).toHaveLength(0)
    expect(rig.llm.answers).toHaveLength(1)
    expect(stored(rig)).toEqual([`${FIRST} ${SECOND}`])
    await rig.user('Quiero una cita.')
    await rig.run(500)
    expect(asked(rig)).toEqual([`${FIRST} ${SECOND}`, 'Quiero una cita.'])
  })
})

describe('a call that ends', () => {
  it('stores final words of which no turn was made yet', async () => {
    const rig = new Rig()
    await rig.sound(600)
    rig.final('Adiós.')
    rig.conversation.close()
    expect(stored(rig)).toEqual(['Adiós.'])
  })
})

describe('a correction while the user speaks', () => {
  it('does not start the new answer into the user’s voice', async () => {
    const rig = await stalePartial()
    await rig.run(2_600)
    await rig.sound(300)
    rig.final(WHOLE, 0, 2_200)
    await rig.sound(100)
    rig.answer.say('Good morning.').done()
    await rig.sound(300)
    expect(rig.conversation.state).toBe('thinking')
  })
})

describe('a final of words over the agent, 1.6 s after the agent finished', () => {
  const late = async (text: string): Promise<Rig> => {
    const rig = new Rig({ silenceTimeoutMs: 700, interruptionWords: 2 })
    await rig.user('Quiero información.')
    await rig.run(300)
    await rig.reply('Con gusto le explico cómo funciona.')
    const startMs = rig.nowMs
    await rig.sound(60)
    const endMs = rig.nowMs
    await rig.run(3_500)
    rig.final(text, startMs, endMs)
    await rig.run(200)
    return rig
  }

  it('is a turn when it has two words or more', async () => {
    const rig = await late('¿Cuánto cuesta?')
    expect(asked(rig)).toEqual(['Quiero información.', '¿Cuánto cuesta?'])
  })

  it.each([
    ['Cuánto.', 'overlap'],
    ['Con gusto le', 'echo'],
  ])('is ignored when it is "%s" (%s)', async (text, reason) => {
    const rig = await late(text)
    expect(rig.llm.answers).toHaveLength(1)
    expect(rig.of('ignored')).toMatchObject([{ reason }])
  })
})
