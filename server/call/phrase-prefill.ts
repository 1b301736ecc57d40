/**
 * Has the voices speak what agents say by themselves before anybody calls, so that a greeting starts at once.
 *
 *   start ─► every agent's opening, awaited for OPENINGS_MS at most ─► ready ─► the other phrases, whenever no call speaks
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { PROFILES, resolveProfile } from '../agent-settings.ts'
import { fixedSentences, openingSentences, voiceOf } from '../conversation/fixed-sentences.ts'
import { errorText } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Providers } from '../providers/select.ts'
import { getAgent, listAgents, type Agent } from '../store/agents.ts'
import type { Database } from '../store/database.ts'

/** More agents are prepared by their first call. */
const AGENTS_MAX = 50
/** So long the server waits for the openings before it takes calls; the embedded voice needs 0.1 s for one agent. */
const OPENINGS_MS = 300

type Prefill = Pick<Providers, 'prefill'>
type Settings = Pick<Agent, 'settings'>

export async function prefillAgent(providers: Prefill, agent: Settings): Promise<void> {
  await prefillOpening(providers, agent)
  for (const profile of PROFILES) {
    const settings = resolveProfile(agent.settings, profile)
    await providers.prefill(fixedSentences(settings), voiceOf(settings))
  }
}

async function prefillOpening(providers: Prefill, agent: Settings): Promise<void> {
  for (const profile of PROFILES) {
    const settings = resolveProfile(agent.settings, profile)
    await providers.prefill(openingSentences(settings), voiceOf(settings))
  }
}

/**
 * Every agent, at the start: the openings of all, then the rest in the background. Never rejects.
 *
 * @returns settles when the openings are ready, or after 300 ms; `all` when everything is
 */
export async function prefillAgents(
  providers: Prefill,
  db: Database,
  log: Log,
): Promise<{ all: Promise<void> }> {
  const prepared = (work: Promise<void>) =>
    work.catch((error: unknown) => {
      log.warn(
        { error: errorText(error) },
        'phrases are not prepared; the first call waits for them',
      )
    })
  const agents: Agent[] = []
  const openings = prepared(
    (async () => {
      for (const { id } of (await listAgents(db)).slice(0, AGENTS_MAX)) {
        const agent = await getAgent(db, id)
        if (agent === null) continue
        agents.push(agent)
        await prefillOpening(providers, agent)
      }
    })(),
  )
  const all = openings.then(() =>
    prepared(
      (async () => {
        for (const agent of agents) await prefillAgent(providers, agent)
      })(),
    ),
  )
  await Promise.race([openings, sleep(OPENINGS_MS)])
  return { all }
}
