/**
 * What is done for an agent before anybody calls: its voices speak what it says by itself, so that a greeting starts at
 * once, and its model is checked against the provider's list.
 */
import { PROFILES, resolveProfile } from '../agent-settings.ts'
import { fixedSentences, voiceOf } from '../conversation/fixed-sentences.ts'
import { errorText } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Providers } from '../providers/select.ts'
import { getAgent, listAgents, type Agent } from '../store/agents.ts'
import type { Database } from '../store/database.ts'

/** More agents are prepared by their first call. */
const AGENTS_MAX = 50

export async function prefillAgent(
  providers: Pick<Providers, 'prefill' | 'checkModel'>,
  agent: Pick<Agent, 'settings'>,
): Promise<void> {
  for (const profile of PROFILES) {
    const settings = resolveProfile(agent.settings, profile)
    providers.checkModel(settings.llmModel)
    await providers.prefill(fixedSentences(settings), voiceOf(settings))
  }
}

/** Every agent, at the start. Never rejects. */
export async function prefillAgents(providers: Providers, db: Database, log: Log): Promise<void> {
  try {
    for (const { id } of (await listAgents(db)).slice(0, AGENTS_MAX)) {
      const agent = await getAgent(db, id)
      if (agent) await prefillAgent(providers, agent)
    }
  } catch (error) {
    log.warn({ error: errorText(error) }, 'phrases are not prepared; the first call waits for them')
  }
}
