/**
 * Call events: everything worth keeping that is not a turn. One table, partitioned by month of the wall clock, because
 * events outgrow all else and are the first to be thrown away.
 *
 *   insert ─► call_events ─► call_events_2026_11, call_events_2026_12, …, or call_events_default when the month is missing
 *
 * Nothing is ever refused for want of a partition: what lands in the default moves out when its month is made.
 */
import { sql } from 'slonik'
import { z } from 'zod'
import type { Database, Queryable } from './database.ts'
import { storableJson, storableText, timestampText } from './sql-values.ts'

const eventRow = z.object({
  seq: z.int(),
  /** Wall clock, ms since 1970. */
  recordedAt: z.number(),
  /** Audio time of the call. */
  atMs: z.number(),
  name: z.string(),
  data: z.unknown(),
})
export type CallEvent = z.infer<typeof eventRow>

export interface NewCallEvent {
  callId: string
  /** Rises within a call; with recordedAt it tells a repeated insert from a new event. */
  seq: number
  recordedAt: number
  atMs: number
  name: string
  data: unknown
}

/** With the current month: room for a server that is not restarted, and for a clock that runs ahead. */
const MONTHS_AHEAD = 2
/** "evnt": serialises servers that make partitions at the same moment. */
const PARTITION_LOCK = 0x65766e74

/** One statement for all; an event stored before is left alone. */
export async function insertEvents(db: Queryable, events: readonly NewCallEvent[]): Promise<void> {
  if (events.length === 0) return
  const tuples = events.map((event) => [
    event.callId,
    event.seq,
    timestampText(event.recordedAt),
    event.atMs,
    storableText(event.name),
    storableJson(event.data),
  ])
  await db.query(sql.unsafe`
    INSERT INTO call_events (call_id, seq, recorded_at, at_ms, name, data)
    SELECT * FROM ${sql.unnest(tuples, ['uuid', 'int4', 'timestamptz', 'float8', 'text', 'jsonb'])}
    ON CONFLICT DO NOTHING`)
}

/** All events of a call in the order in which they were recorded. */
export async function listEvents(db: Queryable, callId: string): Promise<CallEvent[]> {
  return [
    ...(await db.any(sql.type(eventRow)`
      SELECT seq, recorded_at AS "recordedAt", at_ms AS "atMs", name, data
      FROM call_events WHERE call_id = ${callId} ORDER BY recorded_at, seq`)),
  ]
}

/**
 * Makes the partitions of this month and the two after it, and moves into them what the default holds of theirs. At
 * start, and once a day in a server that runs for months. Cheap when there is nothing to do.
 *
 * @returns the names of the partitions made
 */
export async function ensureEventPartitions(
  db: Database,
  nowMs: number = Date.now(),
): Promise<string[]> {
  const made: string[] = []
  for (let ahead = 0; ahead <= MONTHS_AHEAD; ahead++) {
    const name = await ensurePartition(db, monthStart(nowMs, ahead), monthStart(nowMs, ahead + 1))
    if (name !== null) made.push(name)
  }
  return made
}

async function ensurePartition(db: Database, from: Date, to: Date): Promise<string | null> {
  const name = `call_events_${from.toISOString().slice(0, 7).replace('-', '_')}`
  const table = sql.identifier([name])
  return await db.transaction(async (tx) => {
    await tx.query(sql.unsafe`SELECT pg_advisory_xact_lock(${PARTITION_LOCK})`)
    const exists = await tx.oneFirst(sql.type(z.object({ exists: z.boolean() }))`
      SELECT to_regclass(${name}) IS NOT NULL AS exists`)
    if (exists) return null
    // Made apart and attached: PostgreSQL refuses a new partition while the default holds rows of its month.
    await tx.query(sql.unsafe`CREATE TABLE ${table} (LIKE call_events INCLUDING DEFAULTS)`)
    await tx.query(sql.unsafe`
      WITH moved AS (
        DELETE FROM call_events_default
        WHERE recorded_at >= ${from.toISOString()}::timestamptz
          AND recorded_at < ${to.toISOString()}::timestamptz
        RETURNING *)
      INSERT INTO ${table} SELECT * FROM moved`)
    await tx.query(sql.unsafe`
      ALTER TABLE call_events ATTACH PARTITION ${table}
      FOR VALUES FROM (${sql.literalValue(from.toISOString())}) TO (${sql.literalValue(to.toISOString())})`)
    return name
  })
}

/** The first instant, in UTC, of the month `ahead` months after the one of `atMs`. */
function monthStart(atMs: number, ahead: number): Date {
  const at = new Date(atMs)
  return new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + ahead, 1))
}
