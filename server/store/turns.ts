/** Turns: what was said in a call, and what of the agent's words was heard. */
import { sql } from 'slonik'
import { z } from 'zod'
import type { Turn } from '../conversation/conversation-events.ts'
import type { Queryable } from './database.ts'
import { storableJson, storableText } from './sql-values.ts'

const latency = z.object({
  endpointingMs: z.number(),
  sttMs: z.number().nullable(),
  llmFirstTokenMs: z.number().nullable(),
  firstSentenceMs: z.number().nullable(),
  ttsFirstAudioMs: z.number().nullable(),
  // Absent in turns of older versions.
  queueMs: z.number().nullish(),
  dspMs: z.number().nullish(),
  pacingMs: z.number().nullish(),
  carrierMs: z.number().nullish(),
  responseMs: z.number(),
  ownMs: z.number(),
})

const turnRow = z.object({
  turnId: z.int(),
  role: z.enum(['user', 'agent']),
  textSpoken: z.string(),
  textHeard: z.string(),
  truncated: z.boolean(),
  kind: z.enum(['reply', 'greeting', 'idle', 'goodbye', 'speech', 'typed', 'digits']),
  startMs: z.number(),
  endMs: z.number(),
  latency: latency.nullable(),
})

export interface CallTurn {
  callId: string
  turn: Turn
}

export async function insertTurn(db: Queryable, callId: string, turn: Turn): Promise<void> {
  await insertTurns(db, [{ callId, turn }])
}

/** One statement for all; a turn stored before is replaced. */
export async function insertTurns(db: Queryable, turns: readonly CallTurn[]): Promise<void> {
  if (turns.length === 0) return
  // One statement may touch a row only once: of a turn given twice the later counts.
  const latest = new Map(
    turns.map((item) => [`${item.callId} ${item.turn.turnId} ${item.turn.role}`, item]),
  )
  const tuples = [...latest.values()].map(({ callId, turn }) => [
    callId,
    turn.turnId,
    turn.role,
    turn.kind,
    storableText(turn.textSpoken),
    storableText(turn.textHeard),
    turn.truncated,
    turn.startMs,
    turn.endMs,
    turn.latency === null ? null : storableJson(turn.latency),
  ])
  await db.query(sql.unsafe`
    INSERT INTO turns (call_id, turn_id, role, kind, text_spoken, text_heard, truncated,
      start_ms, end_ms, latency)
    SELECT * FROM ${sql.unnest(tuples, [
      'uuid',
      'int4',
      'text',
      'text',
      'text',
      'text',
      'bool',
      'float8',
      'float8',
      'jsonb',
    ])}
    ON CONFLICT (call_id, turn_id, role) DO UPDATE SET
      kind = excluded.kind, text_spoken = excluded.text_spoken, text_heard = excluded.text_heard,
      truncated = excluded.truncated, start_ms = excluded.start_ms, end_ms = excluded.end_ms,
      latency = excluded.latency`)
}

/** All turns of a call as they happened. */
export async function listTurns(db: Queryable, callId: string): Promise<Turn[]> {
  return [
    ...(await db.any(sql.type(turnRow)`
      SELECT turn_id AS "turnId", role, text_spoken AS "textSpoken", text_heard AS "textHeard",
        truncated, kind, start_ms AS "startMs", end_ms AS "endMs", latency
      FROM turns WHERE call_id = ${callId} ORDER BY start_ms, turn_id, role DESC`)),
  ]
}
