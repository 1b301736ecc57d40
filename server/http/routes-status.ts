/** What the dashboard shows about the server itself, the voices it can use, and the ticket into a browser call. */
import { z } from 'zod'
import { DEFAULT_SETTINGS } from '../agent-settings.ts'
import { errorText, RequestError } from '../errors.ts'
import { getAgent } from '../store/agents.ts'
import type { AppDeps } from './app-deps.ts'
import type { BuildInfo } from './build-info.ts'
import { TOKEN_LIFE_MS } from './media-tokens.ts'
import { route, type Route } from './route.ts'
import { pcmWav } from '../media/pcm-wav.ts'
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
        phrases: deps.phraseStats?.() ?? null,
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
      path: '/api/v1/models',
      summary: 'Language models that the account has, preferred first',
      tag: 'status',
      access: 'key',
      answer: {
        status: 200,
        description: 'Models; none where the provider has no list',
        json: z.object({ items: z.array(z.string()) }),
      },
      respond: () => ({ items: deps.models?.() ?? [] }),
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
    previewRoute(deps),
    mediaTokenRoute(deps),
  ]
}

const previewRequest = z.strictObject({
  text: z.string().trim().min(1).max(300),
  voiceName: z.string().min(1).max(100),
  language: z.string().regex(/^[a-z]{2}-[A-Z]{2}$/, 'a language tag such as es-MX'),
  voiceStyle: z.string().max(50).nullable().default(null),
  voiceSpeed: z.number().min(0.5).max(2).default(1),
  voiceStyleDegree: z.number().min(0.01).max(2).default(1),
  voicePitch: z.number().min(-50).max(50).default(0),
  voiceVolume: z.number().min(-50).max(50).default(0),
})

function previewRoute(deps: AppDeps): Route {
  return route({
    method: 'POST',
    path: '/api/v1/voices/preview',
    summary: 'Hear a voice: the text as a WAV file',
    tag: 'status',
    access: 'key',
    body: previewRequest,
    answer: { status: 200, description: 'Audio', mediaType: 'audio/wav' },
    errors: [503],
    async respond({ body, ctx }) {
      const voice = {
        name: body.voiceName,
        language: body.language,
        style: body.voiceStyle,
        speed: body.voiceSpeed,
        styleDegree: body.voiceStyleDegree,
        pitch: body.voicePitch,
        volume: body.voiceVolume,
      }
      try {
        const spoken = await deps.previewVoice?.(body.text, voice)
        if (spoken === undefined) throw new Error('there is no voice')
        ctx.type = 'audio/wav'
        ctx.set('Cache-Control', 'no-store')
        ctx.body = pcmWav(spoken.pcm, spoken.sampleRateHz)
      } catch (cause) {
        throw new RequestError(503, 'VOICE_UNAVAILABLE', 'The voice cannot speak now.', {
          hint: errorText(cause),
          cause,
        })
      }
    },
  })
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
