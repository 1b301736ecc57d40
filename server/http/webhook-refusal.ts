/** A webhook that is not the carrier's own: counted, logged, 403. */
import type { CarrierName } from '../carriers/carrier.ts'
import { RequestError } from '../errors.ts'
import type { AppDeps } from './app-deps.ts'
import type { HttpContext } from './http-state.ts'

/** @throws RequestError 403 BAD_SIGNATURE, always; `hint` says what to mend. */
export function refuseWebhook(
  deps: AppDeps,
  ctx: HttpContext,
  { carrier, reason, hint }: { carrier: CarrierName; reason: string; hint: string },
): never {
  deps.metrics.webhookRejected.inc({ carrier, reason })
  deps.log.warn({ reason, requestId: ctx.state.requestId }, `${carrier} webhook refused`)
  const message = 'The signature of this webhook is missing or wrong.'
  throw new RequestError(403, 'BAD_SIGNATURE', message, { hint })
}
