/** Agents: list, make, read, save. Every save is a new version; who saves on an outdated one is told so (409). */
import { z } from 'zod'
import type { AgentSettings } from '../agent-settings.ts'
import { RequestError } from '../errors.ts'
import {
  createAgent,
  getAgent,
  listAgents,
  listVersions,
  saveAgent,
  type Agent,
} from '../store/agents.ts'
import type { Database } from '../store/database.ts'
import {
  maskedSettings,
  sealedSettings,
  UnknownSecret,
  withStoredSecrets,
} from '../tools/tool-secrets.ts'
import type { AppDeps } from './app-deps.ts'
import { route, type Route } from './route.ts'
import { requireBeds } from './routes-beds.ts'
import { agent, agentSummary, agentVersion, byId, settings } from './schemas.ts'

const name = z.string().trim().min(1).max(100)

export function agentRoutes(deps: AppDeps): Route[] {
  const { db } = deps
  return [
    route({
      method: 'GET',
      path: '/api/v1/agents',
      summary: 'All agents, without their settings',
      tag: 'agents',
      access: 'key',
      answer: {
        status: 200,
        description: 'Agents',
        json: z.object({ items: z.array(agentSummary) }),
      },
      respond: async () => ({ items: await listAgents(db) }),
    }),
    route({
      method: 'POST',
      path: '/api/v1/agents',
      summary: 'Make an agent with the default settings',
      tag: 'agents',
      access: 'key',
      body: z.strictObject({ name }),
      answer: { status: 201, description: 'The new agent', json: agent },
      respond: async ({ body, ctx }) =>
        shown(
          await createAgent(db, {
            name: body.name,
            author: ctx.state.identity?.name ?? 'unknown',
          }),
        ),
    }),
    route({
      method: 'GET',
      path: '/api/v1/agents/:id',
      summary: 'An agent with its settings',
      tag: 'agents',
      access: 'key',
      params: byId,
      answer: { status: 200, description: 'Agent', json: agent },
      respond: async ({ params }) => shown(await existingAgent(db, params.id)),
    }),
    saveRoute(deps),
    versionsRoute(deps),
  ]
}

function saveRoute({ db, beds, onAgentSaved, secrets }: AppDeps): Route {
  return route({
    method: 'PUT',
    path: '/api/v1/agents/:id',
    summary: 'Save an agent: a new version, in force for the next call',
    tag: 'agents',
    access: 'key',
    params: byId,
    body: z.strictObject({
      name: name.optional(),
      settings,
      baseVersion: z.int().min(0).meta({ description: 'The version that was edited' }),
    }),
    answer: { status: 200, description: 'The agent as saved', json: agent },
    errors: [409],
    async respond({ params, body, ctx }) {
      const existing = await existingAgent(db, params.id)
      requireBeds(beds, body.settings)
      const saved = await saveAgent(db, {
        id: params.id,
        name: body.name,
        settings: sealedSettings(withSecrets(body.settings, existing.settings), secrets),
        baseVersion: body.baseVersion,
        author: ctx.state.identity?.name ?? 'unknown',
      })
      onAgentSaved?.(saved)
      return shown(saved)
    },
  })
}

function versionsRoute({ db }: AppDeps): Route {
  return route({
    method: 'GET',
    path: '/api/v1/agents/:id/versions',
    summary: 'The versions of an agent, newest first',
    tag: 'agents',
    access: 'key',
    params: byId,
    answer: {
      status: 200,
      description: 'Versions',
      json: z.object({ items: z.array(agentVersion) }),
    },
    async respond({ params }) {
      await existingAgent(db, params.id)
      return { items: await listVersions(db, params.id) }
    },
  })
}

/** An agent as the API shows it: without the secrets of its tools. */
function shown(found: Agent): Agent {
  return { ...found, settings: maskedSettings(found.settings) }
}

function withSecrets(edited: AgentSettings, stored: AgentSettings): AgentSettings {
  try {
    return withStoredSecrets(edited, stored)
  } catch (error) {
    if (!(error instanceof UnknownSecret)) throw error
    throw new RequestError(422, 'SECRET_UNKNOWN', error.message, { field: error.field })
  }
}

async function existingAgent(db: Database, id: string): Promise<Agent> {
  const found = await getAgent(db, id)
  if (found === null) throw new RequestError(404, 'AGENT_NOT_FOUND', 'There is no such agent.')
  return found
}
