/** Analyses: what a language model made of a call after its end. */
import { sql } from 'slonik'
import { z } from 'zod'
import type { Queryable } from './database.ts'
import { storableJson, storableText } from './sql-values.ts'

const analysisRow = z.object({
  status: z.enum(['done', 'noModel', 'failed']),
  summary: z.string().nullable(),
  outcome: z.string().nullable(),
  sentiment: z.string().nullable(),
  /** By the agent's extraction schema. */
  fields: z.record(z.string(), z.unknown()),
  note: z.string().nullable(),
})
export type AnalysisRow = z.infer<typeof analysisRow>

/** One analysis per call; a second one replaces the first. The call must be in the store. */
export async function saveAnalysis(db: Queryable, callId: string, row: AnalysisRow): Promise<void> {
  const text = (value: string | null): string | null =>
    value === null ? null : storableText(value)
  await db.query(sql.unsafe`
    INSERT INTO call_analyses (call_id, status, summary, outcome, sentiment, fields, note)
    VALUES (${callId}, ${row.status}, ${text(row.summary)}, ${text(row.outcome)},
      ${text(row.sentiment)}, ${storableJson(row.fields)}::jsonb, ${text(row.note)})
    ON CONFLICT (call_id) DO UPDATE SET status = excluded.status, summary = excluded.summary,
      outcome = excluded.outcome, sentiment = excluded.sentiment, fields = excluded.fields,
      note = excluded.note`)
}

export async function getAnalysis(db: Queryable, callId: string): Promise<AnalysisRow | null> {
  return await db.maybeOne(sql.type(analysisRow)`
    SELECT status, summary, outcome, sentiment, fields, note
    FROM call_analyses WHERE call_id = ${callId}`)
}
