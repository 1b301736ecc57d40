/**
 * A server process for tests: starts the embedded database in argv[2], prints one line of JSON, and then stays until it is
 * killed (`hold`) or comes to its end without stopping the database (`leave`).
 */
import { startEmbeddedPostgres } from '../../server/store/embedded-postgres.ts'

const [, , dataDir = '', then = 'hold'] = process.argv
const postgres = await startEmbeddedPostgres({ dataDir, durable: false })
console.log(JSON.stringify({ url: postgres.url, pid: postgres.pid }))
if (then === 'hold') setInterval(() => undefined, 60_000)
