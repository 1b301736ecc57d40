import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { appliedMigrations, migrate, migrateDown } from '../../server/store/migrate.ts'
import { freshDatabase } from '../support/postgres.ts'

let database: Awaited<ReturnType<typeof freshDatabase>>
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(async () => {
  await database.drop()
})

async function tables(): Promise<string[]> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  const { rows } = await client.query(
    `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`,
  )
  await client.end()
  return rows.map((row: { table_name: string }) => row.table_name)
}

describe('migrate', () => {
  it('finds nothing to do on a database that is up to date', async () => {
    expect(await migrate(database.url)).toEqual([])
  })

  it('goes all the way down to an empty schema and up to the same tables again', async () => {
    const before = await tables()
    expect(before).toContain('call_events')
    const names = await appliedMigrations(database.url)

    expect(await migrateDown(database.url, Number.POSITIVE_INFINITY)).toEqual(names.toReversed())
    expect(await tables()).toEqual(['schema_migrations'])
    expect(await appliedMigrations(database.url)).toEqual([])

    expect(await migrate(database.url)).toEqual(names)
    expect(await tables()).toEqual(before)
  })

  it('lets two servers that start at once migrate once', async () => {
    await migrateDown(database.url, Number.POSITIVE_INFINITY)
    const [first, second] = await Promise.all([migrate(database.url), migrate(database.url)])
    const names = await appliedMigrations(database.url)
    expect([...first, ...second].toSorted()).toEqual(names)
  })
})
