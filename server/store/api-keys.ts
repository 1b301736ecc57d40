/**
 * API keys: what opens the API and the dashboard. A key is shown once, when it is made; kept is its SHA-256. That is
 * enough because keys are 256 random bits, not words that people choose: there is nothing to guess, so nothing to slow.
 */
import { createHash, randomBytes } from 'node:crypto'
import { sql } from 'slonik'
import { z } from 'zod'
import type { Database, Queryable } from './database.ts'

const keyRow = z.object({ id: z.uuid(), name: z.string() })
export type KeyOwner = z.infer<typeof keyRow>

const ADMIN_NAME = 'admin'
/** The key that the configuration holds; it follows the configuration. */
const CONFIGURED_NAME = 'configuration'
/** Longer than any key; keeps a stranger from having megabytes hashed. */
const MAX_KEY_CHARACTERS = 512
/** "keys": two servers that start at once make one key. */
const KEY_LOCK = 0x6b657973

/**
 * Sees to it that somebody can sign in. Without a configured key one is made, if no key exists at all.
 *
 * @param configured the key from the configuration; takes the place of the one configured before, which stops working
 * @returns `key` is the new key in clear, to be shown once; null when none was made
 */
export async function ensureAdminKey(
  db: Database,
  configured: string | null = null,
): Promise<{ created: boolean; key: string | null }> {
  return await db.transaction(async (tx) => {
    await tx.query(sql.unsafe`SELECT pg_advisory_xact_lock(${KEY_LOCK})`)
    await tx.query(sql.unsafe`
      UPDATE api_keys SET revoked_at = now()
      WHERE name = ${CONFIGURED_NAME} AND revoked_at IS NULL
        AND key_hash <> ${hashKey(configured ?? '')}`)
    if (configured !== null) {
      await insertKey(tx, CONFIGURED_NAME, configured)
      return { created: false, key: null }
    }
    const some = await tx.exists(sql.unsafe`SELECT 1 FROM api_keys WHERE revoked_at IS NULL`)
    if (some) return { created: false, key: null }
    const key = newKey()
    await insertKey(tx, ADMIN_NAME, key)
    return { created: true, key }
  })
}

/**
 * Whose key this is; null when it is unknown or revoked. The comparison is a look-up by hash, so its time says nothing
 * about the key.
 */
export async function verifyKey(db: Queryable, key: string): Promise<KeyOwner | null> {
  if (key.length === 0 || key.length > MAX_KEY_CHARACTERS) return null
  const hash = hashKey(key)
  const owner = await db.maybeOne(sql.type(keyRow)`
    SELECT id, name FROM api_keys WHERE key_hash = ${hash} AND revoked_at IS NULL`)
  if (owner === null) return null
  // Once a minute is exact enough for "last used", and spares a write for each request.
  await db.query(sql.unsafe`
    UPDATE api_keys SET last_used_at = now()
    WHERE id = ${owner.id} AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`)
  return owner
}

/** Makes a further key. @returns the key in clear, to be shown once */
export async function createKey(db: Queryable, name: string): Promise<string> {
  const key = newKey()
  await insertKey(db, name, key)
  return key
}

/** Ends a key at once. @returns false when there was none to end */
export async function revokeKey(db: Queryable, id: string): Promise<boolean> {
  const result = await db.query(sql.unsafe`
    UPDATE api_keys SET revoked_at = now() WHERE id = ${id} AND revoked_at IS NULL`)
  return result.rowCount === 1
}

async function insertKey(db: Queryable, name: string, key: string): Promise<void> {
  await db.query(sql.unsafe`
    INSERT INTO api_keys (name, key_hash) VALUES (${name}, ${hashKey(key)})
    ON CONFLICT (key_hash) DO UPDATE SET revoked_at = NULL, name = excluded.name`)
}

function newKey(): string {
  return `andrea_${randomBytes(32).toString('base64url')}`
}

function hashKey(key: string): ReturnType<typeof sql.binary> {
  return sql.binary(createHash('sha256').update(key).digest())
}
