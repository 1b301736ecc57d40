/** Who is alive: the calls of this process by id. */
import type { RecordingAction } from '../carriers/carrier.ts'
import type { EndReason } from './call-state.ts'
import type { RungIndex } from './load.ts'
import type { Party } from './phone-reports.ts'

export interface LiveCall {
  readonly id: string
  readonly carrierCallId: string
  hangup(reason: EndReason): void
  /** What the process gives up for its calls has changed. */
  degrade(rung: RungIndex): void
  /** The carrier has found out who answered a call out. */
  party?(party: Party, mayLeaveMessage: boolean): void
  /** @throws CarrierError */
  record?(action: RecordingAction): Promise<void>
  /** Settles when the call has ended and everything about it has been handed to the store. */
  readonly ended: Promise<void>
}

export class CallRegistry {
  readonly #calls = new Map<string, LiveCall>()

  get size(): number {
    return this.#calls.size
  }

  add(call: LiveCall): void {
    this.#calls.set(call.id, call)
    void call.ended.then(() => this.#calls.delete(call.id))
  }

  get(id: string): LiveCall | undefined {
    return this.#calls.get(id)
  }

  /** The live call that a carrier's report is about; reports are rare, so a scan will do. */
  findByCarrier(carrierCallId: string): LiveCall | undefined {
    return [...this.#calls.values()].find((call) => call.carrierCallId === carrierCallId)
  }

  /** False when no such call is alive. */
  hangup(id: string, reason: EndReason): boolean {
    const call = this.#calls.get(id)
    call?.hangup(reason)
    return call !== undefined
  }

  degradeAll(rung: RungIndex): void {
    for (const call of this.#calls.values()) call.degrade(rung)
  }

  /** Ends every call with `reason`; settles when all have ended. */
  async endAll(reason: EndReason): Promise<void> {
    const calls = [...this.#calls.values()]
    for (const call of calls) call.hangup(reason)
    await Promise.all(calls.map((call) => call.ended))
  }
}
