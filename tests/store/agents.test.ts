import { randomUUID } from 'node:crypto'
import { sql } from 'slonik'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { DEFAULT_SETTINGS } from '../../server/agent-settings.ts'
import type { AgentSettings } from '../../server/agent-settings.ts'
import {
  agentForNumber,
  assignNumber,
  createAgent,
  defaultAgent,
  ensureDefaultAgent,
  getAgent,
  listAgents,
  listNumbers,
  listVersions,
  saveAgent,
  sealOldVersions,
} from '../../server/store/agents.ts'
import { SecretBox } from '../../server/secret-box.ts'
import type { Queryable } from '../../server/store/database.ts'
import { sealedSettings } from '../../server/tools/tool-secrets.ts'
import { useDatabase } from '../support/store.ts'

const store = useDatabase()

function withVoice(voiceSpeed: number): AgentSettings {
  return { ...DEFAULT_SETTINGS, base: { ...DEFAULT_SETTINGS.base, voiceSpeed } }
}

describe('default agent', () => {
  it('is missing before the first start has made it', async () => {
    await expect(defaultAgent(store.db)).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' })
    expect(await agentForNumber(store.db, '+525500000000')).toBeNull()
  })

  it('is made once, with the original settings, by two starts at the same time', async () => {
    const [one, two] = await Promise.all([
      ensureDefaultAgent(store.db),
      ensureDefaultAgent(store.db),
    ])
    expect(one).toEqual(two)
    expect(one).toMatchObject({ name: 'Andrea', version: 1, settings: DEFAULT_SETTINGS })
    expect(await listAgents(store.db)).toHaveLength(1)
  })
})

describe('agents', () => {
  beforeAll(async () => {
    await ensureDefaultAgent(store.db)
  })

  it('seals the plain secrets of every old version once and leaves the rest as it was', async () => {
    const box = new SecretBox(new Uint8Array(32).fill(3))
    const tool = {
      ...{
        name: 'find',
        description: 'Finds.',
        method: 'GET' as const,
        timeoutMs: 1_000,
        retries: 0,
      },
      ...{ url: 'https://example.com/', headers: { 'X-Key': 'plain-value', 'X-None': '' } },
      parameters: { type: 'object' as const, properties: {} },
    }
    const base = { ...DEFAULT_SETTINGS.base, httpTools: [tool] }
    const settings = { ...DEFAULT_SETTINGS, base }
    const agent = await createAgent(store.db, { name: 'Vieja', settings, author: 'admin' })
    await saveAgent(store.db, { id: agent.id, settings, baseVersion: 1, author: 'admin' })
    const seal = (one: AgentSettings) => sealedSettings(one, box)
    expect([await sealOldVersions(store.db, seal), await sealOldVersions(store.db, seal)]).toEqual([
      2, 0,
    ])
    const text = await store.db.oneFirst(sql.type(z.object({ text: z.string() }))`
      SELECT string_agg(settings::text, ' ') AS text FROM agent_versions
      WHERE agent_id = ${agent.id}`)
    expect(text).not.toContain('plain-value')
    const read = (await getAgent(store.db, agent.id))?.settings.base
    const { 'X-Key': key = '', ...others } = read?.httpTools[0]?.headers ?? {}
    expect([box.open(key), others]).toEqual(['plain-value', { 'X-None': '' }])
    expect({ ...read, httpTools: [] }).toEqual(DEFAULT_SETTINGS.base)
  })

  it('publishes a new version on each save and keeps the old ones', async () => {
    const agent = await createAgent(store.db, { name: 'Ventas', author: 'admin' })
    const saved = await saveAgent(store.db, {
      id: agent.id,
      name: 'Ventas MX',
      settings: withVoice(1.2),
      baseVersion: 1,
      author: 'Rosa',
    })
    expect(saved).toMatchObject({ name: 'Ventas MX', version: 2 })
    expect(saved.settings.base.voiceSpeed).toBe(1.2)
    expect(await getAgent(store.db, agent.id)).toEqual(saved)
    expect(await listVersions(store.db, agent.id)).toMatchObject([
      { version: 2, author: 'Rosa' },
      { version: 1, author: 'admin' },
    ])
  })

  it('refuses a save based on version 1 when version 2 exists, and changes nothing', async () => {
    const agent = await createAgent(store.db, { name: 'Cobranza', author: 'admin' })
    const save = { id: agent.id, settings: withVoice(1.5), baseVersion: 1, author: 'admin' }
    await saveAgent(store.db, save)
    await expect(saveAgent(store.db, { ...save, settings: withVoice(0.5) })).rejects.toMatchObject({
      code: 'STORE_VERSION_CONFLICT',
    })
    expect((await getAgent(store.db, agent.id))?.settings.base.voiceSpeed).toBe(1.5)
  })

  it('lets exactly one of 5 simultaneous saves of the same version win', async () => {
    const agent = await createAgent(store.db, { name: 'Citas', author: 'admin' })
    const saves = Array.from({ length: 5 }, () =>
      saveAgent(store.db, {
        id: agent.id,
        settings: DEFAULT_SETTINGS,
        baseVersion: 1,
        author: 'admin',
      }),
    )
    const results = await Promise.allSettled(saves)
    expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(1)
    expect(await listVersions(store.db, agent.id)).toHaveLength(2)
  })

  it('says that an unknown agent is not found', async () => {
    const id = randomUUID()
    const save = { id, settings: DEFAULT_SETTINGS, baseVersion: 1, author: 'admin' }
    await expect(saveAgent(store.db, save)).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' })
    expect(await getAgent(store.db, id)).toBeNull()
    expect(await listVersions(store.db, id)).toEqual([])
  })

  it('gives a number to its agent and every other number to the default', async () => {
    const agent = await createAgent(store.db, { name: 'Soporte', author: 'admin' })
    const number = { e164: '+525512345678', agentId: agent.id, label: 'Línea 1' }
    await assignNumber(store.db, number)
    expect((await agentForNumber(store.db, '+525512345678'))?.name).toBe('Soporte')
    expect((await agentForNumber(store.db, '+525500000000'))?.name).toBe('Andrea')
    await assignNumber(store.db, { ...number, agentId: (await defaultAgent(store.db)).id })
    expect(await listNumbers(store.db)).toMatchObject([{ e164: '+525512345678' }])
    expect((await agentForNumber(store.db, '+525512345678'))?.name).toBe('Andrea')
  })

  it('asks the database once for the agent of a number, be it its own or the default', async () => {
    const asked: string[] = []
    const counted = {
      maybeOne: (query: { sql: string }) => {
        asked.push(query.sql)
        return store.db.maybeOne(query as never)
      },
    } as unknown as Queryable
    expect((await agentForNumber(counted, '+525500000001'))?.name).toBe('Andrea')
    expect(asked).toHaveLength(1)
  })

  it('reads settings stored before a setting existed, and without one that was removed', async () => {
    const agent = await createAgent(store.db, { name: 'Vieja', author: 'admin' })
    await store.db.query(sql.unsafe`
      UPDATE agent_versions SET settings =
        jsonb_set(settings #- '{base,idleTimeoutSec}', '{base,retiredSetting}', '5')
      WHERE agent_id = ${agent.id}`)
    expect((await getAgent(store.db, agent.id))?.settings).toEqual(DEFAULT_SETTINGS)
  })

  it('names the field when a stored setting is out of range', async () => {
    const agent = await createAgent(store.db, { name: 'Rota', author: 'admin' })
    await store.db.query(sql.unsafe`
      UPDATE agent_versions SET settings = jsonb_set(settings, '{base,temperature}', '9')
      WHERE agent_id = ${agent.id}`)
    await expect(getAgent(store.db, agent.id)).rejects.toMatchObject({
      code: 'STORE_BAD_SETTINGS',
      message: expect.stringContaining('base.temperature'),
    })
  })
})
