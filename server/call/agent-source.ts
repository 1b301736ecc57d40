/**
 * Which agent answers: from the store, but never waiting for it long. A call that comes in while the database is away is
 * answered with the agent that was last known.
 */
import { z } from 'zod'
import { errorText } from '../errors.ts'
import type { Log } from '../log.ts'
import { agentForNumber, defaultAgent, getAgent, type Agent } from '../store/agents.ts'
import type { Database } from '../store/database.ts'

/** A user is on the line: after this the last known agent answers. */
const LOOKUP_MAX_MS = 500

export class AgentSource {
  readonly #db: Database
  readonly #log: Log
  #lastKnown: Agent

  /** `initial` is the default agent as read at start. */
  constructor(db: Database, log: Log, initial: Agent) {
    this.#db = db
    this.#log = log
    this.#lastKnown = initial
  }

  /** By id (the simulator chose one), else by the number that was called, else the default agent. Never rejects. */
  async find(wanted: { agentId: string | null; to: string | null }): Promise<Agent> {
    let timer: NodeJS.Timeout | undefined
    const tooLate = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), LOOKUP_MAX_MS)
    })
    try {
      const found = await Promise.race([this.#lookUp(wanted), tooLate])
      if (found) this.#lastKnown = found
      else this.#log.warn('the store did not name an agent in time; the last known one answers')
    } catch (error) {
      this.#log.warn({ error: errorText(error) }, 'the store is away; the last known agent answers')
    } finally {
      clearTimeout(timer)
    }
    return this.#lastKnown
  }

  async #lookUp(wanted: { agentId: string | null; to: string | null }): Promise<Agent | null> {
    if (wanted.agentId && z.uuid().safeParse(wanted.agentId).success) {
      const agent = await getAgent(this.#db, wanted.agentId)
      if (agent) return agent
    }
    const byNumber = wanted.to ? await agentForNumber(this.#db, wanted.to) : null
    return byNumber ?? (await defaultAgent(this.#db))
  }
}
