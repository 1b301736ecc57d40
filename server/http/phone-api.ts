/** What the routes see of the telephone: the desk, the transfers' legs, the live calls. */
import type { PhoneDesk } from '../call/phone-desk.ts'
import type { CallRegistry } from '../call/registry.ts'
import type { PhoneApi } from './app-deps.ts'

export function phoneApi(
  desk: PhoneDesk,
  lines: Pick<PhoneApi, 'legReported'>,
  registry: CallRegistry,
): PhoneApi {
  return {
    incoming: (ring) => desk.incoming(ring),
    answer: (call) => desk.answer(call),
    refuse: (ring) => desk.refuse(ring),
    invite: (call) => desk.invite(call),
    get: (callId) => desk.get(callId),
    recall: (callId) => desk.recall(callId),
    report: (report) => desk.report(report),
    dial: (request) => desk.dial(request),
    legReported: (account, report) => lines.legReported(account, report),
    record: (callId, action) => registry.get(callId)?.record?.(action) ?? null,
  }
}
