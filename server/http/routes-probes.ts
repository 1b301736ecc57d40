/** Probes: what orchestrators and Prometheus ask. Open to everybody, cheap, without a database query. */
import { z } from 'zod'
import { RequestError } from '../errors.ts'
import type { AppDeps } from './app-deps.ts'
import type { BuildInfo } from './build-info.ts'
import { route, type Route } from './route.ts'

export function probeRoutes(deps: AppDeps, build: BuildInfo): Route[] {
  return [
    route({
      method: 'GET',
      path: '/health',
      summary: 'The process is alive',
      tag: 'probes',
      access: 'open',
      answer: {
        status: 200,
        description: 'Alive',
        json: z.object({
          status: z.literal('ok'),
          version: z.string(),
          uptimeSec: z.number(),
          calls: z.int().meta({ description: 'Live calls' }),
        }),
      },
      respond: () => ({
        status: 'ok' as const,
        version: build.version,
        uptimeSec: Math.round(process.uptime()),
        calls: deps.calls.live(),
      }),
    }),
    route({
      method: 'GET',
      path: '/ready',
      summary: 'The server takes calls: not while it starts or drains',
      tag: 'probes',
      access: 'open',
      answer: {
        status: 200,
        description: 'Ready',
        json: z.object({ status: z.literal('ready') }),
      },
      errors: [503],
      respond() {
        if (!deps.ready()) {
          throw new RequestError(503, 'NOT_READY', 'The server is starting or stopping.')
        }
        return { status: 'ready' as const }
      },
    }),
    route({
      method: 'GET',
      path: '/metrics',
      summary: 'All counters, for Prometheus',
      tag: 'probes',
      access: 'open',
      answer: { status: 200, description: 'Prometheus text format', mediaType: 'text/plain' },
      async respond({ ctx }) {
        ctx.type = deps.metrics.registry.contentType
        ctx.body = await deps.metrics.registry.metrics()
      },
    }),
  ]
}
