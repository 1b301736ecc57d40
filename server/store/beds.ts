/** Uploaded beds: loops of 16-bit mono at 16 kHz, by the name that agents' settings use. */
import { sql } from 'slonik'
import { z } from 'zod'
import type { Queryable } from './database.ts'
import { storableText } from './sql-values.ts'

const bedRow = z.object({
  name: z.string(),
  durationMs: z.number(),
  author: z.string(),
  createdAt: z.number(),
})
/** createdAt is ms since 1970. */
export type BedRow = z.infer<typeof bedRow>

// 32 bytes are a millisecond.
const ROW = sql.fragment`
  name, length(pcm) / 32.0::float8 AS "durationMs", author, created_at AS "createdAt"`

/** By name. */
export async function listBeds(db: Queryable): Promise<readonly BedRow[]> {
  return await db.any(sql.type(bedRow)`SELECT ${ROW} FROM beds ORDER BY lower(name), name`)
}

export async function bedPcm(db: Queryable, name: string): Promise<Int16Array | null> {
  const bytes = await db.maybeOneFirst(sql.type(z.object({ pcm: z.instanceof(Uint8Array) }))`
    SELECT pcm FROM beds WHERE name = ${storableText(name)}`)
  // A copy: the driver's bytes may lie anywhere, and samples need an even place.
  return bytes === null ? null : new Int16Array(Uint8Array.from(bytes).buffer)
}

/** Null when the name is taken. */
export async function insertBed(
  db: Queryable,
  bed: { name: string; pcm: Int16Array; author: string },
): Promise<BedRow | null> {
  const bytes = Buffer.from(bed.pcm.buffer, bed.pcm.byteOffset, bed.pcm.byteLength)
  return await db.maybeOne(sql.type(bedRow)`
    INSERT INTO beds (name, pcm, author)
    VALUES (${storableText(bed.name)}, ${sql.binary(bytes)}, ${storableText(bed.author)})
    ON CONFLICT DO NOTHING RETURNING ${ROW}`)
}

/** Whether it was there. */
export async function deleteBed(db: Queryable, name: string): Promise<boolean> {
  const found = await db.maybeOneFirst(sql.type(z.object({ name: z.string() }))`
    DELETE FROM beds WHERE name = ${storableText(name)} RETURNING name`)
  return found !== null
}

/** Names of the agents whose published version has it as background, in the base or in a profile. */
export async function agentsWithBed(db: Queryable, name: string): Promise<readonly string[]> {
  return await db.anyFirst(sql.type(z.object({ name: z.string() }))`
    SELECT a.name FROM agents a JOIN agent_versions v ON v.agent_id = a.id AND v.version = a.version
    WHERE v.settings->'base'->>'backgroundSound' = ${storableText(name)}
      OR EXISTS (SELECT FROM jsonb_each(v.settings->'profiles') p
        WHERE p.value->>'backgroundSound' = ${storableText(name)})
    ORDER BY lower(a.name)`)
}
