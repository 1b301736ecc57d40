import { describe, expect, it } from 'vitest'
import { Rig } from './rig.ts'

async function switched(): Promise<Rig> {
  const rig = new Rig({ languages: ['en-US'], fillerPhrases: ['Un segundito.'], idleTimeoutSec: 5 })
  rig.conversation.start()
  await rig.user('Do you speak English?')
  rig.answer.tool('switch_language', '{"language":"en-US"}').done()
  await rig.run(60)
  return rig
}

describe('language switch', () => {
  it('is offered with 2 languages or more, and not with one', async () => {
    const names = async (languages: string[]) => {
      const rig = new Rig({ languages })
      await rig.user('Quiero información.')
      return rig.answer.request.tools.map(({ name }) => name)
    }
    expect(await names(['en-US'])).toContain('switch_language')
    expect(await names(['es-MX'])).not.toContain('switch_language')
  })

  it('changes recogniser, prompt, voice and phrases within the turn that asks for it', async () => {
    const rig = await switched()
    expect(rig.languages).toEqual(['en-US'])
    expect(rig.answer.request.language).toBe('en-US')
    const system = rig.answer.request.messages[0]?.content
    expect(system).toContain('Speak American English now')
    await rig.reply('Of course, go ahead.')
    expect(rig.tts.voicesUsed.at(-1)).toMatchObject({ name: '', language: 'en-US' })
    await rig.run(9_000)
    expect(rig.tts.spoken).toContain('Are you still there?')
  })

  it('goes back to the profile’s own voice and phrases', async () => {
    const rig = await switched()
    rig.answer.tool('switch_language', '{"language":"es-MX"}').done()
    await rig.run(60)
    await rig.reply('Claro que sí.')
    expect(rig.languages).toEqual(['en-US', 'es-MX'])
    expect(rig.tts.voicesUsed.at(-1)).toMatchObject({
      name: 'es-MX-DaliaNeural',
      language: 'es-MX',
    })
  })

  it('refuses a language that the settings do not list', async () => {
    const rig = new Rig({ languages: ['en-US'] })
    await rig.user('Parlez-vous français?')
    rig.answer.tool('switch_language', '{"language":"fr-FR"}').done()
    await rig.run(60)
    expect(rig.languages).toEqual([])
    expect(rig.of('tool')[0]?.result).toBe('error: language must be one of es-MX, en-US')
  })
})

describe('speculation', () => {
  it('answers a complete partial before its final, and under load waits for the final', async () => {
    const asked = async (speculates: boolean) => {
      const rig = new Rig()
      rig.speculates = speculates
      await rig.sound(600)
      rig.partial('quiero una cita el martes por la tarde')
      await rig.run(1_200)
      const early = rig.llm.answers.length
      rig.final('Quiero una cita el martes por la tarde.')
      await rig.run(600)
      return [early, rig.llm.answers.length >= 1]
    }
    expect(await asked(true)).toEqual([1, true])
    expect(await asked(false)).toEqual([0, true])
  })
})
