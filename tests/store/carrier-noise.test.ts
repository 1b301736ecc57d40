import { readFile } from 'node:fs/promises'
import { sql } from 'slonik'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { DEFAULT_SETTINGS } from '../../server/agent-settings.ts'
import { createAgent, getAgent } from '../../server/store/agents.ts'
import { openDatabase, type Database } from '../../server/store/database.ts'
import { freshDatabase } from '../support/postgres.ts'

let database: Awaited<ReturnType<typeof freshDatabase>>
let db: Database
beforeAll(async () => {
  database = await freshDatabase()
  db = await openDatabase(database.url)
})
afterAll(async () => {
  await db.end()
  await database.drop()
})

it('the carrier’s noise suppression of older agents is kept, under its new name, and ours is off', async () => {
  const { id } = await createAgent(db, { name: 'Old', author: 'test' })
  const { base, profiles } = DEFAULT_SETTINGS
  const older: Record<string, unknown> = { ...base, noiseSuppression: true }
  delete older['carrierNoiseSuppression']
  const stored = {
    base: older,
    profiles: { ...profiles, telnyx: { ...profiles.telnyx, noiseSuppression: false } },
  }
  await db.query(sql.unsafe`
    UPDATE agent_versions SET settings = ${JSON.stringify(stored)}::jsonb WHERE agent_id = ${id}`)
  const file = new URL('../../migrations/0007_beds.sql', import.meta.url)
  const up = (await readFile(file, 'utf8')).split('-- Down Migration')[0] ?? ''
  const update = up.slice(up.indexOf('UPDATE agent_versions'))
  await db.query({ ...sql.unsafe`SELECT 1`, sql: update, values: [] })
  const settings = (await getAgent(db, id))?.settings
  expect(settings?.base).toMatchObject({ carrierNoiseSuppression: true, noiseSuppression: false })
  expect(settings?.profiles.telnyx).toEqual({
    ...profiles.telnyx,
    carrierNoiseSuppression: false,
  })
  expect(settings?.profiles.twilio).toEqual(profiles.twilio)
})
