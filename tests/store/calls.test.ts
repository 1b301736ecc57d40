import { randomUUID } from 'node:crypto'
import { sql } from 'slonik'
import { beforeEach, describe, expect, it } from 'vitest'
import { createAgent } from '../../server/store/agents.ts'
import {
  closeOrphanCalls,
  deleteCalls,
  finishCall,
  getCall,
  insertCall,
  listCalls,
  updateCall,
  updateCalls,
} from '../../server/store/calls.ts'
import { insertEvents, listEvents } from '../../server/store/events.ts'
import { getRecordingForCall, insertRecording } from '../../server/store/recordings.ts'
import { insertTurn, insertTurns, listTurns } from '../../server/store/turns.ts'
import { someCall, someTurn, useDatabase } from '../support/store.ts'

const store = useDatabase()
const NOON = Date.UTC(2026, 10, 24, 12)

beforeEach(async () => {
  await store.db.query(sql.unsafe`TRUNCATE calls, agents CASCADE`)
})

function recordingOf(callId: string) {
  const path = `recordings/${callId}.wav`
  const format = { channels: 2, sampleRateHz: 16_000 }
  return { id: randomUUID(), callId, path, durationMs: 61_000.5, bytes: 3_000_000_000, ...format }
}

describe('a call', () => {
  it('comes back as it was written, with times in ms', async () => {
    const agent = await createAgent(store.db, { name: 'Andrea', author: 'admin' })
    const call = someCall({ agentId: agent.id, startedAt: NOON + 123 })
    await insertCall(store.db, call)
    expect(await getCall(store.db, call.id)).toEqual({
      ...call,
      agentName: 'Andrea',
      endReason: null,
      endedAt: null,
      durationMs: null,
      turnCount: 0,
      cost: null,
      recordingId: null,
    })
  })

  it('is found by nobody under an unknown id', async () => {
    expect(await getCall(store.db, randomUUID())).toBeNull()
  })

  it('inserted twice is stored once', async () => {
    const call = someCall()
    await insertCall(store.db, call)
    await insertCall(store.db, { ...call, status: 'ringing' })
    expect((await getCall(store.db, call.id))?.status).toBe('answered')
  })

  it('of an agent that was deleted is kept without one', async () => {
    const call = someCall({ agentId: randomUUID() })
    await insertCall(store.db, call)
    expect(await getCall(store.db, call.id)).toMatchObject({ agentId: null, agentName: null })
  })

  it('keeps the first of two end reasons, in one batch and over two', async () => {
    const [one, two] = [someCall(), someCall()]
    await insertCall(store.db, one)
    await insertCall(store.db, two)
    await updateCalls(store.db, [
      { id: one.id, changes: { status: 'ending', endReason: 'idle' } },
      { id: one.id, changes: { status: 'ended', endReason: 'streamLost' } },
    ])
    await updateCall(store.db, two.id, { status: 'ending', endReason: 'idle' })
    await finishCall(store.db, two.id, { endReason: 'streamLost', endedAt: NOON + 9_000 })
    expect(await getCall(store.db, one.id)).toMatchObject({ status: 'ended', endReason: 'idle' })
    expect(await getCall(store.db, two.id)).toMatchObject({
      status: 'ended',
      endReason: 'idle',
      durationMs: 9_000,
    })
  })

  it('counts its turns until it says itself how many there were', async () => {
    const call = someCall()
    await insertCall(store.db, call)
    await insertTurn(store.db, call.id, someTurn())
    expect((await getCall(store.db, call.id))?.turnCount).toBe(1)
    await updateCall(store.db, call.id, { turnCount: 7, durationMs: 4_321 })
    expect(await getCall(store.db, call.id)).toMatchObject({ turnCount: 7, durationMs: 4_321 })
  })
})

describe('what belongs to a call', () => {
  it('lists turns as they happened, the later of two with one id winning', async () => {
    const call = someCall()
    await insertCall(store.db, call)
    const latency = {
      endpointingMs: 500,
      sttMs: 80,
      llmFirstTokenMs: null,
      firstSentenceMs: null,
      ttsFirstAudioMs: 90.25,
      responseMs: 700,
      ownMs: 9,
    }
    const cut = { textSpoken: 'Hola, soy Andrea.', textHeard: 'Hola, soy…', truncated: true }
    const agentTurn = someTurn({ turnId: 2, role: 'agent', kind: 'reply', startMs: 3_000, ...cut })
    await insertTurns(store.db, [
      { callId: call.id, turn: { ...agentTurn, textHeard: '' } },
      { callId: call.id, turn: someTurn() },
      { callId: call.id, turn: { ...agentTurn, latency } },
    ])
    expect(await listTurns(store.db, call.id)).toEqual([someTurn(), { ...agentTurn, latency }])
  })

  it('stores text with a NUL and half an emoji without them', async () => {
    const call = someCall({ from: '+52\u00005511112222' })
    await insertCall(store.db, call)
    await insertTurn(store.db, call.id, someTurn({ textSpoken: 'a\0b\ud83d' }))
    const event = { callId: call.id, seq: 0, recordedAt: NOON, atMs: 0, name: 'tool' }
    await insertEvents(store.db, [{ ...event, data: { text: 'x\0y\ude00' } }])
    expect((await listTurns(store.db, call.id))[0]?.textSpoken).toBe('ab\ufffd')
    expect((await listEvents(store.db, call.id))[0]?.data).toEqual({ text: 'xy\ufffd' })
  })

  it('keeps one recording per call, larger than 2 GB too', async () => {
    const call = someCall()
    await insertCall(store.db, call)
    const recording = recordingOf(call.id)
    await insertRecording(store.db, recording)
    await insertRecording(store.db, { ...recording, id: randomUUID(), path: 'other.wav' })
    expect(await getRecordingForCall(store.db, call.id)).toEqual(recording)
    expect((await getCall(store.db, call.id))?.recordingId).toBe(recording.id)
  })
})

describe('the list of calls', () => {
  it('pages 45 calls by 20, newest first, and counts them all', async () => {
    for (let i = 0; i < 45; i++) {
      await insertCall(store.db, someCall({ startedAt: NOON + i * 1_000 }))
    }
    const pages = await Promise.all(
      [1, 2, 3, 4].map((page) => listCalls(store.db, { page, limit: 20 })),
    )
    expect(pages.map((page) => page.items.length)).toEqual([20, 20, 5, 0])
    expect(pages.map((page) => page.total)).toEqual([45, 45, 45, 45])
    const starts = pages.flatMap((page) => page.items.map((call) => call.startedAt))
    expect(starts).toEqual(Array.from({ length: 45 }, (_, i) => NOON + (44 - i) * 1_000))
  })

  it('filters by carrier, by state and by being live', async () => {
    await insertCall(store.db, someCall({ carrier: 'browser', status: 'ended' }))
    await insertCall(store.db, someCall({ carrier: 'twilio', status: 'conversing' }))
    await insertCall(store.db, someCall({ carrier: 'twilio', status: 'ended' }))
    const count = async (filter: Partial<Parameters<typeof listCalls>[1]>) =>
      (await listCalls(store.db, { page: 1, limit: 20, ...filter })).total
    expect(await count({ carrier: 'twilio' })).toBe(2)
    expect(await count({ status: 'ended' })).toBe(2)
    expect(await count({ status: 'live' })).toBe(1)
    expect(await count({ carrier: 'browser', status: 'live' })).toBe(0)
  })

  it('finds calls by number, by carrier id, by agent and by words, without case or accents', async () => {
    const agent = await createAgent(store.db, { name: 'Íñigo', author: 'admin' })
    const one = someCall({ agentId: agent.id, from: '+34600111222', carrierCallId: 'CAfeed' })
    const two = someCall({ carrierCallId: null })
    await insertCall(store.db, one)
    await insertCall(store.db, two)
    await insertTurn(store.db, two.id, someTurn({ textSpoken: '¿Me llama al TELÉFONO? 100%' }))
    const find = async (search: string) =>
      (await listCalls(store.db, { page: 1, limit: 20, search })).items.map((call) => call.id)
    expect(await find('600111')).toEqual([one.id])
    expect(await find('cafeed')).toEqual([one.id])
    expect(await find('inigo')).toEqual([one.id])
    expect(await find(' telefono ')).toEqual([two.id])
    expect(await find('100%')).toEqual([two.id])
    expect(await find('1_0')).toEqual([])
    expect(await find("'; DROP TABLE calls")).toEqual([])
    expect(await find('\0')).toHaveLength(2)
  })
})

describe('deleting and mending', () => {
  it('deletes ended calls with all that belongs to them and names their recordings', async () => {
    const [ended, live] = [someCall({ status: 'ended' }), someCall({ status: 'conversing' })]
    await insertCall(store.db, ended)
    await insertCall(store.db, live)
    await insertTurn(store.db, ended.id, someTurn())
    await insertRecording(store.db, recordingOf(ended.id))
    const ids = [ended.id, live.id, randomUUID()]
    expect(await deleteCalls(store.db, ids)).toEqual({
      deleted: 1,
      recordingPaths: [`recordings/${ended.id}.wav`],
    })
    expect(await getCall(store.db, ended.id)).toBeNull()
    expect(await listTurns(store.db, ended.id)).toEqual([])
    expect(await getCall(store.db, live.id)).not.toBeNull()
  })

  it('ends the calls of a crash with serverStopped at their last sign of life', async () => {
    const open = someCall({ status: 'conversing' })
    const ending = someCall({ status: 'ending' })
    await insertCall(store.db, open)
    await insertCall(store.db, ending)
    await updateCall(store.db, ending.id, { endReason: 'idle' })
    const event = { callId: open.id, seq: 0, atMs: 0, name: 'tool', data: {} }
    await insertEvents(store.db, [{ ...event, recordedAt: NOON + 30_000 }])
    const closed = await closeOrphanCalls(store.db)
    expect(new Set(closed.map(({ id }) => id))).toEqual(new Set([open.id, ending.id]))
    const { carrier, carrierCallId } = open
    expect(closed).toContainEqual({ id: open.id, carrier, carrierCallId })
    expect(await closeOrphanCalls(store.db)).toEqual([])
    expect(await getCall(store.db, open.id)).toMatchObject({
      status: 'ended',
      endReason: 'serverStopped',
      durationMs: 30_000,
    })
    expect((await getCall(store.db, ending.id))?.endReason).toBe('idle')
  })
})
