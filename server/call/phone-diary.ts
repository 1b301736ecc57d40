/** Phone diary: what is kept of a telephone call while it has no stream, and what its carrier tells after its end. */
import type { Log } from '../log.ts'
import type { Journal } from '../store/journal.ts'
import type { EndReason } from './call-state.ts'
import type { PhoneCall } from './phone-call.ts'
import type { PhoneReport } from './phone-reports.ts'

export interface PhoneDiaryDeps {
  journal: Journal
  log: Log
  dateMs(): number
}

export class PhoneDiary {
  readonly #deps: PhoneDiaryDeps

  constructor(deps: PhoneDiaryDeps) {
    this.#deps = deps
  }

  opened(call: PhoneCall, status: 'dialing' | 'ringing'): void {
    const { id, direction, carrier, carrierCallId, from, to, agent } = call
    this.#deps.journal.record({
      kind: 'call',
      row: {
        ...{ id, direction, carrier, carrierCallId, from, to, status, streamId: null },
        agentId: agent.id,
        agentVersion: agent.version,
        startedAt: this.#deps.dateMs(),
      },
    })
  }

  /**
   * Resolves when all that was told so far is in the database, or it turned out to be away: who gets the id of a call may ask for
   * it at once.
   */
  written(): Promise<void> {
    return this.#deps.journal.flush()
  }

  named({ id }: PhoneCall, carrierCallId: string): void {
    this.#deps.journal.record({ kind: 'callUpdate', id, changes: { carrierCallId } })
  }

  status({ id, invited }: PhoneCall, status: 'ringing' | 'answered'): void {
    if (invited) return
    this.#deps.journal.record({ kind: 'callUpdate', id, changes: { status } })
  }

  ended({ id }: PhoneCall, endReason: EndReason): void {
    const endedAt = this.#deps.dateMs()
    const changes = { status: 'ended', endReason, endedAt, durationMs: 0, turnCount: 0 } as const
    this.#deps.journal.record({ kind: 'callUpdate', id, changes })
  }

  /** Stored with the call, also after its end; `callId` is undefined where nobody knows the call. */
  told(
    callId: string | undefined,
    report: Extract<PhoneReport, { kind: 'recording' | 'transferEnded' }>,
  ): void {
    const [name, data] =
      report.kind === 'recording'
        ? ['carrierRecording', report.facts]
        : ['transferEnded', { connected: report.connected, detail: report.detail }]
    if (callId !== undefined)
      this.#deps.journal.record({ kind: 'event', callId, atMs: 0, name, data })
    else this.#deps.log.warn({ kind: report.kind }, 'report about a call that is not known')
  }
}
