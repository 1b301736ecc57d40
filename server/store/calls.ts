/**
 * Calls: one row each, written by the journal while the call lives, read by the history.
 *
 * Writing is made to be repeated: after a broken connection nobody knows whether a batch was committed, so an insert that
 * finds its row does nothing, and an update sets the same values again. The first end reason stays.
 */
import { sql } from 'slonik'
import { z } from 'zod'
import { CALL_STATES, END_REASONS, type CallState, type EndReason } from '../call/call-state.ts'
import { CARRIERS, type CarrierName } from '../carriers/carrier.ts'
import type { Database, Queryable } from './database.ts'
import { likePattern, storableJson, storableText, timestampText } from './sql-values.ts'

/** Names of the providers that a call was held with. */
const providerNames = z.object({
  stt: z.string().nullish(),
  llm: z.string().nullish(),
  tts: z.string().nullish(),
})

/** Amounts in US dollars. */
export const callCost = z.object({
  sttSeconds: z.number(),
  ttsCharacters: z.number(),
  cachedCharacters: z.number(),
  promptTokens: z.number(),
  completionTokens: z.number(),
  carrierMinutes: z.number(),
  sttUsd: z.number(),
  ttsUsd: z.number(),
  llmUsd: z.number(),
  carrierUsd: z.number(),
  totalUsd: z.number(),
})
export type CallCostRow = z.infer<typeof callCost>

const callRow = z.object({
  id: z.uuid(),
  agentId: z.uuid().nullable(),
  agentName: z.string().nullable(),
  agentVersion: z.int().nullable(),
  direction: z.enum(['inbound', 'outbound']),
  carrier: z.enum(CARRIERS),
  carrierCallId: z.string().nullable(),
  streamId: z.string().nullable(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  status: z.enum(CALL_STATES),
  endReason: z.enum(END_REASONS).nullable(),
  startedAt: z.number(),
  answeredAt: z.number().nullable(),
  endedAt: z.number().nullable(),
  durationMs: z.number().nullable(),
  providers: providerNames,
  turnCount: z.int(),
  cost: callCost.nullable(),
  recordingId: z.uuid().nullable(),
})

/** A call as the history shows it. Times are ms since 1970; `durationMs` is null until the call has ended. */
export type CallRow = z.infer<typeof callRow>

export interface NewCall {
  /** A UUID made by the call. */
  id: string
  agentId: string | null
  agentVersion: number | null
  direction: 'inbound' | 'outbound'
  carrier: CarrierName
  carrierCallId: string | null
  streamId: string | null
  from: string | null
  to: string | null
  status: CallState
  startedAt: number
  answeredAt?: number | null
  providers?: { stt?: string | null; llm?: string | null; tts?: string | null }
}

/** What may change in a call. Absent means unchanged; nothing goes back to null. */
export interface CallChanges {
  status?: CallState
  endReason?: EndReason
  carrierCallId?: string
  streamId?: string
  answeredAt?: number
  endedAt?: number
  /** Default: from the answer to the end. */
  durationMs?: number
  /** Default: the turns that were stored. */
  turnCount?: number
  cost?: CallCostRow
}

export interface CallUpdate {
  id: string
  changes: CallChanges
}

export interface CallQuery {
  /** From 1. */
  page: number
  limit: number
  carrier?: CarrierName | undefined
  /** A state, or `live` for every call that has not ended. */
  status?: CallState | 'live' | undefined
  /** Part of a number, of an id, of the agent's name, or of what was said; case and accents do not matter. */
  search?: string | undefined
}

export async function insertCall(db: Queryable, row: NewCall): Promise<void> {
  await insertCalls(db, [row])
}

/** One statement for all rows; those that exist are left alone. An agent deleted meanwhile is stored as null. */
export async function insertCalls(db: Queryable, rows: readonly NewCall[]): Promise<void> {
  if (rows.length === 0) return
  const tuples = rows.map((row) => [
    row.id,
    row.agentId,
    row.agentVersion,
    row.direction,
    row.carrier,
    storable(row.carrierCallId),
    storable(row.streamId),
    storable(row.from),
    storable(row.to),
    row.status,
    timestampText(row.startedAt),
    timestampText(row.answeredAt ?? null),
    storableJson(row.providers ?? {}),
  ])
  await db.query(sql.unsafe`
    INSERT INTO calls (id, agent_id, agent_version, direction, carrier, carrier_call_id, stream_id,
      from_number, to_number, status, started_at, answered_at, providers)
    SELECT n.id, a.id, n.agent_version, n.direction, n.carrier, n.carrier_call_id, n.stream_id,
      n.from_number, n.to_number, n.status, n.started_at, n.answered_at, n.providers
    FROM ${sql.unnest(tuples, [
      'uuid',
      'uuid',
      'int4',
      'text',
      'text',
      'text',
      'text',
      'text',
      'text',
      'text',
      'timestamptz',
      'timestamptz',
      'jsonb',
    ])} AS n (id, agent_id, agent_version, direction, carrier, carrier_call_id, stream_id,
      from_number, to_number, status, started_at, answered_at, providers)
    LEFT JOIN agents a ON a.id = n.agent_id
    ON CONFLICT (id) DO NOTHING`)
}

export async function updateCall(db: Queryable, id: string, changes: CallChanges): Promise<void> {
  await updateCalls(db, [{ id, changes }])
}

/** One statement for all updates; of several for one call the later wins, but the first end reason stays. */
export async function updateCalls(db: Queryable, updates: readonly CallUpdate[]): Promise<void> {
  if (updates.length === 0) return
  const merged = new Map<string, CallChanges>()
  for (const { id, changes } of updates) {
    const before = merged.get(id)
    const endReason = before?.endReason ?? changes.endReason
    merged.set(id, { ...before, ...changes, ...(endReason === undefined ? {} : { endReason }) })
  }
  const tuples = [...merged].map(([id, changes]) => [
    id,
    changes.status ?? null,
    changes.endReason ?? null,
    storable(changes.carrierCallId ?? null),
    storable(changes.streamId ?? null),
    timestampText(changes.answeredAt ?? null),
    timestampText(changes.endedAt ?? null),
    changes.durationMs ?? null,
    changes.turnCount ?? null,
    changes.cost === undefined ? null : storableJson(changes.cost),
  ])
  await db.query(sql.unsafe`
    UPDATE calls c SET
      status = coalesce(n.status, c.status),
      end_reason = coalesce(c.end_reason, n.end_reason),
      carrier_call_id = coalesce(n.carrier_call_id, c.carrier_call_id),
      stream_id = coalesce(n.stream_id, c.stream_id),
      answered_at = coalesce(n.answered_at, c.answered_at),
      ended_at = coalesce(n.ended_at, c.ended_at),
      duration_ms = coalesce(n.duration_ms, c.duration_ms),
      turn_count = coalesce(n.turn_count, c.turn_count),
      cost = coalesce(n.cost, c.cost)
    FROM ${sql.unnest(tuples, [
      'uuid',
      'text',
      'text',
      'text',
      'text',
      'timestamptz',
      'timestamptz',
      'float8',
      'int4',
      'jsonb',
    ])} AS n (id, status, end_reason, carrier_call_id, stream_id, answered_at, ended_at,
      duration_ms, turn_count, cost)
    WHERE c.id = n.id`)
}

/** Marks a call as ended. */
export async function finishCall(
  db: Queryable,
  id: string,
  end: { endReason: EndReason; endedAt: number },
): Promise<void> {
  await updateCall(db, id, { status: 'ended', ...end })
}

const orphan = z.object({
  id: z.string(),
  carrier: z.string(),
  carrierCallId: z.string().nullable(),
})

/**
 * Ends the calls that a crash left open, with reason serverStopped, at the time of the last thing stored about them.
 * Call once at start, before the first call; not while another server uses the same database.
 *
 * @returns them, as their carriers know them
 */
export async function closeOrphanCalls(
  db: Queryable,
): Promise<{ id: string; carrier: string; carrierCallId: string | null }[]> {
  const result = await db.query(sql.type(orphan)`
    UPDATE calls c SET
      status = 'ended',
      end_reason = coalesce(c.end_reason, 'serverStopped'),
      ended_at = coalesce(c.ended_at, greatest(c.started_at, c.answered_at,
        (SELECT max(t.recorded_at) FROM turns t WHERE t.call_id = c.id),
        (SELECT max(e.recorded_at) FROM call_events e WHERE e.call_id = c.id)))
    WHERE c.status <> 'ended'
    RETURNING c.id, c.carrier, c.carrier_call_id AS "carrierCallId"`)
  return [...result.rows]
}

const CALL_COLUMNS = sql.fragment`
  c.id, c.agent_id AS "agentId", a.name AS "agentName", c.agent_version AS "agentVersion",
  c.direction, c.carrier, c.carrier_call_id AS "carrierCallId", c.stream_id AS "streamId",
  c.from_number AS "from", c.to_number AS "to", c.status, c.end_reason AS "endReason",
  c.started_at AS "startedAt", c.answered_at AS "answeredAt", c.ended_at AS "endedAt",
  coalesce(c.duration_ms, CASE WHEN c.answered_at IS NULL AND c.ended_at IS NOT NULL THEN 0
    ELSE extract(epoch FROM c.ended_at - c.answered_at) * 1000 END)::float8 AS "durationMs",
  c.providers,
  coalesce(c.turn_count, (SELECT count(*)::int FROM turns t WHERE t.call_id = c.id)) AS "turnCount",
  c.cost, r.id AS "recordingId"`
const CALL_TABLES = sql.fragment`
  calls c LEFT JOIN agents a ON a.id = c.agent_id LEFT JOIN recordings r ON r.call_id = c.id`

/** One page of the history, newest first, and how many calls match in all. */
export async function listCalls(
  db: Queryable,
  query: CallQuery,
): Promise<{ items: CallRow[]; total: number }> {
  const where = sql.join([sql.fragment`true`, ...conditions(query)], sql.fragment` AND `)
  const total = await db.oneFirst(sql.type(z.object({ total: z.int() }))`
    SELECT count(*)::int AS total FROM calls c LEFT JOIN agents a ON a.id = c.agent_id
    WHERE ${where}`)
  const items = await db.any(sql.type(callRow)`
    SELECT ${CALL_COLUMNS} FROM ${CALL_TABLES} WHERE ${where}
    ORDER BY c.started_at DESC, c.id
    LIMIT ${query.limit} OFFSET ${(query.page - 1) * query.limit}`)
  return { items: [...items], total }
}

export async function getCall(db: Queryable, id: string): Promise<CallRow | null> {
  return await db.maybeOne(sql.type(callRow)`
    SELECT ${CALL_COLUMNS} FROM ${CALL_TABLES} WHERE c.id = ${id}`)
}

/**
 * Deletes calls with their turns, events and recording rows. A call that is still live stays.
 *
 * @returns how many went, and the paths of their recordings: the files are the caller's to remove
 */
export async function deleteCalls(
  db: Database,
  ids: readonly string[],
): Promise<{ deleted: number; recordingPaths: string[] }> {
  return await db.transaction(async (tx) => {
    const doomed = sql.fragment`
      SELECT id FROM calls WHERE id = ANY(${sql.array(ids, 'uuid')}) AND status = 'ended'`
    const paths = await tx.anyFirst(sql.type(z.object({ path: z.string() }))`
      SELECT path FROM recordings WHERE call_id IN (${doomed})`)
    const result = await tx.query(sql.unsafe`DELETE FROM calls WHERE id IN (${doomed})`)
    return { deleted: result.rowCount, recordingPaths: [...paths] }
  })
}

function conditions(query: CallQuery): ReturnType<typeof sql.fragment>[] {
  const found = []
  if (query.carrier !== undefined) found.push(sql.fragment`c.carrier = ${query.carrier}`)
  if (query.status === 'live') found.push(sql.fragment`c.status <> 'ended'`)
  else if (query.status !== undefined) found.push(sql.fragment`c.status = ${query.status}`)
  const search = query.search?.trim() ?? ''
  if (search !== '') {
    const pattern = sql.fragment`fold_text(${likePattern(search)})`
    found.push(sql.fragment`(
      c.from_number LIKE ${pattern} OR c.to_number LIKE ${pattern}
      OR c.id::text LIKE ${pattern} OR lower(c.carrier_call_id) LIKE ${pattern}
      OR fold_text(a.name) LIKE ${pattern}
      OR EXISTS (SELECT 1 FROM turns t WHERE t.call_id = c.id
        AND t.search_text LIKE ${pattern}))`)
  }
  return found
}

function storable(text: string | null): string | null {
  return text === null ? null : storableText(text)
}
