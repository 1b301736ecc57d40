/** Calls out, and what the carrier is to record: the API's side of the phone desk. */
import { z } from 'zod'
import { PROFILES } from '../agent-settings.ts'
import { CarrierError, RequestError } from '../errors.ts'
import type { AppDeps } from './app-deps.ts'
import type { HttpContext } from './http-state.ts'
import { route, type Route } from './route.ts'
import { byId, uuid } from './schemas.ts'

const e164 = z.string().regex(/^\+[1-9]\d{6,14}$/, 'a phone number in E.164, e.g. +525512345678')
const variables = z
  .record(z.string().regex(/^[\p{L}\p{N}_.-]{1,64}$/u), z.string().max(1_000))
  .refine((values) => Object.keys(values).length <= 50, 'at most 50 variables')

const order = z.strictObject({
  to: e164.meta({ example: '+525512345678' }),
  from: e164.optional().meta({ description: 'One of our numbers; default: the account’s' }),
  carrier: z.enum(['twilio', 'telnyx']),
  account: z.string().max(32).optional().meta({ description: 'Default: the first one' }),
  agentId: uuid.optional().meta({ description: 'Default: the default agent' }),
  profile: z.enum(PROFILES).optional().meta({ description: 'Default: the carrier’s' }),
  variables: variables
    .default({})
    .meta({ description: 'Values for {{name}} in the agent’s texts' }),
})

/** Statuses with which a carrier's refusals reach the client; what it said is in the message. */
const STATUSES: Record<string, number | undefined> = {
  CARRIER_REFUSED: 422,
  CARRIER_NO_REST: 409,
  CARRIER_CALL_GONE: 409,
  CARRIER_BUSY: 503,
}

export function outboundRoutes(deps: AppDeps): Route[] {
  return [dialRoute(deps), recordRoute(deps)]
}

function dialRoute(deps: AppDeps): Route {
  return route({
    method: 'POST',
    path: '/api/v1/calls',
    summary: 'Call somebody',
    tag: 'calls',
    access: 'key',
    body: order,
    answer: {
      status: 202,
      description: 'The carrier is dialling; GET /api/v1/calls/{id} tells how it goes',
      json: z.object({ id: uuid, carrierCallId: z.string(), status: z.literal('dialing') }),
    },
    errors: [404, 409, 422, 429, 502, 503],
    async respond({ body, ctx }) {
      const { account, from } = lineOf(deps, body)
      const { to, carrier, variables: values } = body
      const outcome = await asRequestError(() =>
        deps.phone.dial({
          ...{ carrier, account, to, from, variables: values },
          agentId: body.agentId ?? null,
          profile: body.profile ?? carrier,
        }),
      )
      if (outcome.ok) {
        return { id: outcome.id, carrierCallId: outcome.carrierCallId, status: 'dialing' as const }
      }
      return refuse(ctx, outcome)
    },
  })
}

/** Which account calls, with which number. */
function lineOf(
  { config }: AppDeps,
  wanted: z.output<typeof order>,
): { account: string; from: string } {
  const accounts = config[wanted.carrier]
  const account = accounts.find(
    ({ name }) => wanted.account === undefined || name === wanted.account,
  )
  const prefix = wanted.carrier.toUpperCase()
  if (account === undefined) {
    throw new RequestError(409, 'NO_ACCOUNT', `There is no such account at ${wanted.carrier}.`, {
      hint: `Set the variables of ${prefix} in .env, or name one of its accounts.`,
      field: 'account',
    })
  }
  if ('connectionId' in account && account.connectionId === null) {
    throw new RequestError(409, 'NO_CONNECTION', 'Telnyx calls out need a Voice API application.', {
      hint: 'Set TELNYX_CONNECTION_ID to its id.',
    })
  }
  const from = wanted.from ?? account.from
  if (from === null) {
    throw new RequestError(422, 'NO_NUMBER', 'There is no number to call from.', {
      hint: `Give "from", or set ${prefix}_FROM.`,
      field: 'from',
    })
  }
  return { account: account.name, from }
}

function refuse(
  ctx: HttpContext,
  { reason, waitMs }: { reason: 'full' | 'tooMany' | 'tooFast' | 'noAgent'; waitMs: number },
): never {
  if (reason === 'noAgent')
    throw new RequestError(404, 'AGENT_NOT_FOUND', 'There is no such agent.')
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000))
  ctx.set('Retry-After', String(seconds))
  if (reason === 'full') {
    throw new RequestError(503, 'NO_LINE', 'Every line of this server is taken.', {
      hint: `Try again in ${seconds} s, or raise MAX_CALLS.`,
    })
  }
  const limit =
    reason === 'tooMany'
      ? 'calls at once (OUTBOUND_MAX_CALLS)'
      : 'calls a second (OUTBOUND_CALLS_PER_SEC)'
  throw new RequestError(429, 'OUTBOUND_LIMIT', `The account has reached its limit of ${limit}.`, {
    hint: `Try again in ${seconds} s.`,
  })
}

function recordRoute(deps: AppDeps): Route {
  return route({
    method: 'POST',
    path: '/api/v1/calls/:id/carrier-recording',
    summary: 'Start, stop, pause or resume the carrier’s recording of a live call',
    tag: 'calls',
    access: 'key',
    params: byId,
    body: z.strictObject({ action: z.enum(['start', 'stop', 'pause', 'resume']) }),
    answer: { status: 204, description: 'Done' },
    errors: [409, 422, 502, 503],
    async respond({ params: { id }, body: { action } }) {
      const done = await asRequestError(async () => {
        const asked = deps.phone.record(id, action)
        await asked
        return asked !== null
      })
      if (!done) throw new RequestError(409, 'CALL_NOT_LIVE', 'There is no such live call.')
    },
  })
}

async function asRequestError<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof CarrierError)) throw error
    const { code, message, hint } = error
    throw new RequestError(STATUSES[code] ?? 502, code, message, {
      ...(hint === null ? {} : { hint }),
      cause: error,
    })
  }
}
