/**
 * Brings the schema up to date from migrations/, under an advisory lock: of several servers that start at once one
 * migrates and the others wait. All pending migrations run in one transaction, so a failure leaves the old schema.
 *
 * As a script: `npm run migrate` (or `npm run migrate -- up | down | status`); `down` takes back one migration.
 */
import { fileURLToPath } from 'node:url'
import { runner } from 'node-pg-migrate'
import type { RunnerOption } from 'node-pg-migrate'
import pg from 'pg'
import { StoreError, errorText } from '../errors.ts'
import { startEmbeddedPostgres } from './embedded-postgres.ts'

const MIGRATIONS_DIR = fileURLToPath(new URL('../../migrations', import.meta.url))
const MIGRATIONS_TABLE = 'schema_migrations'

/**
 * Applies every pending migration.
 *
 * @returns the names of those applied, oldest first; empty when there was nothing to do
 * @throws StoreError STORE_MIGRATION_FAILED; the schema is as it was
 */
export async function migrate(url: string): Promise<string[]> {
  return await run(url, { direction: 'up', count: Number.POSITIVE_INFINITY })
}

/**
 * Takes back the newest migrations, with the data in what they made.
 *
 * @param count how many; Infinity for all
 * @returns the names of those taken back, newest first
 */
export async function migrateDown(url: string, count: number): Promise<string[]> {
  return await run(url, { direction: 'down', count })
}

/** Names of the migrations that the database has, oldest first. */
export async function appliedMigrations(url: string): Promise<string[]> {
  return await withClient(url, async (client) => {
    const table = await client.query(`SELECT to_regclass('${MIGRATIONS_TABLE}') AS name`)
    if (table.rows[0].name === null) return []
    const { rows } = await client.query(`SELECT name FROM ${MIGRATIONS_TABLE} ORDER BY id`)
    return rows.map((row: { name: string }) => row.name)
  })
}

async function run(
  url: string,
  step: Pick<RunnerOption, 'direction' | 'count'>,
): Promise<string[]> {
  const errors: string[] = []
  const ignore = (): void => undefined
  try {
    return await withClient(url, async (dbClient) => {
      const done = await runner({
        dbClient,
        dir: MIGRATIONS_DIR,
        migrationsTable: MIGRATIONS_TABLE,
        checkOrder: true,
        singleTransaction: true,
        advisoryLockMode: 'wait',
        ...step,
        logger: { debug: ignore, info: ignore, warn: ignore, error: (text) => errors.push(text) },
      })
      return done.map((migration) => migration.name)
    })
  } catch (error) {
    throw new StoreError(
      'STORE_MIGRATION_FAILED',
      `Migrating ${step.direction} failed, nothing was changed: ${errorText(error)}` +
        (errors.length > 0 ? ` (${errors.join('; ')})` : ''),
      { cause: error },
    )
  }
}

/**
 * Runs `work` on a connection of its own, closed when this returns. node-pg-migrate given a URL does not wait for its
 * connection to close: stopped right after, the database then breaks it, and the process ends with an uncaught error.
 */
async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  // A connection that breaks fails the query at work as well; without a listener it would end the process.
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** The command line. Starts the embedded database for the moment when no DATABASE_URL is set. */
async function main(command: string): Promise<void> {
  const { loadConfig } = await import('../config.ts')
  const config = loadConfig()
  const embedded =
    config.databaseUrl === null
      ? await startEmbeddedPostgres({ dataDir: config.dataDir, durable: true })
      : null
  const url = config.databaseUrl ?? embedded?.url ?? ''
  try {
    if (command === 'up') report('applied', await migrate(url))
    else if (command === 'down') report('taken back', await migrateDown(url, 1))
    else if (command === 'status') report('in the database', await appliedMigrations(url))
    else throw new StoreError('STORE_USAGE', 'usage: npm run migrate -- [up | down | status]')
  } finally {
    await embedded?.stop()
  }
}

function report(what: string, names: string[]): void {
  console.log(names.length === 0 ? `none ${what}` : `${what}: ${names.join(', ')}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main(process.argv[2] ?? 'up')
  } catch (error) {
    console.error(errorText(error))
    process.exitCode = 1
  }
}
