/**
 * The HTTP side of Andrea: one Koa app, everything it needs injected.
 *
 *   log ─► security headers ─► errors ─► router ─┬─ route: access ─► body ─► schemas ─► respond
 *                                                ├─ docs
 *                                                └─ dashboard
 *
 * WebSocket upgrades do not come through here: main.ts takes them from the same HTTP server.
 */
import Router from '@koa/router'
import Koa, { type Middleware } from 'koa'
import { errorText } from '../errors.ts'
import { Access } from './access.ts'
import type { AppDeps } from './app-deps.ts'
import { jsonBody, uploadBody } from './body.ts'
import { readBuildInfo } from './build-info.ts'
import { docsRouter } from './docs.ts'
import type { HttpContext, HttpState } from './http-state.ts'
import { describeApi } from './openapi.ts'
import { addressKey, DEFAULT_LIMITS, RateLimits, type Limits } from './rate-limits.ts'
import { answerErrors } from './request-errors.ts'
import { logRequests } from './request-log.ts'
import type { Route } from './route.ts'
import { agentRoutes } from './routes-agents.ts'
import { bedRoutes } from './routes-beds.ts'
import { callRoutes } from './routes-calls.ts'
import { priceRoutes } from './routes-prices.ts'
import { probeRoutes } from './routes-probes.ts'
import { sessionRoutes } from './routes-session.ts'
import { statusRoutes } from './routes-status.ts'
import { securityHeaders } from './security-headers.ts'
import { dashboardRouter } from './static-dashboard.ts'
import { telnyxRoutes } from './telnyx-webhooks.ts'
import { outboundRoutes } from './routes-outbound.ts'
import { twilioRoutes, webhookBody } from './twilio-webhooks.ts'

export type { AppDeps, CallDirectory, ProvidersStatus } from './app-deps.ts'

/** Makes the app; nothing listens yet. `limits` are for tests. */
export function createApp(
  deps: AppDeps,
  limits: Limits = { ...DEFAULT_LIMITS, ...deps.config.limits },
): Koa<HttpState> {
  const log = deps.log.child({ part: 'http' })
  const build = readBuildInfo()
  const rateLimits = new RateLimits(limits)
  const access = new Access(deps, rateLimits)
  const routes = [
    ...probeRoutes(deps, build),
    ...sessionRoutes(deps, access, rateLimits),
    ...statusRoutes(deps, build),
    ...agentRoutes(deps),
    ...bedRoutes(deps),
    ...priceRoutes(deps),
    ...callRoutes(deps),
    ...outboundRoutes(deps),
    ...twilioRoutes(deps),
    ...telnyxRoutes(deps),
  ]

  const app = new Koa<HttpState>()
  app.proxy = deps.config.trustProxy > 0
  app.maxIpsCount = deps.config.trustProxy
  app.on('error', (error: unknown) => {
    // Only what happens after the headers went out, mostly clients that leave in the middle of a file.
    log.debug({ reason: errorText(error) }, 'answer broken off')
  })
  app.use(logRequests(log, deps.metrics))
  for (const middleware of securityHeaders(deps.config.publicUrl)) app.use(middleware)
  app.use(answerErrors(log))

  const router = new Router<HttpState>()
  for (const route of routes) mount(router, route, { access, rateLimits })
  const others = [docsRouter(describeApi(routes, build)), dashboardRouter(deps.dashboardDir)]
  for (const part of others) router.use(part.routes())
  app.use(router.routes())
  app.use(router.allowedMethods())
  return app
}

interface Guards {
  access: Access
  rateLimits: RateLimits
}

function mount(router: Router<HttpState>, route: Route, guards: Guards): void {
  const admit = async (ctx: HttpContext, next: () => Promise<unknown>) => {
    ctx.state.route = route.path
    if (route.path.startsWith('/api/')) ctx.set('Cache-Control', 'no-store')
    if (route.access === 'key') await guards.access.require(ctx)
    else if (route.access !== 'open') {
      await guards.rateLimits.count(route.access, addressKey(ctx.ip), ctx)
    }
    await next()
  }
  const file = route.upload === null ? skip : uploadBody(route.upload)
  const body: Middleware<HttpState> =
    route.access === 'webhook' ? webhookBody : route.body === null ? file : jsonBody
  router.register(route.path, [route.method], [admit, body, (ctx: HttpContext) => route.run(ctx)])
}

const skip: Middleware<HttpState> = (_, next) => next()
