/**
 * Past calls: what is remembered of telephone calls that are over, because carriers tell of them later: recordings, the end
 * of a transfer, webhooks that come twice.
 *
 * Invariants: the ids of the newest OVER_MAX and the newest RECENT_MAX calls are kept, the oldest go first; none of them keeps
 * its agent.
 */
import { RememberedIds } from '../remembered-ids.ts'
import type { PhoneCall } from './phone-call.ts'

/** What is still asked of a call that is over. The call itself would keep its agent: prompts, lists, every profile, 5 kB and more. */
export interface RecentCall {
  settings: Pick<PhoneCall['settings'], 'transferAnnouncement' | 'language'>
  from: string
  to: string
  variables: Record<string, string>
}

const OVER_MAX = 10_000
const RECENT_MAX = 1_000

export class PastCalls {
  /** Our ids by the carrier's. */
  readonly #ids = new RememberedIds({ limit: OVER_MAX, withUuids: true })
  /** By our id: a transferred call is still asked about. */
  readonly #recent = new Map<string, RecentCall>()

  has(carrierCallId: string): boolean {
    return this.#ids.has(carrierCallId)
  }

  idOf(carrierCallId: string): string | undefined {
    return this.#ids.uuidOf(carrierCallId)
  }

  recall(callId: string): RecentCall | undefined {
    return this.#recent.get(callId)
  }

  add(call: PhoneCall): void {
    const { from, to, variables } = call
    const { transferAnnouncement, language } = call.settings
    this.#recent.set(call.id, { settings: { transferAnnouncement, language }, from, to, variables })
    const [oldest] = this.#recent.keys()
    if (this.#recent.size > RECENT_MAX && oldest !== undefined) this.#recent.delete(oldest)
    if (call.carrierCallId !== null) this.note(call.carrierCallId, call.id)
  }

  /** One of which only the ids are known. */
  note(carrierCallId: string, callId: string): void {
    this.#ids.add(carrierCallId, callId)
  }
}
