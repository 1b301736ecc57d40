/** Listening, or saying plainly why not. */
import type { Server } from 'node:http'
import type { Config } from '../config.ts'
import { ConfigError } from '../errors.ts'

/** Resolves when `server` listens. @throws ConfigError PORT_IN_USE, LISTEN_FAILED with the cure. */
export function listen(
  server: Server,
  { host, port }: Pick<Config, 'host' | 'port'>,
): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const busy = error.code === 'EADDRINUSE'
      const cure = busy
        ? `port ${port} on ${host} is in use by another program; stop it or set PORT to a free port`
        : `cannot listen on ${host}:${port}: ${error.message}`
      fail(new ConfigError(busy ? 'PORT_IN_USE' : 'LISTEN_FAILED', cure, { cause: error }))
    })
    server.listen(port, host, done)
  })
}
