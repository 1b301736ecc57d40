import { sql } from 'slonik'
import { beforeEach, describe, expect, it } from 'vitest'
import { createKey, ensureAdminKey, revokeKey, verifyKey } from '../../server/store/api-keys.ts'
import { useDatabase } from '../support/store.ts'

const store = useDatabase()

beforeEach(async () => {
  await store.db.query(sql.unsafe`TRUNCATE api_keys`)
})

describe('api keys', () => {
  it('makes one admin key at the first of two starts, and it opens', async () => {
    const [one, two] = await Promise.all([ensureAdminKey(store.db), ensureAdminKey(store.db)])
    const key = one.key ?? two.key ?? ''
    expect([one.created, two.created].toSorted()).toEqual([false, true])
    expect(key).toMatch(/^andrea_[\w-]{43}$/)
    expect(await verifyKey(store.db, key)).toMatchObject({ name: 'admin' })
    expect(await ensureAdminKey(store.db)).toEqual({ created: false, key: null })
  })

  it('does not open to a wrong, an empty or a 1 MB key', async () => {
    const { key } = await ensureAdminKey(store.db)
    expect(await verifyKey(store.db, `${key}x`)).toBeNull()
    expect(await verifyKey(store.db, '')).toBeNull()
    expect(await verifyKey(store.db, 'x'.repeat(1_000_000))).toBeNull()
  })

  it('keeps no key in clear', async () => {
    const { key } = await ensureAdminKey(store.db)
    const rows = await store.db.any(sql.unsafe`SELECT api_keys::text AS row FROM api_keys`)
    expect(JSON.stringify(rows)).not.toContain(key)
    expect(JSON.stringify(rows)).not.toContain(Buffer.from(key ?? '').toString('hex'))
  })

  it('follows the configured key: the old one stops working, the way back works too', async () => {
    expect(await ensureAdminKey(store.db, 'first-configured-key')).toEqual({
      created: false,
      key: null,
    })
    await ensureAdminKey(store.db, 'second-configured-key')
    expect(await verifyKey(store.db, 'first-configured-key')).toBeNull()
    expect(await verifyKey(store.db, 'second-configured-key')).not.toBeNull()
    await ensureAdminKey(store.db, 'first-configured-key')
    expect(await verifyKey(store.db, 'first-configured-key')).not.toBeNull()
  })

  it('makes an admin key when the configured one is taken away', async () => {
    await ensureAdminKey(store.db, 'configured-key')
    expect((await ensureAdminKey(store.db)).created).toBe(true)
    expect(await verifyKey(store.db, 'configured-key')).toBeNull()
  })

  it('ends a revoked key at once', async () => {
    const key = await createKey(store.db, 'panel')
    const owner = await verifyKey(store.db, key)
    expect(await revokeKey(store.db, owner?.id ?? '')).toBe(true)
    expect(await revokeKey(store.db, owner?.id ?? '')).toBe(false)
    expect(await verifyKey(store.db, key)).toBeNull()
  })
})
