import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DEFAULT_SETTINGS } from '../../server/agent-settings.ts'
import { agent, agentSummary, agentVersion } from '../../server/http/schemas.ts'
import { getAgent } from '../../server/store/agents.ts'
import { runApp, TEST_SECRETS, type RunningApp } from './running-app.ts'

let app: RunningApp

beforeAll(async () => {
  app = await runApp()
})
afterAll(() => app.close())

async function create(name: string) {
  const reply = await app.ask('/api/v1/agents', { method: 'POST', body: { name } })
  expect(reply.status).toBe(201)
  return agent.strict().parse(reply.json)
}

const put = (id: string, body: unknown) => app.ask(`/api/v1/agents/${id}`, { method: 'PUT', body })

describe('agents', () => {
  it('are listed without settings, the default one first', async () => {
    await create('Zoe')
    const { json } = await app.ask('/api/v1/agents')
    const items = json.items.map((item: unknown) => agentSummary.strict().parse(item))
    expect(items[0].name).toBe('Andrea')
    expect(items.map((item: { name: string }) => item.name)).toContain('Zoe')
  })

  it('begin with the settings of agent-defaults', async () => {
    const made = await create('Nueva')
    const defaults = (await app.ask('/api/v1/agent-defaults')).json
    expect(made.settings).toEqual(defaults)
    expect(defaults).toEqual(JSON.parse(JSON.stringify(DEFAULT_SETTINGS)))
  })

  it('get a new version with each save, in the name of the key', async () => {
    const made = await create('Versiones')
    const settings = {
      ...made.settings,
      base: { ...made.settings.base, firstMessage: '', voicePacingMs: 0, recording: false },
    }
    const saved = await put(made.id, { name: 'Otra', settings, baseVersion: made.version })
    expect(saved.status).toBe(200)
    expect(saved.json).toMatchObject({ id: made.id, name: 'Otra', version: made.version + 1 })
    expect(saved.json.settings.base.firstMessage).toBe('')
    expect((await app.ask(`/api/v1/agents/${made.id}`)).json).toEqual(saved.json)
    const versions = (await app.ask(`/api/v1/agents/${made.id}/versions`)).json.items
    expect(versions.map((one: unknown) => agentVersion.strict().parse(one).version)).toEqual([2, 1])
    expect(versions[0].author).toBe((await app.ask('/api/v1/session')).json.name)
  })

  it('never show a header of a tool, keep it when *** is saved, and refuse *** for another host', async () => {
    const made = await create('Herramientas')
    const tool = {
      ...{ name: 'find', description: 'Finds.', method: 'GET', url: 'https://example.com/' },
      ...{ headers: { 'X-Key': 'secret-value' }, timeoutMs: 1_000, retries: 0 },
      parameters: { type: 'object', properties: {} },
    }
    const save = (version: number, one: unknown) => {
      const settings = { ...made.settings, base: { ...made.settings.base, httpTools: [one] } }
      return put(made.id, { settings, baseVersion: version })
    }
    const first = await save(made.version, tool)
    const masked = { ...tool, headers: { 'X-Key': '***' } }
    expect([first.status, first.json.settings.base.httpTools]).toEqual([200, [masked]])
    const second = await save(made.version + 1, { ...masked, retries: 2 })
    expect(second.status).toBe(200)
    const read = await app.ask(`/api/v1/agents/${made.id}`)
    expect(JSON.stringify(read.json)).not.toContain('secret-value')
    const stored = await getAgent(app.db, made.id)
    const header = stored?.settings.base.httpTools[0]?.headers['X-Key'] ?? ''
    expect(header).toMatch(/^sealed:1:/)
    expect(TEST_SECRETS.open(header)).toBe('secret-value')
    const sealed = await save(made.version + 2, { ...tool, headers: { 'X-Key': header } })
    expect([sealed.status, sealed.json.error.code]).toEqual([422, 'SECRET_UNKNOWN'])
    const elsewhere = await save(made.version + 2, { ...masked, url: 'https://evil.example/' })
    expect([elsewhere.status, elsewhere.json.error.field]).toEqual([
      422,
      'settings.base.httpTools.0.headers.X-Key',
    ])
  })

  it('refuse a save on an outdated version with 409 and keep what was saved', async () => {
    const made = await create('Conflicto')
    const body = { settings: made.settings, baseVersion: made.version }
    expect((await put(made.id, { ...body, name: 'Primera' })).status).toBe(200)
    const second = await put(made.id, { ...body, name: 'Segunda' })
    expect([second.status, second.json.error.code, second.json.error.field]).toEqual([
      409,
      'STORE_VERSION_CONFLICT',
      'baseVersion',
    ])
    expect((await app.ask(`/api/v1/agents/${made.id}`)).json.name).toBe('Primera')
  })

  it('name the wrong field by its path, further ones in the hint', async () => {
    const made = await create('Campos')
    const save = (base: object, profiles: object = {}) =>
      put(made.id, {
        settings: {
          base: { ...made.settings.base, ...base },
          profiles: { ...made.settings.profiles, ...profiles },
        },
        baseVersion: made.version,
      })
    const fieldOf = async (reply: ReturnType<typeof save>) => {
      const { status, json } = await reply
      return [status, json.error.field]
    }
    expect(await fieldOf(save({ temperature: 2.1 }))).toEqual([422, 'settings.base.temperature'])
    expect(await fieldOf(save({ stopWords: ['ok', ''] }))).toEqual([
      422,
      'settings.base.stopWords.1',
    ])
    expect(await fieldOf(save({}, { twilio: { voiceSpeed: 9 } }))).toEqual([
      422,
      'settings.profiles.twilio.voiceSpeed',
    ])
    expect(await fieldOf(save({}, { twilio: { colour: 1 } }))).toEqual([
      422,
      'settings.profiles.twilio.colour',
    ])
    const two = await save({ temperature: 3, maxTokens: 0 })
    expect(two.json.error.hint).toBe('Also wrong: settings.base.maxTokens.')
    expect((await app.ask(`/api/v1/agents/${made.id}`)).json.version).toBe(made.version)
  })

  it('answer 404 for an id that does not exist or cannot be one', async () => {
    for (const id of ['9f0c7a52-9a4b-4c55-8d9c-3f7d0e3f1a11', 'andrea', '1;drop']) {
      const path = `/api/v1/agents/${id}`
      expect((await app.ask(path)).status).toBe(404)
      expect((await app.ask(`${path}/versions`)).status).toBe(404)
      const body = { settings: DEFAULT_SETTINGS, baseVersion: 1 }
      expect((await put(id, body)).status).toBe(404)
    }
  })
})
