/**
 * Leftover calls: those that were going on when an earlier process died. Their rows have ended at the start; here they end at
 * the carrier too. A Telnyx call outlives its socket, and a Twilio call may be on its way back to us.
 *
 *   row without an end ─► serverStopped (store) ─► hang up at each of the carrier's accounts ─► late webhooks are old news
 *
 * A call's account is not stored: one that does not know the call answers that it is gone, which is as good.
 */
import type { LineControl } from '../carriers/carrier.ts'
import { errorText } from '../errors.ts'
import type { Log } from '../log.ts'
import type { PhoneCarrier } from './phone-call.ts'

/** Requests at once: a carrier allows some ten a second. */
const AT_ONCE = 4

export interface LeftoverCall {
  id: string
  carrier: string
  carrierCallId: string | null
}

export interface LeftoverDeps {
  /** Of every account. */
  lines(carrier: PhoneCarrier): readonly LineControl[]
  /** The call is over, whatever is still told of it. */
  isOver(carrierCallId: string, callId: string): void
  log: Log
}

/** Never rejects: a carrier that does not answer ends the call by itself, sooner or later. */
export async function endLeftoverCalls(
  calls: readonly LeftoverCall[],
  deps: LeftoverDeps,
): Promise<void> {
  const open = calls.flatMap(({ id, carrier, carrierCallId }) =>
    carrierCallId !== null && (carrier === 'twilio' || carrier === 'telnyx')
      ? [{ id, carrier, carrierCallId } as const]
      : [],
  )
  for (const { id, carrierCallId } of open) deps.isOver(carrierCallId, id)
  const waiting = [...open]
  const worker = async () => {
    for (let call = waiting.shift(); call !== undefined; call = waiting.shift()) {
      await hangUp(call, deps)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

async function hangUp(
  { id, carrier, carrierCallId }: { id: string; carrier: PhoneCarrier; carrierCallId: string },
  { lines, log }: LeftoverDeps,
): Promise<void> {
  for (const line of lines(carrier)) {
    try {
      await line.hangup(carrierCallId)
    } catch (error) {
      log.warn({ callId: id, carrier, error: errorText(error) }, 'leftover call not hung up')
    }
  }
}
