import { sql } from 'slonik'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { insertCall } from '../../server/store/calls.ts'
import { ensureEventPartitions, insertEvents, listEvents } from '../../server/store/events.ts'
import { someCall, useDatabase } from '../support/store.ts'

const store = useDatabase()

async function rowsIn(table: string): Promise<number> {
  return await store.db.oneFirst(sql.type(z.object({ count: z.int() }))`
    SELECT count(*)::int AS count FROM ${sql.identifier([table])}`)
}

describe('event partitions', () => {
  it('are made for this month and the next two, once, also over the turn of the year', async () => {
    const november = Date.UTC(2026, 10, 30, 23, 59)
    expect(await ensureEventPartitions(store.db, november)).toEqual([
      'call_events_2026_11',
      'call_events_2026_12',
      'call_events_2027_01',
    ])
    expect(await ensureEventPartitions(store.db, november)).toEqual([])
  })

  it('are made once by two servers that start at once', async () => {
    const may = Date.UTC(2031, 4, 1)
    const made = await Promise.all([
      ensureEventPartitions(store.db, may),
      ensureEventPartitions(store.db, may),
    ])
    expect(made.flat().toSorted()).toEqual([
      'call_events_2031_05',
      'call_events_2031_06',
      'call_events_2031_07',
    ])
  })

  it('take over the events that the default held for their month', async () => {
    const call = someCall()
    await insertCall(store.db, call)
    const march = Date.UTC(2029, 2, 1)
    const event = { callId: call.id, name: 'tool', data: { n: 1 } }
    const events = [march - 1, march, march + 1].map((recordedAt, seq) => ({
      ...event,
      recordedAt,
      seq,
      atMs: seq * 20,
    }))
    await insertEvents(store.db, events)
    await insertEvents(store.db, events)
    expect(await rowsIn('call_events_default')).toBe(3)

    await ensureEventPartitions(store.db, march)
    expect(await rowsIn('call_events_default')).toBe(1)
    expect(await rowsIn('call_events_2029_03')).toBe(2)
    expect(await listEvents(store.db, call.id)).toMatchObject([{ seq: 0 }, { seq: 1 }, { seq: 2 }])

    await store.db.query(sql.unsafe`DELETE FROM calls WHERE id = ${call.id}`)
    expect(await rowsIn('call_events_2029_03')).toBe(0)
  })
})
