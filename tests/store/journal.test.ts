import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../server/log.ts'
import { createMetrics } from '../../server/metrics.ts'
import { getCall } from '../../server/store/calls.ts'
import { openDatabase } from '../../server/store/database.ts'
import type { Database } from '../../server/store/database.ts'
import { startEmbeddedPostgres } from '../../server/store/embedded-postgres.ts'
import { listEvents } from '../../server/store/events.ts'
import { Journal } from '../../server/store/journal.ts'
import type { JournalEntry, JournalOptions } from '../../server/store/journal.ts'
import { migrate } from '../../server/store/migrate.ts'
import { getRecordingForCall } from '../../server/store/recordings.ts'
import { listTurns } from '../../server/store/turns.ts'
import { openTempDir } from '../support/postgres.ts'
import { someCall, someTurn, useDatabase } from '../support/store.ts'

const store = useDatabase()
/** So long that only flush() and stop() write. */
const NEVER_MS = 3_600_000

const undo: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step()
})

function openJournal(db: Database, options: Partial<JournalOptions> = {}) {
  const metrics = createMetrics()
  const journal = new Journal(db, {
    limit: 10_000,
    flushMs: NEVER_MS,
    log: silentLog(),
    metrics,
    ...options,
  })
  return { journal, metrics }
}

function event(callId: string, atMs: number, name = 'tool'): JournalEntry {
  return { kind: 'event', callId, atMs, name, data: { atMs } }
}

describe('journal', () => {
  it('writes a whole call given in one go, updates and turns in the order they came', async () => {
    const { journal } = openJournal(store.db)
    const row = someCall()
    const id = row.id
    const file = { path: 'a.wav', durationMs: 9_000, channels: 2, sampleRateHz: 8_000, bytes: 1 }
    journal.record({ kind: 'call', row })
    journal.record({ kind: 'callUpdate', id, changes: { status: 'conversing' } })
    journal.record({ kind: 'turn', callId: id, turn: someTurn({ turnId: 1, startMs: 0 }) })
    journal.record(event(id, 10))
    journal.record({ kind: 'turn', callId: id, turn: someTurn({ turnId: 2, startMs: 5_000 }) })
    journal.record({ kind: 'recording', row: { id: randomUUID(), callId: id, ...file } })
    journal.record({ kind: 'callUpdate', id, changes: { status: 'ending', endReason: 'idle' } })
    journal.record({
      kind: 'callUpdate',
      id,
      changes: { status: 'ended', endReason: 'streamLost', endedAt: row.startedAt + 9_000 },
    })
    await journal.flush()
    expect(journal.stats).toEqual({ queued: 0, written: 8, dropped: 0, failed: 0, retries: 0 })
    expect(await getCall(store.db, id)).toMatchObject({
      status: 'ended',
      endReason: 'idle',
      durationMs: 9_000,
      turnCount: 2,
    })
    expect((await listTurns(store.db, id)).map((turn) => turn.turnId)).toEqual([1, 2])
    expect(await getRecordingForCall(store.db, id)).toMatchObject(file)
  })

  it('keeps the order of 1 300 events that share one millisecond over 3 batches', async () => {
    const { journal } = openJournal(store.db, { nowMs: () => Date.UTC(2026, 10, 24) })
    const row = someCall()
    journal.record({ kind: 'call', row })
    for (let i = 0; i < 1_300; i++) journal.record(event(row.id, 2_000 - i))
    await journal.flush()
    expect((await listEvents(store.db, row.id)).map((e) => e.atMs)).toEqual(
      Array.from({ length: 1_300 }, (_, i) => 2_000 - i),
    )
  })

  it('holds 10 000 entries, drops and counts the next 25, and takes entries again after a flush', async () => {
    const { journal, metrics } = openJournal(store.db)
    const row = someCall()
    journal.record({ kind: 'call', row })
    for (let i = 1; i < 10_025; i++) journal.record(event(row.id, i))
    expect(journal.stats).toMatchObject({ queued: 10_000, dropped: 25 })
    const counter = await metrics.droppedItems.get()
    expect(counter.values).toMatchObject([{ labels: { queue: 'journal' }, value: 25 }])
    await journal.flush()
    journal.record(event(row.id, 20_000))
    await journal.flush()
    expect(journal.stats).toMatchObject({ queued: 0, written: 10_001, dropped: 25 })
    const atMs = (await listEvents(store.db, row.id)).map((e) => e.atMs)
    expect([atMs.length, atMs[9_998], atMs[9_999]]).toEqual([10_000, 9_999, 20_000])
  })

  it('writes by itself within flushMs', async () => {
    const written = Promise.withResolvers<void>()
    const metrics = createMetrics()
    const journal = { inc: () => written.resolve() } as unknown as typeof metrics.journal
    const options = { limit: 10, flushMs: 1, log: silentLog(), metrics: { ...metrics, journal } }
    new Journal(store.db, options).record({ kind: 'call', row: someCall() })
    await written.promise
  })

  it('loses only the one bad entry of a batch, not its neighbours', async () => {
    const { journal } = openJournal(store.db)
    const row = someCall()
    journal.record({ kind: 'call', row })
    journal.record(event(row.id, 1))
    journal.record({ kind: 'turn', callId: randomUUID(), turn: someTurn() })
    journal.record({ kind: 'callUpdate', id: 'not a uuid', changes: { status: 'ended' } })
    journal.record(event(row.id, 2))
    await journal.flush()
    expect(journal.stats).toMatchObject({ queued: 0, written: 3, failed: 2, dropped: 0 })
    expect(await listEvents(store.db, row.id)).toHaveLength(2)
  })

  it('writes what is left when it stops, and takes nothing after that', async () => {
    const { journal } = openJournal(store.db)
    const row = someCall()
    journal.record({ kind: 'call', row })
    await journal.stop()
    journal.record(event(row.id, 1))
    expect(journal.stats).toMatchObject({ queued: 0, written: 1, dropped: 1 })
    expect(await getCall(store.db, row.id)).not.toBeNull()
  })
})

describe('journal without a database', () => {
  it('keeps every entry through an outage and writes all of them, in order, when it is back', async () => {
    const dataDir = openTempDir('andrea-journal-')
    undo.push(() => fs.rmSync(dataDir, { recursive: true, force: true }))
    const first = await startEmbeddedPostgres({ dataDir, durable: false })
    await migrate(first.url)
    const db = await openDatabase(first.url)
    undo.push(() => db.end())
    const { journal } = openJournal(db)
    const row = someCall()
    journal.record({ kind: 'call', row })
    journal.record(event(row.id, 0))
    await journal.flush()
    journal.record(event(row.id, 1))

    await first.stop()
    for (let i = 2; i < 700; i++) journal.record(event(row.id, i))
    await journal.flush()
    await journal.flush()
    expect(journal.stats).toEqual({ queued: 699, written: 2, dropped: 0, failed: 0, retries: 2 })

    const { port, password } = first
    const second = await startEmbeddedPostgres({
      dataDir,
      durable: false,
      address: { port, password },
    })
    undo.push(() => second.stop())
    journal.record(event(row.id, 700))
    await journal.flush()
    expect(journal.stats).toMatchObject({ queued: 0, written: 702, dropped: 0, failed: 0 })
    expect((await listEvents(db, row.id)).map((e) => e.atMs)).toEqual(
      Array.from({ length: 701 }, (_, i) => i),
    )
  })

  it('gives up at the deadline when it stops, counting what was left', async () => {
    const dataDir = openTempDir('andrea-journal-')
    undo.push(() => fs.rmSync(dataDir, { recursive: true, force: true }))
    const postgres = await startEmbeddedPostgres({ dataDir, durable: false })
    const db = await openDatabase(postgres.url)
    undo.push(() => db.end())
    await postgres.stop()
    const { journal } = openJournal(db)
    for (let i = 0; i < 3; i++) journal.record({ kind: 'call', row: someCall() })
    await journal.stop(50)
    expect(journal.stats).toMatchObject({ queued: 0, written: 0, dropped: 3 })
  })
})
