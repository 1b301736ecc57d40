/** Recordings: where the audio of a call lies. The file itself is not the store's business. */
import { sql } from 'slonik'
import { z } from 'zod'
import type { Queryable } from './database.ts'

const recordingRow = z.object({
  id: z.uuid(),
  callId: z.uuid(),
  /** As the recorder gave it. */
  path: z.string(),
  durationMs: z.number(),
  channels: z.int(),
  sampleRateHz: z.int(),
  bytes: z.number(),
})
export type RecordingRow = z.infer<typeof recordingRow>

/** One recording per call; a second one for the same call, or the same again, changes nothing. */
export async function insertRecording(db: Queryable, row: RecordingRow): Promise<void> {
  await db.query(sql.unsafe`
    INSERT INTO recordings (id, call_id, path, duration_ms, channels, sample_rate_hz, bytes)
    VALUES (${row.id}, ${row.callId}, ${row.path}, ${row.durationMs}, ${row.channels},
      ${row.sampleRateHz}, ${row.bytes})
    ON CONFLICT DO NOTHING`)
}

export async function getRecordingForCall(
  db: Queryable,
  callId: string,
): Promise<RecordingRow | null> {
  return await db.maybeOne(sql.type(recordingRow)`
    SELECT id, call_id AS "callId", path, duration_ms AS "durationMs", channels,
      sample_rate_hz AS "sampleRateHz", bytes::float8 AS bytes
    FROM recordings WHERE call_id = ${callId}`)
}
