import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { status } from '../../server/http/schemas.ts'
import { runApp, type RunningApp } from './running-app.ts'

let app: RunningApp

beforeAll(async () => {
  app = await runApp()
})
afterAll(() => app.close())

describe('status', () => {
  it('tells version, providers, calls, and the state of pool and journal', async () => {
    app.liveCallIds.add('a')
    const { json } = await app.ask('/api/v1/status')
    expect(status.parse(json)).toEqual(json)
    expect(json).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      calls: { live: 1, max: 300 },
      providers: { llm: { scripted: true, production: false } },
      audio: { liveLanes: 0 },
      journal: { queued: 0 },
    })
    app.liveCallIds.clear()
  })

  it('lists the voices of the provider in use', async () => {
    expect((await app.ask('/api/v1/voices')).json.items[0]).toMatchObject({ name: 'pico' })
  })
})

describe('media token', () => {
  const ask = (body: unknown) => app.ask('/api/v1/media-tokens', { method: 'POST', body })

  it('comes with the address of the socket and opens it once, within 60 s', async () => {
    const { status: code, json } = await ask({ client: 'browser' })
    expect([code, json.expiresInSec]).toEqual([201, 60])
    expect(json.url).toBe(`/api/v1/ws/media-stream?client=browser&token=${json.token}`)
    expect(app.tokens.take(json.token, app.nowMs + 59_999)).toEqual({ client: 'browser' })
    expect(app.tokens.take(json.token, app.nowMs)).toBeNull()
  })

  it('names the agent that was asked for, and is refused for one that does not exist', async () => {
    const agentId = (await app.ask('/api/v1/agents')).json.items[0].id
    const { json } = await ask({ client: 'browser', agentId })
    expect(app.tokens.take(json.token, app.nowMs)).toEqual({ client: 'browser', agentId })
    const unknown = await ask({ client: 'browser', agentId: randomUUID() })
    expect([unknown.status, unknown.json.error.field]).toEqual([422, 'agentId'])
    expect((await ask({ client: 'twilio' })).json.error.field).toBe('client')
  })

  it('is refused with 503 and Retry-After while no line is free', async () => {
    app.admission = { ok: false, reason: 'full' }
    const reply = await ask({ client: 'browser' })
    app.admission = { ok: true }
    expect([reply.status, reply.json.error.code]).toEqual([503, 'NO_CAPACITY'])
    expect(reply.headers['retry-after']).toBe('5')
  })
})
