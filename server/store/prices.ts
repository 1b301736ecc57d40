/** Prices that differ from the defaults, in versions: each save is a row, the newest counts. */
import { sql } from 'slonik'
import { z } from 'zod'
import { StoreError } from '../errors.ts'
import type { Prices } from '../prices.ts'
import type { Database, Queryable } from './database.ts'
import { storableJson, storableText } from './sql-values.ts'

const versionRow = z.object({
  version: z.int(),
  changes: z.record(z.string(), z.unknown()),
  author: z.string(),
  createdAt: z.number(),
})
/** createdAt is ms since 1970. */
export type PriceVersion = z.infer<typeof versionRow>

const ROW = sql.fragment`version, changes, author, created_at AS "createdAt"`

/** Every version, newest first. */
export async function listPriceVersions(db: Queryable): Promise<readonly PriceVersion[]> {
  return await db.any(
    sql.type(versionRow)`SELECT ${ROW} FROM price_versions ORDER BY version DESC LIMIT 1000`,
  )
}

/** The version in force; null while nothing was ever changed. */
export async function newestPrices(db: Queryable): Promise<PriceVersion | null> {
  return await db.maybeOne(
    sql.type(versionRow)`SELECT ${ROW} FROM price_versions ORDER BY version DESC LIMIT 1`,
  )
}

/**
 * A new version. `baseVersion`: the one that was edited, 0 for the defaults; null takes the place of whichever is newest.
 *
 * @throws StoreError STORE_VERSION_CONFLICT somebody saved in between
 */
export async function insertPrices(
  db: Database,
  save: { changes: Partial<Prices>; author: string; baseVersion: number | null },
): Promise<PriceVersion> {
  return await db.transaction(async (tx) => {
    await tx.query(sql.unsafe`LOCK TABLE price_versions IN SHARE ROW EXCLUSIVE MODE`)
    const current = (await newestPrices(tx))?.version ?? 0
    if (save.baseVersion !== null && save.baseVersion !== current) {
      throw new StoreError(
        'STORE_VERSION_CONFLICT',
        `The prices are at version ${current}, you edited version ${save.baseVersion}: ` +
          'somebody saved in between. Load them again and repeat your change.',
      )
    }
    return await tx.one(sql.type(versionRow)`
      INSERT INTO price_versions (version, changes, author)
      VALUES (${current + 1}, ${storableJson(save.changes)}::jsonb, ${storableText(save.author)})
      RETURNING ${ROW}`)
  })
}
