/**
 * One real PostgreSQL for the whole test run (nothing flushed to disk), and a fresh, migrated database for each test
 * file that asks: a copy of a template, about 50 ms.
 */
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { startEmbeddedPostgres } from '../../server/store/embedded-postgres.ts'
import { migrate } from '../../server/store/migrate.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the run's cluster; its database is the template, so do not connect to it: use freshDatabase(). */
    postgresUrl: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = openTempDir('andrea-test-')
  const postgres = await startEmbeddedPostgres({ dataDir, durable: false })
  await migrate(postgres.url)
  project.provide('postgresUrl', postgres.url)
  return async () => {
    await postgres.stop()
    fs.rmSync(dataDir, { recursive: true, force: true })
  }
}

/** A temporary directory that the database account can enter too, when the tests run as root. */
export function openTempDir(prefix: string): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), prefix))
  fs.chmodSync(dir, 0o755)
  // Whoever needs it gone earlier removes it; this is for the rest.
  process.once('exit', () => fs.rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** A migrated, empty database of its own. Close every pool on it before `drop` (it ends what is left by force). */
export async function freshDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  // Only in a test file: this module is loaded by the global setup as well, where vitest's own context is absent.
  const { inject } = await import('vitest')
  const template = new URL(inject('postgresUrl'))
  const name = `test_${randomBytes(6).toString('hex')}`
  const admin = new URL(template)
  admin.pathname = '/postgres'
  const source = template.pathname.slice(1)
  await runOnce(admin.href, `CREATE DATABASE ${name} TEMPLATE ${source} STRATEGY file_copy`)
  const url = new URL(template)
  url.pathname = `/${name}`
  return {
    url: url.href,
    drop: () => dropDatabase(admin.href, name),
  }
}

async function dropDatabase(url: string, name: string): Promise<void> {
  try {
    await runOnce(url, `DROP DATABASE ${name} WITH (FORCE)`)
  } catch (error) {
    // An autovacuum worker is in it, which belongs to the superuser: FORCE may not end it, the plain command does by itself.
    if (!(error instanceof pg.DatabaseError) || error.code !== '42501') throw error
    await runOnce(url, `DROP DATABASE ${name}`)
  }
}

async function runOnce(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
