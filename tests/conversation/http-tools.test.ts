import { describe, expect, it } from 'vitest'
import type { HttpTool } from '../../server/tools/http-tool.ts'
import { Rig } from './rig.ts'

const FIND: HttpTool = {
  ...{ name: 'find', description: 'Finds.', method: 'GET', url: 'https://example.com/' },
  ...{ headers: {}, timeoutMs: 5_000, retries: 0 },
  parameters: { type: 'object', properties: { day: { type: 'string' } } },
}

async function asked(): Promise<Rig> {
  const rig = new Rig({ httpTools: [FIND] })
  rig.conversation.start()
  await rig.user('¿Qué citas tiene libres?')
  rig.answer.tool('find', '{"day":"lunes"}').done()
  await rig.run(100)
  return rig
}

describe('HTTP tools in a conversation', () => {
  it('are offered, asked, and their result goes back to the model, which answers with it', async () => {
    const rig = await asked()
    expect(rig.llm.answers[0]?.request.tools.map(({ name }) => name)).toContain('find')
    expect(rig.toolCalls).toMatchObject([{ name: 'find', args: '{"day":"lunes"}' }])
    rig.toolAnswers('{"free":["10:00"]}')
    await rig.run(40)
    expect(rig.llm.answers).toHaveLength(2)
    expect(rig.answer.request.messages.at(-1)).toEqual({
      role: 'tool',
      content: '{"free":["10:00"]}',
      toolCallId: 't-find',
    })
    await rig.reply('Tengo a las diez.')
    await rig.run(2_000)
    expect(rig.turns.at(-1)?.textHeard).toBe('Tengo a las diez.')
    expect(rig.of('tool')).toMatchObject([{ name: 'find', result: '{"free":["10:00"]}' }])
  })

  it('are bridged by a filler phrase when they take longer than 2 s', async () => {
    const rig = await asked()
    await rig.run(1_500)
    expect(rig.tts.spoken).toEqual([])
    await rig.run(1_000)
    expect(rig.tts.spoken).toHaveLength(1)
    rig.toolAnswers('ok')
    await rig.run(40)
    await rig.reply('Listo.')
    expect(rig.tts.spoken.at(-1)).toBe('Listo.')
  })

  it('are given up when the user takes the floor, and the late result is not used', async () => {
    const rig = await asked()
    rig.conversation.typed('Mejor no.')
    expect(rig.toolCalls[0]?.signal.aborted).toBe(true)
    rig.toolAnswers('late')
    await rig.run(100)
    expect(rig.of('tool')).toEqual([])
    expect(rig.answer.request.messages.at(-1)).toEqual({ role: 'user', content: 'Mejor no.' })
  })
})
