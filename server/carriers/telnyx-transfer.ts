/**
 * Transfers at Telnyx: the person is called on a leg of their own while the user still hears the agent's line, told who is
 * coming where that is wanted (warm), and then the two legs are joined.
 *
 *   dial leg B ─► answered ─┬─ warm: speak ─► speak ended ─┐
 *                           └─ cold ───────────────────────┴─► bridge A with B ─► bridged: done
 *   any time before: leg B hangs up, or 45 s pass ─► rejected; the user is still with us
 *
 * Invariants: a transfer settles once; a call has at most one.
 */
import { CarrierError } from '../errors.ts'
import type { Transfer } from './carrier.ts'

/** Ringing (30 s) and the announcement. */
const TRANSFER_MAX_MS = 45_000

export interface LegReport {
  /** Of the call that is being transferred. */
  callId: string
  legId: string
  event: 'answered' | 'spoken' | 'bridged' | 'ended'
}

export interface TransferDeps {
  dial(leg: { to: string; from: string; callId: string; linkTo: string }): Promise<string>
  speak(legId: string, announcement: { text: string; language: string }): Promise<void>
  bridge(legId: string, otherId: string): Promise<void>
  hangup(legId: string): Promise<void>
}

interface Open {
  userLegId: string
  legId: string | null
  transfer: Transfer
  stage: 'ringing' | 'announcing' | 'joining'
  settle(error: CarrierError | null): void
}

export class TelnyxTransfers {
  readonly #deps: TransferDeps
  readonly #open = new Map<string, Open>()

  constructor(deps: TransferDeps) {
    this.#deps = deps
  }

  /** Resolves when the two are joined. @throws CarrierError TRANSFER_FAILED, or what dialling was refused with */
  async begin(userLegId: string, transfer: Transfer): Promise<void> {
    const { callId, to } = transfer
    if (this.#open.has(callId)) throw failed('the call is already being transferred')
    const from = transfer.from ?? ''
    const done = Promise.withResolvers<void>()
    // The person may decline before Telnyx has answered our request to dial, when nobody waits for this yet.
    done.promise.catch(() => undefined)
    const timer = setTimeout(
      () => open.settle(failed('nobody took the call in 45 s')),
      TRANSFER_MAX_MS,
    )
    const open: Open = {
      userLegId,
      legId: null,
      transfer,
      stage: 'ringing',
      settle: (error) => {
        clearTimeout(timer)
        if (!this.#open.delete(callId)) return
        if (error === null) return done.resolve()
        // A phone that rings on would be answered by somebody for nobody.
        if (open.legId !== null) void this.#deps.hangup(open.legId).catch(() => undefined)
        done.reject(error)
      },
    }
    this.#open.set(callId, open)
    try {
      open.legId = await this.#deps.dial({ to, from, callId, linkTo: userLegId })
    } catch (error) {
      open.settle(error instanceof CarrierError ? error : failed('the person could not be called'))
    }
    await done.promise
  }

  reported({ callId, legId, event }: LegReport): void {
    const open = this.#open.get(callId)
    if (open === undefined) return
    // Webhooks may come before the answer to the command that caused them.
    open.legId ??= legId
    if (open.legId !== legId) return
    if (event === 'ended') open.settle(failed('the person did not take the call'))
    else if (event === 'bridged') open.settle(null)
    else if (event === 'answered' && open.stage === 'ringing') this.#answered(open, legId)
    else if (event === 'spoken' && open.stage === 'announcing') this.#join(open, legId)
  }

  #answered(open: Open, legId: string): void {
    const { announcement } = open.transfer
    if (announcement === null) return this.#join(open, legId)
    open.stage = 'announcing'
    // Without the announcement they are still better off together.
    this.#deps.speak(legId, announcement).catch(() => this.#join(open, legId))
  }

  #join(open: Open, legId: string): void {
    open.stage = 'joining'
    this.#deps.bridge(open.userLegId, legId).catch((error: unknown) => {
      open.settle(error instanceof CarrierError ? error : failed('the two could not be connected'))
    })
  }
}

function failed(why: string): CarrierError {
  return new CarrierError('TRANSFER_FAILED', `the transfer failed: ${why}`)
}
