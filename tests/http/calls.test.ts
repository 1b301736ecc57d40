import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseRange, recordingPath } from '../../server/http/recording-file.ts'
import { call, callEvent, turn } from '../../server/http/schemas.ts'
import { saveAnalysis } from '../../server/store/analyses.ts'
import { finishCall, insertCall } from '../../server/store/calls.ts'
import { insertEvents } from '../../server/store/events.ts'
import { insertRecording } from '../../server/store/recordings.ts'
import { insertTurn } from '../../server/store/turns.ts'
import { openTempDir } from '../support/postgres.ts'
import { runApp, type RunningApp } from './running-app.ts'

const T0 = Date.UTC(2026, 10, 24, 12)
const dataDir = openTempDir('andrea-data-')

let app: RunningApp

beforeAll(async () => {
  mkdirSync(join(dataDir, 'recordings'))
  app = await runApp({ env: { DATA_DIR: dataDir } })
})
afterAll(() => app.close())

async function storeCall(changes: {
  carrier?: 'twilio' | 'browser'
  atMs?: number
  live?: boolean
}) {
  const id = randomUUID()
  await insertCall(app.db, {
    id,
    agentId: null,
    agentVersion: null,
    direction: 'inbound',
    carrier: changes.carrier ?? 'twilio',
    carrierCallId: `CA${id}`,
    streamId: null,
    from: '+525512345678',
    to: '+525587654321',
    status: 'conversing',
    startedAt: changes.atMs ?? T0,
    answeredAt: changes.atMs ?? T0,
  })
  if (changes.live !== true) {
    await finishCall(app.db, id, { endReason: 'userHangup', endedAt: (changes.atMs ?? T0) + 9_000 })
  }
  return id
}

async function storeRecording(callId: string, bytes: Buffer) {
  const path = join(dataDir, 'recordings', `${callId}.wav`)
  writeFileSync(path, bytes)
  await insertRecording(app.db, {
    id: randomUUID(),
    callId,
    path,
    durationMs: 9_000,
    channels: 2,
    sampleRateHz: 8_000,
    bytes: bytes.length,
  })
  return path
}

describe('call list', () => {
  it('is paged, newest first, with the total', async () => {
    const ids = []
    for (let i = 0; i < 5; i += 1) ids.unshift(await storeCall({ atMs: T0 + i * 1_000 }))
    const { json } = await app.ask('/api/v1/calls?page=2&limit=2')
    expect(json).toMatchObject({ total: 5, page: 2, limit: 2 })
    expect(json.items.map((one: unknown) => call.strict().parse(one).id)).toEqual(ids.slice(2, 4))
    expect((await app.ask('/api/v1/calls')).json).toMatchObject({ page: 1, limit: 20 })
  })

  it('filters by carrier, status and search; an empty filter is none', async () => {
    const browser = await storeCall({ carrier: 'browser', atMs: T0 + 60_000 })
    const live = await storeCall({ live: true, atMs: T0 + 61_000 })
    const idsOf = async (query: string) =>
      (await app.ask(`/api/v1/calls?${query}`)).json.items.map((one: { id: string }) => one.id)
    expect(await idsOf('carrier=browser')).toEqual([browser])
    expect(await idsOf('status=conversing')).toEqual([live])
    expect(await idsOf('status=live')).toEqual([live])
    expect(await idsOf(`search=${browser.slice(0, 13)}`)).toEqual([browser])
    expect(await idsOf('search=%25%27%3B--')).toEqual([])
    expect((await idsOf('carrier=&status=&search=')).length).toBe(7)
  })

  it('refuses what is no page, limit or filter with 422 and the field', async () => {
    for (const [query, field] of [
      ['page=0', 'page'],
      ['page=x', 'page'],
      ['limit=101', 'limit'],
      ['carrier=pigeon', 'carrier'],
      ['status=lost', 'status'],
      ['page=1&page=2', 'page'],
      [`search=${'x'.repeat(101)}`, 'search'],
    ]) {
      const reply = await app.ask(`/api/v1/calls?${query}`)
      expect([query, reply.status, reply.json.error?.field]).toEqual([query, 422, field])
    }
  })
})

describe('call page', () => {
  it('shows the call with its turns, events and the address of its recording', async () => {
    const id = await storeCall({})
    await insertTurn(app.db, id, {
      turnId: 1,
      role: 'agent',
      textSpoken: 'Hola, soy Andrea.',
      textHeard: 'Hola,',
      truncated: true,
      kind: 'greeting',
      startMs: 0,
      endMs: 900,
      latency: null,
    })
    await insertEvents(app.db, [
      { callId: id, seq: 1, recordedAt: T0, atMs: 400, name: 'bargeIn', data: { onsetMs: 300 } },
    ])
    await storeRecording(id, Buffer.alloc(100))
    const { json } = await app.ask(`/api/v1/calls/${id}`)
    expect(call.strict().parse(json.call)).toMatchObject({
      id,
      endReason: 'userHangup',
      turnCount: 1,
    })
    expect(json.turns.map((one: unknown) => turn.strict().parse(one).textHeard)).toEqual(['Hola,'])
    expect(json.events.map((one: unknown) => callEvent.strict().parse(one).name)).toEqual([
      'bargeIn',
    ])
    expect(json.recording).toEqual({
      durationMs: 9_000,
      channels: 2,
      url: `/api/v1/calls/${id}/recording`,
    })
  })

  it('is 404 for a call that does not exist', async () => {
    expect((await app.ask(`/api/v1/calls/${randomUUID()}`)).json.error.code).toBe('CALL_NOT_FOUND')
    expect((await app.ask('/api/v1/calls/x')).status).toBe(404)
  })

  it('shows the analysis of a call, null before there is one, and the newest', async () => {
    const id = await storeCall({})
    const found = async () => (await app.ask(`/api/v1/calls/${id}`)).json.analysis
    expect(await found()).toBeNull()
    const none = { summary: null, outcome: null, sentiment: null, fields: {}, note: 'no model\0' }
    await saveAnalysis(app.db, id, { status: 'noModel', ...none })
    expect(await found()).toMatchObject({ status: 'noModel', note: 'no model' })
    const fields = { client_name: 'Claudia', interest_level: 'HIGH' }
    const done = { summary: 'Bien.', outcome: 'callBack', sentiment: 'positive', note: null }
    await saveAnalysis(app.db, id, { status: 'done', ...done, fields })
    expect(await found()).toEqual({ status: 'done', ...done, fields })
  })
})

describe('recording', () => {
  const bytes = Buffer.from(Array.from({ length: 1_000 }, (_, i) => i % 256))

  it('is sent whole, or the one range that was asked for', async () => {
    const id = await storeCall({})
    await storeRecording(id, bytes)
    const get = (headers: Record<string, string> = {}) =>
      app.ask(`/api/v1/calls/${id}/recording`, { headers })
    const whole = await get()
    expect([whole.status, whole.headers['content-type']]).toEqual([200, 'audio/wav'])
    expect(whole.headers['accept-ranges']).toBe('bytes')
    expect(Buffer.from(whole.text, 'latin1').equals(bytes)).toBe(true)
    const part = await get({ Range: 'bytes=100-199' })
    expect([part.status, part.headers['content-range'], part.headers['content-length']]).toEqual([
      206,
      'bytes 100-199/1000',
      '100',
    ])
    expect(Buffer.from(part.text, 'latin1').equals(bytes.subarray(100, 200))).toBe(true)
    const beyond = await get({ Range: 'bytes=1000-' })
    expect([beyond.status, beyond.headers['content-range']]).toEqual([416, 'bytes */1000'])
    expect((await get({ Range: 'bytes=0-9', 'If-Range': 'yesterday' })).status).toBe(200)
    const head = await app.ask(`/api/v1/calls/${id}/recording`, { method: 'HEAD' })
    expect([head.status, head.headers['content-length'], head.text]).toEqual([200, '1000', ''])
  })

  it('is 404 when there is none, and when its file is gone', async () => {
    const id = await storeCall({})
    const ask = async () => (await app.ask(`/api/v1/calls/${id}/recording`)).json.error.code
    expect(await ask()).toBe('RECORDING_NOT_FOUND')
    await insertRecording(app.db, {
      id: randomUUID(),
      callId: id,
      path: 'recordings/gone.wav',
      durationMs: 1,
      channels: 2,
      sampleRateHz: 8_000,
      bytes: 1,
    })
    expect(await ask()).toBe('RECORDING_GONE')
  })

  it('understands every form of a range', () => {
    expect(parseRange('bytes=0-0', 10)).toEqual({ first: 0, last: 0 })
    expect(parseRange('bytes=5-', 10)).toEqual({ first: 5, last: 9 })
    expect(parseRange('bytes=-3', 10)).toEqual({ first: 7, last: 9 })
    expect(parseRange('bytes=-99', 10)).toEqual({ first: 0, last: 9 })
    expect(parseRange('bytes=8-99', 10)).toEqual({ first: 8, last: 9 })
    for (const whole of ['', 'bytes=-', 'bytes=5-2', 'bytes=0-1,3-4', 'items=0-1', 'bytes=a-b']) {
      expect(parseRange(whole, 10)).toBeNull()
    }
    for (const none of ['bytes=10-', 'bytes=-0', 'bytes=99-100']) {
      expect(parseRange(none, 10)).toBe('unsatisfiable')
    }
    expect(parseRange('bytes=0-', 0)).toBe('unsatisfiable')
  })

  it('never lies outside of the data directory', () => {
    expect(recordingPath('/data', 'recordings/a.wav')).toBe('/data/recordings/a.wav')
    expect(recordingPath('/data', '/data/recordings/a.wav')).toBe('/data/recordings/a.wav')
    for (const path of ['/etc/passwd', '../etc/passwd', '/data', '/database/a.wav', '']) {
      expect(recordingPath('/data', path)).toBeNull()
    }
  })
})

describe('hang-up', () => {
  it('ends a live call with 202, is 409 for one that is over, 404 for one that never was', async () => {
    const id = await storeCall({ live: true })
    app.liveCallIds.add(id)
    const hangup = (callId: string) => app.ask(`/api/v1/calls/${callId}/hangup`, { method: 'POST' })
    const first = await hangup(id)
    expect([first.status, first.json]).toEqual([202, { id, status: 'ending' }])
    expect((await hangup(id)).json.error.code).toBe('CALL_NOT_LIVE')
    expect((await hangup(randomUUID())).status).toBe(404)
  })
})

describe('deletion', () => {
  it('removes rows and recording files of finished calls and leaves live ones', async () => {
    const over = await storeCall({})
    const live = await storeCall({ live: true })
    const path = await storeRecording(over, Buffer.alloc(10))
    const remove = (ids: string[]) => app.ask('/api/v1/calls', { method: 'DELETE', body: { ids } })
    const reply = await remove([over, live, randomUUID()])
    expect([reply.status, reply.json]).toEqual([200, { deleted: 1 }])
    expect(existsSync(path)).toBe(false)
    expect((await app.ask(`/api/v1/calls/${over}`)).status).toBe(404)
    expect((await app.ask(`/api/v1/calls/${live}`)).status).toBe(200)
    expect((await remove([])).json.error.field).toBe('ids')
    expect((await remove(['x'])).json.error.field).toBe('ids.0')
  })
})
