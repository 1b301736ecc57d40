/**
 * Agents and their settings. A version is written once and never changed: a call names the version it was held with, so
 * what the agent was told at the time can always be read again. Saving needs the version that was edited; of two people
 * who edit the same one, the second is told.
 */
import { sql } from 'slonik'
import { z } from 'zod'
import { DEFAULT_SETTINGS, agentSettings, profileSettings } from '../agent-settings.ts'
import type { AgentSettings } from '../agent-settings.ts'
import { StoreError } from '../errors.ts'
import type { Database, Queryable } from './database.ts'
import { storableJson, storableText } from './sql-values.ts'

const summaryRow = z.object({
  id: z.uuid(),
  name: z.string(),
  version: z.int(),
  publishedAt: z.number().nullable(),
  updatedAt: z.number(),
})
const agentRow = summaryRow.extend({ settings: z.unknown() })
const versionRow = z.object({
  version: z.int(),
  author: z.string(),
  createdAt: z.number(),
  publishedAt: z.number().nullable(),
})
const phoneNumberRow = z.object({ e164: z.string(), agentId: z.uuid(), label: z.string() })

/** Times are ms since 1970. */
export type AgentSummary = z.infer<typeof summaryRow>
export interface Agent extends AgentSummary {
  settings: AgentSettings
}
export type AgentVersion = z.infer<typeof versionRow>
export type PhoneNumber = z.infer<typeof phoneNumberRow>

export interface AgentSave {
  id: string
  /** Unchanged when absent. */
  name?: string | undefined
  settings: AgentSettings
  /** The version that was edited. */
  baseVersion: number
  /** Who saves: the name of the key or session. */
  author: string
}

const DEFAULT_AGENT_NAME = 'Andrea'

const SUMMARY = sql.fragment`
  a.id, a.name, a.version, v.published_at AS "publishedAt", a.updated_at AS "updatedAt"`
const CURRENT = sql.fragment`
  agents a JOIN agent_versions v ON v.agent_id = a.id AND v.version = a.version`

/** All agents, the default first, then by name. */
export async function listAgents(db: Queryable): Promise<AgentSummary[]> {
  return [
    ...(await db.any(sql.type(summaryRow)`
      SELECT ${SUMMARY} FROM ${CURRENT} ORDER BY a.is_default DESC, lower(a.name), a.id`)),
  ]
}

/** @throws StoreError STORE_BAD_SETTINGS when what is stored no longer fits the schema */
export async function getAgent(db: Queryable, id: string): Promise<Agent | null> {
  return await findAgent(db, sql.fragment`a.id = ${id}`)
}

/** @throws StoreError STORE_NOT_FOUND before ensureDefaultAgent() has run */
export async function defaultAgent(db: Queryable): Promise<Agent> {
  const agent = await findAgent(db, sql.fragment`a.is_default`)
  if (agent !== null) return agent
  throw new StoreError('STORE_NOT_FOUND', 'There is no default agent; the start did not finish.')
}

/** Makes the default agent, with the original product's settings, where there is none. */
export async function ensureDefaultAgent(db: Database): Promise<Agent> {
  return await db.transaction(async (tx) => {
    const id = await tx.maybeOneFirst(sql.type(z.object({ id: z.uuid() }))`
      INSERT INTO agents (name, is_default) VALUES (${DEFAULT_AGENT_NAME}, true)
      ON CONFLICT (is_default) WHERE is_default DO NOTHING RETURNING id`)
    if (id !== null) {
      await insertVersion(tx, { id, version: 1, settings: DEFAULT_SETTINGS, author: 'system' })
    }
    return await defaultAgent(tx)
  })
}

/** A new agent, published as version 1; with the default settings when none are given. */
export async function createAgent(
  db: Database,
  agent: { name: string; settings?: AgentSettings; author: string },
): Promise<Agent> {
  return await db.transaction(async (tx) => {
    const id = await tx.oneFirst(sql.type(z.object({ id: z.uuid() }))`
      INSERT INTO agents (name) VALUES (${storableText(agent.name)}) RETURNING id`)
    const settings = agent.settings ?? DEFAULT_SETTINGS
    await insertVersion(tx, { id, version: 1, settings, author: agent.author })
    return await mustFind(tx, id)
  })
}

/**
 * Publishes a new version; the next call uses it.
 *
 * @throws StoreError STORE_VERSION_CONFLICT  the agent has another version than baseVersion by now
 * @throws StoreError STORE_NOT_FOUND         there is no such agent
 */
export async function saveAgent(db: Database, save: AgentSave): Promise<Agent> {
  const name = save.name === undefined ? null : storableText(save.name)
  return await db.transaction(async (tx) => {
    const version = await tx.maybeOneFirst(sql.type(z.object({ version: z.int() }))`
      UPDATE agents SET version = version + 1, name = coalesce(${name}, name), updated_at = now()
      WHERE id = ${save.id} AND version = ${save.baseVersion} RETURNING version`)
    if (version === null) throw await saveRefused(tx, save)
    await insertVersion(tx, { ...save, version })
    return await mustFind(tx, save.id)
  })
}

/**
 * Seals header values that versions of before hold as plain text; the one change that a version ever sees, and none of its
 * meaning. @returns how many versions were changed
 */
export async function sealOldVersions(
  db: Database,
  seal: (settings: AgentSettings) => AgentSettings,
): Promise<number> {
  const rows = await db.any(sql.type(
    z.object({ id: z.uuid(), version: z.int(), settings: z.unknown() }),
  )`
    SELECT agent_id AS id, version, settings FROM agent_versions
    WHERE jsonb_path_exists(settings, '$.**.headers.* ? (!(@ starts with "sealed:") && @ != "")')`)
  let changed = 0
  for (const { id, version, settings } of rows) {
    const known = knownSettings(settings)
    // Settings that no longer fit cannot be used for a call either; that is reported where they are read.
    if (known === null) continue
    changed += 1
    const sealed = storableJson(seal(known))
    await db.query(sql.unsafe`
      UPDATE agent_versions SET settings = ${sealed}::jsonb
      WHERE agent_id = ${id} AND version = ${version}`)
  }
  return changed
}

/** Every version of an agent, newest first; empty for an unknown agent. */
export async function listVersions(db: Queryable, id: string): Promise<AgentVersion[]> {
  return [
    ...(await db.any(sql.type(versionRow)`
      SELECT version, author, created_at AS "createdAt", published_at AS "publishedAt"
      FROM agent_versions WHERE agent_id = ${id} ORDER BY version DESC`)),
  ]
}

/**
 * The agent of a number; the default agent for a number that has none of its own. One statement for both: each waits its turn in a busy
 * event loop, and the carrier waits for the answer.
 */
export async function agentForNumber(db: Queryable, e164: string): Promise<Agent | null> {
  return await findAgent(
    db,
    sql.fragment`a.id = (SELECT n.agent_id FROM phone_numbers n WHERE n.e164 = ${e164}) OR a.is_default
      ORDER BY a.is_default LIMIT 1`,
  )
}

/** Lets an agent answer a number, instead of whoever did before. */
export async function assignNumber(
  db: Queryable,
  number: { e164: string; agentId: string; label?: string },
): Promise<void> {
  await db.query(sql.unsafe`
    INSERT INTO phone_numbers (e164, agent_id, label)
    VALUES (${number.e164}, ${number.agentId}, ${storableText(number.label ?? '')})
    ON CONFLICT (e164) DO UPDATE SET agent_id = excluded.agent_id, label = excluded.label`)
}

export async function listNumbers(db: Queryable): Promise<PhoneNumber[]> {
  return [
    ...(await db.any(sql.type(phoneNumberRow)`
      SELECT e164, agent_id AS "agentId", label FROM phone_numbers ORDER BY e164`)),
  ]
}

async function findAgent(
  db: Queryable,
  where: ReturnType<typeof sql.fragment>,
): Promise<Agent | null> {
  const row = await db.maybeOne(sql.type(agentRow)`
    SELECT ${SUMMARY}, v.settings FROM ${CURRENT} WHERE ${where}`)
  return row === null ? null : { ...row, settings: readSettings(row.settings, row) }
}

async function mustFind(db: Queryable, id: string): Promise<Agent> {
  const agent = await getAgent(db, id)
  if (agent !== null) return agent
  throw new StoreError('STORE_NOT_FOUND', `There is no agent ${id}.`)
}

async function insertVersion(
  db: Queryable,
  v: { id: string; version: number; settings: AgentSettings; author: string },
): Promise<void> {
  await db.query(sql.unsafe`
    INSERT INTO agent_versions (agent_id, version, settings, author, published_at)
    VALUES (${v.id}, ${v.version}, ${storableJson(v.settings)}::jsonb, ${storableText(v.author)}, now())`)
}

async function saveRefused(db: Queryable, save: AgentSave): Promise<StoreError> {
  const current = await db.maybeOneFirst(sql.type(z.object({ version: z.int() }))`
    SELECT version FROM agents WHERE id = ${save.id}`)
  if (current === null) return new StoreError('STORE_NOT_FOUND', `There is no agent ${save.id}.`)
  return new StoreError(
    'STORE_VERSION_CONFLICT',
    `The agent is at version ${current}, you edited version ${save.baseVersion}: ` +
      'somebody saved in between. Load it again and repeat your change.',
  )
}

const KNOWN_SETTINGS = Object.keys(profileSettings.shape)
const storedSettings = z.object({
  base: z.record(z.string(), z.unknown()),
  profiles: z.record(z.string(), z.record(z.string(), z.unknown())),
})

/**
 * Settings as they were stored, brought to today's schema: a setting that is newer than the document gets its default,
 * one that no longer exists is left out. A value out of range is not guessed at.
 */
function readSettings(stored: unknown, agent: { id: string; version: number }): AgentSettings {
  const result = parseStored(stored)
  if (result.success) return result.data as AgentSettings
  throw new StoreError(
    'STORE_BAD_SETTINGS',
    `Version ${agent.version} of agent ${agent.id} does not fit: ${z.prettifyError(result.error)}`,
    { cause: result.error },
  )
}

function knownSettings(stored: unknown): AgentSettings | null {
  const result = parseStored(stored)
  return result.success ? (result.data as AgentSettings) : null
}

function parseStored(stored: unknown) {
  const document = storedSettings.safeParse(stored)
  return document.success
    ? agentSettings.safeParse({
        base: { ...DEFAULT_SETTINGS.base, ...knownOnly(document.data.base) },
        profiles: Object.fromEntries(
          Object.keys(DEFAULT_SETTINGS.profiles).map((profile) => [
            profile,
            knownOnly(document.data.profiles[profile] ?? {}),
          ]),
        ),
      })
    : document
}

function knownOnly(settings: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(settings).filter(([key]) => KNOWN_SETTINGS.includes(key)),
  )
}
