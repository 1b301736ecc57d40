/**
 * Journal: the write-behind queue between calls and the database. A call records and goes on; nothing on the audio path
 * ever waits for PostgreSQL.
 *
 *   record() ─► [ queue ≤ 10 000 ] ─► batches of ≤ 500, one transaction each ─► calls, turns, events, recordings
 *                   │ full: the new entry is dropped and counted
 *                   └ database away: kept, tried again after 0.25 … 10 s
 *
 * After a broken connection it is unknown whether the batch was committed, so every write can be repeated without harm
 * (see calls.ts, turns.ts, events.ts). A batch that the database refuses for what is in it is written again one entry at
 * a time, so that one bad entry costs itself only.
 *
 * Invariants: record() never throws and never waits; entries of a call take effect in the order they were recorded.
 */
import type { Turn } from '../conversation/conversation-events.ts'
import { errorText } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { insertCalls, updateCalls } from './calls.ts'
import type { CallChanges, NewCall } from './calls.ts'
import { isDatabaseAway } from './database.ts'
import type { Database } from './database.ts'
import { insertEvents } from './events.ts'
import { insertRecording } from './recordings.ts'
import type { RecordingRow } from './recordings.ts'
import { insertTurns } from './turns.ts'

export type JournalEntry =
  | { kind: 'call'; row: NewCall }
  | { kind: 'callUpdate'; id: string; changes: CallChanges }
  | { kind: 'turn'; callId: string; turn: Turn }
  /** `atMs` is audio time of the call. */
  | { kind: 'event'; callId: string; atMs: number; name: string; data: unknown }
  | { kind: 'recording'; row: RecordingRow }

export interface JournalOptions {
  /** Entries kept while the database is slow or away; 10 000 are some minutes of 300 calls. */
  limit: number
  /** How long entries gather before they are written. Default 200. */
  flushMs?: number
  log: Pick<Log, 'info' | 'warn' | 'error'>
  metrics: Pick<Metrics, 'droppedItems' | 'journal'>
  /** Wall clock, ms. Default Date.now. */
  nowMs?(): number
}

export interface JournalStats {
  queued: number
  written: number
  /** Not taken, because the queue was full or the journal stopped. */
  dropped: number
  /** Refused by the database for what they held, and given up. */
  failed: number
  /** Attempts that found the database away. */
  retries: number
}

interface Item {
  entry: JournalEntry
  seq: number
  recordedAt: number
}

/** One transaction holds at most this many entries: some 20 ms of work. */
const BATCH_ENTRIES = 500
const BACKOFF_MS = 250
const BACKOFF_LIMIT_MS = 10_000
/** At shutdown the journal tries this long to write what is left. */
const STOP_MS = 5_000

export class Journal {
  readonly #db: Database
  readonly #options: JournalOptions
  readonly #queue: Item[] = []
  readonly #counts = { written: 0, dropped: 0, failed: 0, retries: 0 }
  #seq = 0
  #timer: NodeJS.Timeout | null = null
  #draining: Promise<void> | null = null
  #backoffMs = 0
  #dropLogged = false
  #stopped = false

  constructor(db: Database, options: JournalOptions) {
    this.#db = db
    this.#options = options
  }

  get stats(): JournalStats {
    return { queued: this.#queue.length, ...this.#counts }
  }

  /** Takes an entry to be written soon, or drops and counts it when the queue is full. */
  record(entry: JournalEntry): void {
    if (this.#stopped || this.#queue.length >= this.#options.limit) {
      this.#drop(1)
      return
    }
    const recordedAt = (this.#options.nowMs ?? Date.now)()
    this.#queue.push({ entry, seq: this.#seq++, recordedAt })
    this.#arm()
  }

  /**
   * Writes what is queued now, without waiting for the timer. Resolves when the queue is empty, or when the database
   * turned out to be away (see stats.queued); never rejects.
   */
  async flush(): Promise<void> {
    // A drain that is under way may have taken its last batch before the newest entry came.
    await this.#draining
    await this.#drain()
  }

  /** Writes what is left, for up to 5 s, then takes nothing more. What remains is counted as dropped. Idempotent. */
  async stop(deadlineMs: number = STOP_MS): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.#disarm()
    const deadline = Promise.withResolvers<void>()
    let late = false
    const timer = setTimeout(() => {
      late = true
      deadline.resolve()
    }, deadlineMs)
    while (this.#queue.length > 0 && !late) {
      await Promise.race([this.flush(), deadline.promise])
      if (this.#queue.length > 0) await Promise.race([pause(BACKOFF_MS), deadline.promise])
    }
    clearTimeout(timer)
    const left = this.#queue.length
    if (left === 0) return
    this.#options.log.error({ entries: left }, 'the journal stops with entries unwritten')
    this.#drop(left)
    this.#queue.length = 0
  }

  #arm(): void {
    if (this.#timer !== null || this.#draining !== null || this.#stopped) return
    const waitMs = Math.max(this.#backoffMs, this.#options.flushMs ?? 200)
    // Unreferenced: the process may end with entries queued only through stop(), which writes them.
    this.#timer = setTimeout(() => void this.#drain(), waitMs).unref()
  }

  #disarm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #drain(): Promise<void> {
    this.#disarm()
    this.#draining ??= this.#writeAll().finally(() => {
      this.#draining = null
      if (this.#queue.length > 0) this.#arm()
    })
    return this.#draining
  }

  async #writeAll(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.slice(0, BATCH_ENTRIES)
      try {
        await this.#writeBatch(batch)
      } catch (error) {
        this.#databaseAway(error)
        return
      }
      this.#databaseBack()
    }
  }

  /** Takes the batch from the queue as far as it is settled. @throws when the database is away */
  async #writeBatch(batch: Item[]): Promise<void> {
    try {
      await this.#write(batch)
      this.#settle(batch.length, 'written')
      return
    } catch (error) {
      if (isDatabaseAway(error)) throw error
      if (batch.length === 1) {
        this.#giveUp(batch[0]!, error)
        return
      }
    }
    for (const item of batch) await this.#writeBatch([item])
  }

  /**
   * Calls first, then the rest by kind: within one transaction only "the call before what belongs to it" and the order
   * among entries of a kind can be seen from outside, and both are kept.
   */
  async #write(batch: Item[]): Promise<void> {
    const of = <K extends JournalEntry['kind']>(kind: K) =>
      batch.filter((item): item is Item & { entry: { kind: K } } => item.entry.kind === kind)
    await this.#db.transaction(async (tx) => {
      await insertCalls(
        tx,
        of('call').map(({ entry }) => entry.row),
      )
      await updateCalls(
        tx,
        of('callUpdate').map(({ entry }) => entry),
      )
      await insertTurns(
        tx,
        of('turn').map(({ entry }) => entry),
      )
      await insertEvents(
        tx,
        of('event').map(({ entry, seq, recordedAt }) => ({ ...entry, seq, recordedAt })),
      )
      for (const { entry } of of('recording')) await insertRecording(tx, entry.row)
    })
  }

  #settle(count: number, outcome: 'written' | 'failed'): void {
    this.#queue.splice(0, count)
    this.#counts[outcome] += count
    this.#options.metrics.journal.inc({ outcome }, count)
  }

  #giveUp(item: Item, error: unknown): void {
    this.#settle(1, 'failed')
    // The error's name only: its message may quote what was said in the call.
    const { kind } = item.entry
    const reason = error instanceof Error ? error.constructor.name : typeof error
    this.#options.log.error({ kind, reason }, 'the database refused a journal entry')
  }

  #databaseAway(error: unknown): void {
    this.#counts.retries++
    if (this.#backoffMs === 0) {
      const entries = this.#queue.length
      this.#options.log.warn(
        { entries, error: errorText(error) },
        'the database is away; the journal waits',
      )
    }
    this.#backoffMs = Math.min(Math.max(BACKOFF_MS, this.#backoffMs * 2), BACKOFF_LIMIT_MS)
  }

  #databaseBack(): void {
    this.#dropLogged = false
    if (this.#backoffMs === 0) return
    this.#backoffMs = 0
    this.#options.log.info(
      { entries: this.#queue.length },
      'the database is back; the journal writes again',
    )
  }

  #drop(count: number): void {
    this.#counts.dropped += count
    this.#options.metrics.droppedItems.inc({ queue: 'journal' }, count)
    if (this.#dropLogged) return
    this.#dropLogged = true
    this.#options.log.error(
      { limit: this.#options.limit },
      'the journal is full; entries are dropped',
    )
  }
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}
