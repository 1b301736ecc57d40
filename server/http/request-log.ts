/**
 * Request log and request metrics: one line and one count per request, whatever became of it.
 *
 * The path is logged without its query, which may hold a token. The request id comes from the client (or the proxy in front)
 * when it looks like one, so that a request can be followed across machines.
 */
import { randomUUID } from 'node:crypto'
import type { Middleware } from 'koa'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { HttpState } from './http-state.ts'

const REQUEST_ID = /^[A-Za-z0-9_-]{8,64}$/
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])

export function logRequests(log: Log, metrics: Metrics): Middleware<HttpState> {
  return async (ctx, next) => {
    const given = ctx.get('X-Request-Id')
    ctx.state.requestId = REQUEST_ID.test(given) ? given : randomUUID()
    ctx.state.identity = null
    ctx.state.route = 'none'
    ctx.set('X-Request-Id', ctx.state.requestId)
    const startedMs = performance.now()
    await next()
    const tookMs = performance.now() - startedMs
    const { route, requestId, identity } = ctx.state as HttpState
    const method = METHODS.has(ctx.method) ? ctx.method : 'other'
    metrics.httpRequests.inc({ method, route, status: ctx.status })
    metrics.httpDuration.observe({ route }, tookMs / 1_000)
    const fields = { requestId, key: identity?.name, tookMs: Math.round(tookMs * 10) / 10 }
    const line = `${ctx.method} ${ctx.path} ${ctx.status}`
    if (ctx.method === 'GET' || ctx.method === 'HEAD') log.debug(fields, line)
    else log.info(fields, line)
  }
}
