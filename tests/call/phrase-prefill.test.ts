import { describe, expect, it } from 'vitest'
import { DEFAULT_SETTINGS } from '../../server/agent-settings.ts'
import { prefillAgent, prefillAgents } from '../../server/call/phrase-prefill.ts'
import { createLog, SecretMask } from '../../server/log.ts'
import { createAgent, ensureDefaultAgent } from '../../server/store/agents.ts'
import { useDatabase } from '../support/store.ts'

const GREETING = ['Hola, soy Andrea de Ubrokers.', '¿Me escucha bien?']
const store = useDatabase()
const log = createLog({ level: 'silent', mask: new SecretMask([]) })

/** Each request: speed of the voice and first text. */
function recorder(asked: string[]) {
  return {
    prefill: async (texts: readonly string[], voice: { speed: number }) => {
      asked.push(`${voice.speed} ${texts.length} ${texts[0] ?? ''}`)
    },
  }
}

describe('phrases prepared before the first call', () => {
  it('are the opening of each of the three profiles, then all the rest', async () => {
    const asked: string[] = []
    await prefillAgent(recorder(asked), { settings: DEFAULT_SETTINGS })
    const openings = asked.slice(0, 3)
    expect(openings).toEqual([1, 0.9, 0.9].map((speed) => `${speed} 2 ${GREETING[0]}`))
    expect(asked).toHaveLength(6)
  })

  it('are the openings of every agent before the rest of any', async () => {
    await ensureDefaultAgent(store.db)
    const base = { ...DEFAULT_SETTINGS.base, firstMessage: 'Buenas tardes.' }
    const settings = { ...DEFAULT_SETTINGS, base }
    await createAgent(store.db, { name: 'Otra', settings, author: 'admin' })
    const asked: string[] = []
    const { all } = await prefillAgents(recorder(asked), store.db, log)
    await all
    const isOther = asked.map((one) => one.includes('Buenas tardes.'))
    expect(isOther.slice(0, 6)).toEqual([false, false, false, true, true, true])
    expect(asked).toHaveLength(18)
  })

  it('that cannot be prepared are reported, and the start goes on', async () => {
    const failing = { prefill: () => Promise.reject(new Error('no voice')) }
    const { all } = await prefillAgents(failing, store.db, log)
    await expect(all).resolves.toBeUndefined()
  })
})
