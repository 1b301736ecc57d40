/**
 * Telnyx webhooks: one address for everything that happens to a call.
 *
 *   POST JSON ─► Ed25519 over time + raw body, ± 300 s ─► seen before? ─► phone desk, or the transfer that dialled the leg
 *
 * Events come late, twice and out of order; each counts once, by its id. The answer is 200 at once: what it causes is done
 * afterwards, by REST.
 *
 * Invariants: with a public key configured nothing unsigned gets further than the check; the body is judged as it came, byte
 * for byte; keys and signatures are never logged, although the library's errors hold them.
 */
import { z } from 'zod'
import type { TelnyxAccount } from '../carrier-accounts.ts'
import type { EndReason } from '../call/call-state.ts'
import type { Party, PhoneReport } from '../call/phone-reports.ts'
import { errorText, RequestError } from '../errors.ts'
import type { AppDeps } from './app-deps.ts'
import type { HttpContext } from './http-state.ts'
import { parseRequest } from './request-errors.ts'
import { route, type Route } from './route.ts'
import { SeenEvents } from './seen-events.ts'
import { refuseWebhook } from './webhook-refusal.ts'

const HINT =
  'TELNYX_PUBLIC_KEY must be the account’s public key, and this machine’s clock right to 5 minutes.'

const WINDOW_SEC = 300
const ID = 'telnyx-timestamp'
const SIGNATURE = 'telnyx-signature-ed25519'

const text = z.string().max(2_000).nullish()
const event = z.object({
  data: z.object({
    id: z.string().min(1).max(100),
    event_type: z.string().max(100),
    payload: z
      .looseObject({
        call_control_id: z.string().min(1).max(200).optional(),
        client_state: text,
        direction: text,
        from: text,
        to: text,
        hangup_cause: text,
        result: text,
        failure_reason: text,
        recording_id: text,
        channels: text,
        format: text,
        reason: text,
        recording_urls: z.record(z.string(), z.string().max(4_000)).nullish(),
      })
      .default({}),
  }),
})
type Payload = z.infer<typeof event>['data']['payload']

const state = z.object({ call: z.guid().optional(), transferOf: z.guid().optional() })

const ENDS: Record<string, EndReason | undefined> = {
  normal_clearing: 'userHangup',
  originator_cancel: 'userHangup',
  user_busy: 'busy',
  no_answer: 'noAnswer',
  timeout: 'noAnswer',
  call_rejected: 'refused',
  time_limit: 'maxDuration',
}
const PARTIES: Record<string, Party | undefined> = {
  human: 'human',
  human_residence: 'human',
  human_business: 'human',
  machine: 'machine',
  fax_detected: 'fax',
}
const LEG_EVENTS = {
  'call.answered': 'answered',
  'call.speak.ended': 'spoken',
  'call.bridged': 'bridged',
  'call.hangup': 'ended',
} as const

export function telnyxRoutes(deps: AppDeps): Route[] {
  const seen = new SeenEvents()
  return [
    route({
      method: 'POST',
      path: '/api/v1/telnyx/call-control',
      summary: 'Telnyx tells what happens to a call',
      tag: 'webhooks',
      access: 'webhook',
      answer: {
        status: 200,
        description: 'Received',
        json: z.object({ status: z.literal('received'), event_type: z.string() }),
      },
      errors: [400, 403],
      async respond({ ctx }) {
        const account = await signer(deps, ctx)
        const { data } = parseRequest(event, parsed(ctx.request.rawBody ?? ''))
        const received = { status: 'received' as const, event_type: data.event_type }
        if (!seen.first(data.id)) return received
        take(deps, account, data)
        return received
      },
    }),
  ]
}

/** What an event means and who is to know. */
function take(
  deps: AppDeps,
  account: TelnyxAccount | null,
  { event_type: type, payload }: z.infer<typeof event>['data'],
): void {
  const carrierCallId = payload.call_control_id
  if (carrierCallId === undefined) return
  const { call, transferOf } = stateOf(payload)
  const name = account?.name ?? null
  if (transferOf !== undefined) {
    const told = LEG_EVENTS[type as keyof typeof LEG_EVENTS] as
      (typeof LEG_EVENTS)[keyof typeof LEG_EVENTS] | undefined
    if (told)
      deps.phone.legReported(name, { callId: transferOf, legId: carrierCallId, event: told })
    return
  }
  const about = { carrier: 'telnyx', account: name, carrierCallId, callId: call ?? null } as const
  if (type === 'call.initiated') {
    if (payload.direction === 'incoming') void ring(deps, { ...about, ...numbers(payload) })
    else deps.phone.report({ ...about, kind: 'ringing' })
    return
  }
  const told = reportOf(type, payload)
  if (told) deps.phone.report({ ...about, ...told } as PhoneReport)
}

type Told = PhoneReport extends infer R
  ? R extends PhoneReport
    ? Omit<R, 'carrier' | 'account' | 'carrierCallId' | 'callId'>
    : never
  : never

function reportOf(type: string, payload: Payload): Told | null {
  switch (type) {
    case 'call.answered':
      return { kind: 'answered' }
    case 'call.hangup':
      return { kind: 'ended', reason: ENDS[payload.hangup_cause ?? ''] ?? 'carrierFailed' }
    case 'call.machine.detection.ended':
    case 'call.machine.premium.detection.ended':
      return {
        kind: 'party',
        party: PARTIES[payload.result ?? ''] ?? 'unknown',
        mayLeaveMessage: false,
      }
    case 'call.machine.greeting.ended':
    case 'call.machine.premium.greeting.ended':
      return { kind: 'party', party: 'machine', mayLeaveMessage: true }
    case 'call.recording.saved':
      return { kind: 'recording', facts: recordingFacts(payload, 'completed') }
    case 'call.recording.error':
      return { kind: 'recording', facts: recordingFacts(payload, 'failed') }
    case 'streaming.failed':
      return { kind: 'streamFailed', detail: payload.failure_reason ?? 'streaming.failed' }
    default:
      return null
  }
}

/** The addresses live ten minutes; whoever wants the audio longer fetches it, or looks in the portal. */
function recordingFacts(payload: Payload, status: string): Record<string, unknown> {
  return {
    recordingId: payload.recording_id ?? null,
    status,
    url: payload.recording_urls?.['wav'] ?? payload.recording_urls?.['mp3'] ?? null,
    channels: payload.channels === 'dual' ? 2 : 1,
    ...(payload.reason == null ? {} : { reason: payload.reason }),
  }
}

async function ring(
  deps: AppDeps,
  call: Parameters<AppDeps['phone']['incoming']>[0],
): Promise<void> {
  try {
    const taken = await deps.phone.incoming(call)
    if (typeof taken !== 'string') await deps.phone.answer(taken)
    else if (taken !== 'over') deps.phone.refuse(call)
  } catch (error) {
    deps.log.error({ error: errorText(error) }, 'an incoming telnyx call could not be taken')
  }
}

/**
 * The account whose key signed the request; null where no key is configured.
 *
 * @throws RequestError 403 BAD_SIGNATURE
 */
async function signer(deps: AppDeps, ctx: HttpContext): Promise<TelnyxAccount | null> {
  const accounts = deps.config.telnyx
  const keyed = accounts.filter(({ publicKey }) => publicKey !== null)
  if (keyed.length === 0) return accounts[0] ?? null
  const headers = { [ID]: ctx.get(ID), [SIGNATURE]: ctx.get(SIGNATURE) }
  if (headers[ID] === '' || headers[SIGNATURE] === '') return refuse(deps, ctx, 'unsigned')
  const ageSec = Math.abs(Date.now() / 1_000 - Number(headers[ID]))
  if (!(ageSec <= WINDOW_SEC)) return refuse(deps, ctx, 'stale')
  const { TelnyxWebhook } = await import('telnyx/lib/webhooks')
  for (const account of keyed) {
    try {
      await new TelnyxWebhook(account.publicKey ?? '').verify(ctx.request.rawBody ?? '', headers)
      return account
    } catch (error) {
      // Another account's key may fit; the error's text holds key and signature, so only its kind is looked at.
      if (!(error instanceof Error)) throw error
    }
  }
  return refuse(deps, ctx, 'badSignature')
}

function refuse(deps: AppDeps, ctx: HttpContext, reason: string): never {
  return refuseWebhook(deps, ctx, { carrier: 'telnyx', reason, hint: HINT })
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch (error) {
    throw new RequestError(400, 'BAD_JSON', 'The body is not JSON.', { cause: error })
  }
}

/** Ours, when it is ours: Telnyx hands back whatever anybody set. */
function stateOf({ client_state: encoded }: Payload): z.infer<typeof state> {
  if (encoded == null || encoded === '') return {}
  try {
    const read = state.safeParse(JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')))
    return read.success ? read.data : {}
  } catch (error) {
    if (error instanceof SyntaxError) return {}
    throw error
  }
}

function numbers({ from, to }: Payload): { from: string; to: string } {
  return { from: from ?? '', to: to ?? '' }
}
