import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import readline from 'node:readline'
import type { Readable } from 'node:stream'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { startEmbeddedPostgres } from '../../server/store/embedded-postgres.ts'
import type { EmbeddedPostgres } from '../../server/store/embedded-postgres.ts'
import { migrate, migrateDown } from '../../server/store/migrate.ts'
import { findBinaries } from '../../server/store/postgres-binaries.ts'
import { newPassword, prepareCluster } from '../../server/store/postgres-cluster.ts'
import { accountForPostgres } from '../../server/store/postgres-account.ts'
import { openTempDir } from '../support/postgres.ts'

const HOLDER = path.join(import.meta.dirname, '../support/hold-postgres.ts')
const asRoot = process.getuid?.() === 0

const undo: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step()
})

function tempDir(): string {
  const dir = openTempDir('andrea-pg-test-')
  undo.push(() => fs.rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** A data directory whose cluster has been made, as after a first start; shared, because making one is the slow part. */
let madeDir = ''
beforeAll(async () => {
  madeDir = openTempDir('andrea-pg-made-')
  const postgres = await startEmbeddedPostgres({ dataDir: madeDir, durable: false })
  await postgres.stop()
})
afterAll(() => fs.rmSync(madeDir, { recursive: true, force: true }))

async function start(
  dataDir: string,
  more: Partial<Parameters<typeof startEmbeddedPostgres>[0]> = {},
): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ dataDir, durable: false, ...more })
  undo.push(() => postgres.stop())
  return postgres
}

/** Another server process on the same directory. */
async function hold(dataDir: string, then: 'hold' | 'leave') {
  const child: ChildProcess = spawn(process.execPath, [HOLDER, dataDir, then], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  undo.push(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const [line] = (await once(
    readline.createInterface({ input: child.stdout as Readable }),
    'line',
  )) as [string]
  return { child, ended, ...z.object({ url: z.string(), pid: z.int() }).parse(JSON.parse(line)) }
}

async function query(url: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}

describe('embedded postgres', () => {
  it('starts again with the data of the first start and another password', async () => {
    const dataDir = tempDir()
    const first = await start(dataDir)
    await query(first.url, 'CREATE TABLE kept (n int)')
    await first.stop()
    await first.stop()

    const second = await start(dataDir)
    expect(await query(second.url, 'SELECT n FROM kept')).toEqual([])
    expect(second.password).not.toBe(first.password)
    const stale = second.url.replace(second.password, first.password)
    await expect(query(stale, 'SELECT 1')).rejects.toThrow('password authentication failed')
  })

  it('listens on loopback only, and lets nobody in but its own unprivileged role', async () => {
    const { url, clusterDir } = await start(madeDir)
    expect(await query(url, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }])
    // Lines 5 and 6 of the lock file: the directory of the Unix socket, and the address.
    const lock = fs.readFileSync(path.join(clusterDir, 'postmaster.pid'), 'utf8').split('\n')
    expect(lock.slice(4, 6)).toEqual(['', '127.0.0.1'])
    expect(await query(url, 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user')).toEqual([
      { rolsuper: false },
    ])
    const superuser = url.replace('//andrea:', '//postgres:')
    await expect(query(superuser, 'SELECT 1')).rejects.toThrow('no pg_hba.conf entry')
  })

  it('is a session of its own, so that Ctrl-C does not reach it', async () => {
    const { pid } = await start(madeDir)
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [, , processGroup, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    expect([processGroup, session]).toEqual([String(pid), String(pid)])
  })

  it('refuses a second instance in the same process, and starts after the first has stopped', async () => {
    const dataDir = madeDir
    const first = await start(dataDir)
    await expect(start(dataDir)).rejects.toMatchObject({ code: 'STORE_DATA_DIR_IN_USE' })
    await first.stop()
    await start(dataDir)
  })

  it('refuses a second process, naming the first and the directory', async () => {
    const dataDir = madeDir
    const { child, url } = await hold(dataDir, 'hold')
    await expect(start(dataDir)).rejects.toMatchObject({
      code: 'STORE_DATA_DIR_IN_USE',
      message: expect.stringMatching(new RegExp(`${dataDir}.*process ${child.pid}\\b`)),
    })
    expect(await query(url, 'SELECT 1 AS n')).toEqual([{ n: 1 }])
  })

  it('starts after kill -9 of the server, stopping the orphan and keeping its data', async () => {
    const dataDir = madeDir
    const killed = await hold(dataDir, 'hold')
    await query(killed.url, 'CREATE TABLE kept AS SELECT 7 AS n')
    killed.child.kill('SIGKILL')
    await killed.ended
    expect(await query(killed.url, 'SELECT n FROM kept')).toEqual([{ n: 7 }])

    const log: string[] = []
    const { url, pid } = await start(dataDir, { onLog: (line) => log.push(line) })
    expect(log[0]).toContain(`stopping PostgreSQL ${killed.pid}`)
    expect(pid).not.toBe(killed.pid)
    expect(await query(url, 'SELECT n FROM kept')).toEqual([{ n: 7 }])
    await expect(query(killed.url, 'SELECT 1')).rejects.toThrow()
  })

  it('lets a process end that forgot to stop it, and goes down with it', async () => {
    const dataDir = madeDir
    const { ended } = await hold(dataDir, 'leave')
    expect(await ended).toEqual([0, null])
    expect(fs.existsSync(path.join(dataDir, 'postgres-owner.json'))).toBe(false)
    await start(dataDir)
  })

  it('is not stopped by a lock file whose process id belongs to a stranger', async () => {
    const dataDir = madeDir
    const first = await start(dataDir)
    await first.stop()
    fs.writeFileSync(path.join(dataDir, 'postgres', 'postmaster.pid'), `${process.pid}\n`)
    await start(dataDir)
  })

  it('comes back on the same address after kill -9 of the postmaster', async () => {
    let ready = Promise.withResolvers<void>()
    const postgres = await start(madeDir, {
      onLog: (line) => {
        if (line.endsWith('database system is ready to accept connections')) ready.resolve()
      },
    })
    const { url, pid } = postgres
    ready = Promise.withResolvers<void>()
    process.kill(pid, 'SIGKILL')
    await ready.promise
    expect(await query(url, 'SELECT 1 AS n')).toEqual([{ n: 1 }])
    expect(postgres.pid).not.toBe(pid)
  })

  it('says so when the data directory cannot be made', async () => {
    const file = path.join(tempDir(), 'file')
    fs.writeFileSync(file, '')
    await expect(start(path.join(file, 'data'))).rejects.toMatchObject({
      code: 'STORE_DATA_DIR_UNUSABLE',
    })
  })

  it('refuses to make a database where other files lie, and leaves them alone', async () => {
    const dataDir = tempDir()
    const note = path.join(dataDir, 'postgres', 'note.txt')
    fs.mkdirSync(path.dirname(note))
    fs.writeFileSync(note, 'mine')
    await expect(start(dataDir)).rejects.toMatchObject({ code: 'STORE_DATA_DIR_UNUSABLE' })
    expect(fs.readFileSync(note, 'utf8')).toBe('mine')
  })

  it('refuses a cluster of a version that is not installed, naming it', async () => {
    const dataDir = tempDir()
    fs.mkdirSync(path.join(dataDir, 'postgres'))
    fs.writeFileSync(path.join(dataDir, 'postgres', 'PG_VERSION'), '9\n')
    await expect(start(dataDir)).rejects.toMatchObject({
      code: 'STORE_VERSION_MISMATCH',
      message: expect.stringContaining('PostgreSQL 9'),
    })
    expect(fs.existsSync(path.join(dataDir, 'postgres-owner.json'))).toBe(false)
  })
})

describe.runIf(asRoot)('embedded postgres as root', () => {
  it('moves data and binaries out of a 0700 directory, and back to the same place next time', async () => {
    const closed = tempDir()
    fs.chmodSync(closed, 0o700)
    const dataDir = path.join(closed, 'data')
    const first = await start(dataDir)
    undo.push(() => fs.rmSync(path.dirname(first.clusterDir), { recursive: true, force: true }))
    expect(first.clusterDir).toMatch(/^\/var\/(lib|tmp)\/andrea-pg-0-[0-9a-f]{12}\/postgres$/)
    expect(fs.statSync(`/proc/${first.pid}`).uid).not.toBe(0)
    await query(first.url, 'CREATE TABLE kept (n int)')
    await first.stop()

    const second = await start(dataDir)
    expect(second.clusterDir).toBe(first.clusterDir)
    expect(fs.readlinkSync(path.join(dataDir, 'postgres'))).toBe(first.clusterDir)
    expect(await query(second.url, 'SELECT n FROM kept')).toEqual([])
    await second.stop()
  })

  it('follows when the directory is closed after the first start', async () => {
    const project = tempDir()
    const dataDir = path.join(project, 'data')
    const first = await start(dataDir)
    await query(first.url, 'CREATE TABLE kept (n int)')
    await first.stop()
    fs.chmodSync(project, 0o700)

    const second = await start(dataDir)
    undo.push(() => fs.rmSync(path.dirname(second.clusterDir), { recursive: true, force: true }))
    expect(second.clusterDir).not.toBe(first.clusterDir)
    expect(await query(second.url, 'SELECT n FROM kept')).toEqual([])
    await second.stop()
  })
})

const debianBin = '/usr/lib/postgresql/15/bin'
describe.runIf(fs.existsSync(debianBin))('PostgreSQL 15 of Debian', () => {
  it('runs a cluster that it made, with all migrations down and up', async () => {
    const dataDir = tempDir()
    const clusterDir = path.join(dataDir, 'postgres')
    const account = accountForPostgres(clusterDir)
    const { binDir, major } = findBinaries(account, dataDir, 15)
    expect([binDir, major]).toEqual([debianBin, 15])
    await prepareCluster({ binDir, clusterDir, account, durable: false }, newPassword())

    const { url } = await start(dataDir)
    expect(await query(url, "SELECT current_setting('server_version') LIKE '15.%' AS ok")).toEqual([
      { ok: true },
    ])
    const names = await migrate(url)
    expect(await migrateDown(url, Number.POSITIVE_INFINITY)).toEqual(names.toReversed())
    expect(await migrate(url)).toEqual(names)
  })
})
