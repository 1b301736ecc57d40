/** What the dashboard shows about the server itself, the voices it can use, and the ticket into a browser call. */
import { z } from 'zod'
import { DEFAULT_SETTINGS } from '../agent-settings.ts'
import { RequestError } from '../errors.ts'
import { getAgent } from '../store/agents.ts'
import type { AppDeps } from './app-deps.ts'
import type { BuildInfo } from './build-info.ts'
import { TOKEN_LIFE_MS } from './media-tokens.ts'
import { route, type Route } from './route.ts'
import { settings, status, uuid, voice } from './schemas.ts'

const tokenRequest = z.strictObject({
  client: z.literal('browser'),
  agentId: uuid.optional().meta({ description: 'Default: the agent that answers calls' }),
})

export function statusRoutes(deps: AppDeps, build: BuildInfo): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/v1/status',
      summary: 'Providers, live calls, and the state of the audio pool and the journal',
      tag: 'status',
      access: 'key',
      answer: { status: 200, description: 'Status', json: status },
      respond: () => ({
        version: build.version,
        commit: build.commit,
        uptimeSec: Math.round(process.uptime()),
        providers: deps.providersStatus(),
        calls: { live: deps.calls.live(), max: deps.calls.max },
        load: deps.loadState(),
        audio: deps.audioStats(),
        journal: deps.journalStats(),
      }),
    }),
    route({
      method: 'GET',
      path: '/api/v1/voices',
      summary: 'Voices of the speech provider in use',
      tag: 'status',
      access: 'key',
      answer: {
        status: 200,
        description: 'Voices',
        json: z.object({ items: z.array(voice) }),
      },
      respond: async () => ({ items: await deps.voices() }),
    }),
    route({
      method: 'GET',
      path: '/api/v1/agent-defaults',
      summary: 'The settings a new agent starts with',
      tag: 'agents',
      access: 'key',
      answer: { status: 200, description: 'Settings', json: settings },
      respond: () => DEFAULT_SETTINGS,
    }),
    mediaTokenRoute(deps),
  ]
}

function mediaTokenRoute(deps: AppDeps): Route {
  const nowMs = deps.nowMs ?? Date.now
  return route({
    method: 'POST',
    path: '/api/v1/media-tokens',
    summary: 'A one-time address for a media WebSocket',
    tag: 'media',
    access: 'key',
    body: tokenRequest,
    answer: {
      status: 201,
      description: 'Token',
      json: z.object({
        token: z.string(),
        url: z.string().meta({ description: 'Relative to this server' }),
        expiresInSec: z.int(),
      }),
    },
    errors: [503],
    async respond({ body }) {
      const admission = deps.calls.admit()
      if (!admission.ok) {
        throw new RequestError(503, 'NO_CAPACITY', 'The server takes no more calls now.', {
          hint: `Reason: ${admission.reason}. Try again in a minute.`,
        })
      }
      if (body.agentId !== undefined && (await getAgent(deps.db, body.agentId)) === null) {
        throw new RequestError(422, 'INVALID_REQUEST', 'There is no such agent.', {
          field: 'agentId',
        })
      }
      const claims = body.agentId === undefined ? {} : { agentId: body.agentId }
      const token = deps.tokens.issue({ client: body.client, ...claims }, nowMs())
      return {
        token,
        url: `/api/v1/ws/media-stream?client=${body.client}&token=${token}`,
        expiresInSec: TOKEN_LIFE_MS / 1_000,
      }
    },
  })
}
