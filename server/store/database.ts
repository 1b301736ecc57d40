/**
 * The database pool. Every row that a query returns is checked against the query's zod schema: Slonik types rows by the
 * schema but does not look at them itself, so without this interceptor a wrong column would be found far from here.
 */
import {
  BackendTerminatedError,
  BackendTerminatedUnexpectedlyError,
  ConnectionError,
  IdleTransactionTimeoutError,
  SchemaValidationError,
  StatementCancelledError,
  StatementTimeoutError,
  createPool,
} from 'slonik'
import type { CommonQueryMethods, DatabasePool, Interceptor, QueryResultRow } from 'slonik'
import { StoreError, errorText } from '../errors.ts'

export type Database = DatabasePool

/** What a query needs: the pool, or a connection within a transaction. */
export type Queryable = CommonQueryMethods

const MAX_CONNECTIONS = 10
/** Long enough for a search over a large history, short enough that a stuck lock shows up as an error. */
const STATEMENT_TIMEOUT_MS = 30_000
const CONNECT_TIMEOUT_MS = 5_000
const IDLE_TIMEOUT_MS = 60_000

const validateRows: Interceptor = {
  name: 'validate-rows',
  transformRow(context, query, row) {
    if (context.resultParser === undefined) return row
    const result = context.resultParser['~standard'].validate(row)
    if (result instanceof Promise) throw new TypeError('row schemas must be synchronous')
    if (result.issues !== undefined) throw new SchemaValidationError(query, row, result.issues)
    return result.value as QueryResultRow
  },
}

/**
 * Opens a pool of up to 10 connections and checks that the database answers.
 *
 * @param url     postgres://user:password@host:port/database
 * @param onError told of connections that break while idle; the pool replaces them by itself
 * @throws StoreError STORE_UNREACHABLE (retryable) when it does not answer
 */
export async function openDatabase(
  url: string,
  onError: (error: Error) => void = () => undefined,
): Promise<Database> {
  try {
    const database = await createPool(url, {
      maxPoolSize: MAX_CONNECTIONS,
      statementTimeout: STATEMENT_TIMEOUT_MS,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      idleTimeout: IDLE_TIMEOUT_MS,
      interceptors: [validateRows],
      // Nothing here uses SET, LISTEN or temporary tables, so nothing needs DISCARD ALL (a third of the throughput).
      resetConnection: async () => undefined,
    })
    // Slonik reports failed statements here as well; those reach their callers anyway.
    database.on('error', (error) => {
      if (isDatabaseAway(error)) onError(error)
    })
    return database
  } catch (error) {
    throw new StoreError(
      'STORE_UNREACHABLE',
      `The database does not answer: ${errorText(error)}. Check DATABASE_URL and that PostgreSQL runs.`,
      { retryable: true, cause: error },
    )
  }
}

/**
 * True when the database is away, restarting, overloaded or cut us off: the same statement may succeed later. False when
 * the statement itself is at fault (a constraint, a value, a row that fails its schema).
 */
export function isDatabaseAway(error: unknown): boolean {
  if (AWAY_ERRORS.some((type) => error instanceof type)) return true
  if (!(error instanceof Error)) return false
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && (AWAY_SQLSTATE.test(code) || SOCKET_CODE.test(code))
}

const AWAY_ERRORS = [
  ConnectionError,
  BackendTerminatedError,
  BackendTerminatedUnexpectedlyError,
  StatementTimeoutError,
  StatementCancelledError,
  IdleTransactionTimeoutError,
]
/** Classes of SQLSTATE: connection, read-only standby, rollback, resources, locks, operator intervention, system. */
const AWAY_SQLSTATE = /^(?:08|25|40|53|55|57|58)[0-9A-Z]{3}$/
const SOCKET_CODE = /^(?:ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|EAI_)/
