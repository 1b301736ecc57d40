/** A database of its own for a test file, with the default agent, and the rows that tests write. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll } from 'vitest'
import type { Turn } from '../../server/conversation/conversation-events.ts'
import type { NewCall } from '../../server/store/calls.ts'
import { openDatabase } from '../../server/store/database.ts'
import type { Database } from '../../server/store/database.ts'
import { freshDatabase } from './postgres.ts'

/** Opens a fresh database before the file's tests and removes it after them. `db` is set once tests run. */
export function useDatabase(): { db: Database; url: string } {
  const opened = { db: null as unknown as Database, url: '' }
  let drop: () => Promise<void>
  beforeAll(async () => {
    const fresh = await freshDatabase()
    drop = fresh.drop
    opened.url = fresh.url
    opened.db = await openDatabase(fresh.url)
  })
  afterAll(async () => {
    await opened.db.end()
    await drop()
  })
  return opened
}

export function someCall(values: Partial<NewCall> = {}): NewCall {
  return {
    id: randomUUID(),
    agentId: null,
    agentVersion: 1,
    direction: 'inbound',
    carrier: 'twilio',
    carrierCallId: 'CA0123',
    streamId: 'MZ0123',
    from: '+525511112222',
    to: '+525533334444',
    status: 'answered',
    startedAt: Date.UTC(2026, 10, 24, 12),
    answeredAt: Date.UTC(2026, 10, 24, 12),
    providers: { stt: 'embedded', llm: 'scripted', tts: 'embedded' },
    ...values,
  }
}

export function someTurn(values: Partial<Turn> = {}): Turn {
  return {
    turnId: 1,
    role: 'user',
    textSpoken: 'Sí, buenos días.',
    textHeard: 'Sí, buenos días.',
    truncated: false,
    kind: 'speech',
    startMs: 1_000,
    endMs: 2_000.5,
    latency: null,
    ...values,
  }
}
