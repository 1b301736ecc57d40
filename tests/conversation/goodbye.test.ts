import { describe, expect, it } from 'vitest'
import { Rig } from './rig.ts'

async function sayingGoodbye(): Promise<Rig> {
  const rig = new Rig()
  rig.conversation.start()
  await rig.user('Eso es todo, gracias.')
  rig.answer.say('Gracias a usted por llamar, que tenga un excelente día. Hasta luego.')
  rig.answer.tool('end_call').done()
  await rig.run(500)
  return rig
}

describe('goodbye of end_call', () => {
  it('does not hang up when the user takes the floor over it', async () => {
    const rig = await sayingGoodbye()
    rig.conversation.typed('Espere, una cosa más.')
    await rig.run(6_000)
    expect(rig.hangups).toEqual([])
    expect(rig.llm.answers).toHaveLength(2)
  })

  it('is recorded as far as it was heard when the line breaks in it', async () => {
    const rig = await sayingGoodbye()
    rig.conversation.close()
    const goodbye = rig.turns.at(-1)
    expect(goodbye?.truncated).toBe(true)
    expect(goodbye?.textSpoken.startsWith(goodbye.textHeard)).toBe(true)
    expect(rig.conversation.state).toBe('ended')
  })
})
