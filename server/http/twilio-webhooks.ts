/**
 * Twilio webhooks: answers "a call is coming in" with TwiML that connects it to our media socket, and takes call reports.
 *
 *   POST form ─► signature over URL + every form value ─► admission ─► <Connect><Stream> with a one-time token
 *
 * The signature covers the URL as Twilio wrote it, so it is rebuilt from PUBLIC_URL and the raw request line, never from
 * something parsed. A <Stream> URL may have no query string: the token travels as a <Parameter>.
 *
 * Invariants: with a token configured, nothing unsigned gets further than the check; the form is read with URLSearchParams, so
 * that empty and repeated values count. Twilio may add fields at any time, so only the few that are used are looked at.
 */
import type { Middleware } from 'koa'
import { z } from 'zod'
import { RequestError } from '../errors.ts'
import type { AppDeps } from './app-deps.ts'
import { formBody } from './body.ts'
import { ownOrigin, type HttpContext, type HttpState } from './http-state.ts'
import { parseRequest } from './request-errors.ts'
import { route, type Route } from './route.ts'

export const TWILIO_MEDIA_PATH = '/api/v1/ws/media-stream/twilio'

/** Spoken when no line is free. Twilio's voice says it: ours costs what is missing. */
const BUSY_MESSAGE =
  'En este momento todas nuestras líneas están ocupadas. Por favor, llame de nuevo en unos minutos.'
const OVER = new Set(['completed', 'busy', 'failed', 'no-answer', 'canceled'])

const sid = z.string().regex(/^[A-Za-z0-9]{2,64}$/)
const party = z.string().max(255).default('')
const incomingCall = z.object({ CallSid: sid, From: party, To: party })
const callReport = z.object({ CallSid: sid, CallStatus: z.string().regex(/^[a-z-]{1,20}$/) })

/** A form's values, repeated keys as lists: the shape in which Twilio's check wants them. */
export type FormValues = Record<string, string | string[]>

/** Keeps empty and repeated values, in order. */
export function parseForm(text: string): FormValues {
  const values: FormValues = Object.create(null) as FormValues
  for (const [name, value] of new URLSearchParams(text)) {
    const earlier = values[name]
    if (earlier === undefined) values[name] = value
    else values[name] = Array.isArray(earlier) ? [...earlier, value] : [earlier, value]
  }
  return values
}

export function twilioRoutes(deps: AppDeps): Route[] {
  const answer = { status: 200, description: 'TwiML', mediaType: 'text/xml' }
  const incoming = {
    path: '/api/v1/twilio/incoming-call',
    summary: 'Twilio asks what to do with an incoming call',
    tag: 'webhooks',
    access: 'webhook',
    answer,
    errors: [403],
    respond: ({ ctx }: { ctx: HttpContext }) => answerIncoming(deps, ctx),
  } as const
  return [
    route({ ...incoming, method: 'POST' }),
    route({ ...incoming, method: 'GET' }),
    route({
      method: 'POST',
      path: '/api/v1/twilio/status',
      summary: 'Twilio reports how a call goes',
      tag: 'webhooks',
      access: 'webhook',
      answer: { status: 204, description: 'Noted' },
      errors: [403],
      async respond({ ctx }) {
        const report = parseRequest(callReport, await signedForm(deps, ctx))
        deps.onCarrierStatus?.({
          carrier: 'twilio',
          carrierCallId: report.CallSid,
          status: report.CallStatus,
          over: OVER.has(report.CallStatus),
        })
      },
    }),
  ]
}

/** What a webhook needs below the router: the form's raw text, within limits. */
export const webhookBody: Middleware<HttpState> = async (ctx, next) => {
  if (ctx.method === 'POST') await formBody(ctx, next)
  else await next()
}

async function answerIncoming(deps: AppDeps, ctx: HttpContext): Promise<void> {
  const call = parseRequest(incomingCall, await signedForm(deps, ctx))
  const { default: VoiceResponse } = await import('twilio/lib/twiml/VoiceResponse.js')
  const twiml = new VoiceResponse()
  const admission = deps.calls.admit()
  if (admission.ok) {
    const nowMs = (deps.nowMs ?? Date.now)()
    const claims = { client: 'twilio', carrierCallId: call.CallSid } as const
    const stream = twiml.connect().stream({ url: mediaUrl(deps, ctx) })
    stream.parameter({ name: 'token', value: deps.tokens.issue(claims, nowMs) })
    stream.parameter({ name: 'from', value: call.From })
    stream.parameter({ name: 'to', value: call.To })
  } else {
    deps.metrics.callsRefused.inc({ carrier: 'twilio', reason: admission.reason })
    deps.log.warn({ carrierCallId: call.CallSid, reason: admission.reason }, 'call turned away')
    twiml.say({ language: 'es-MX' }, BUSY_MESSAGE)
    twiml.hangup()
  }
  ctx.type = 'text/xml'
  ctx.set('Cache-Control', 'no-store')
  ctx.body = twiml.toString()
}

/**
 * The request's values, once its signature was found right.
 *
 * @throws RequestError 403 BAD_SIGNATURE when a token is configured and the signature is missing or wrong
 */
async function signedForm(deps: AppDeps, ctx: HttpContext): Promise<FormValues> {
  const isForm = ctx.method === 'POST'
  const form = isForm ? parseForm(ctx.request.rawBody ?? '') : {}
  const values = isForm ? form : parseForm(ctx.querystring)
  if (deps.config.twilio === null) return values
  const signature = ctx.get('X-Twilio-Signature')
  const right =
    signature !== '' &&
    (await isSigned({
      authToken: deps.config.twilio.authToken,
      signature,
      url: publicBase(deps, ctx) + ctx.req.url,
      form,
    }))
  if (right) return values
  const reason = signature === '' ? 'unsigned' : 'badSignature'
  deps.metrics.webhookRejected.inc({ carrier: 'twilio', reason })
  deps.log.warn({ reason, requestId: ctx.state.requestId }, 'twilio webhook refused')
  throw new RequestError(
    403,
    'BAD_SIGNATURE',
    'The signature of this webhook is missing or wrong.',
    {
      hint: 'PUBLIC_URL must be the address that Twilio calls; TWILIO_AUTH_TOKEN that account’s token.',
    },
  )
}

async function isSigned(request: {
  authToken: string
  signature: string
  url: string
  form: FormValues
}): Promise<boolean> {
  const { validateRequest } = await import('twilio/lib/webhooks/webhooks.js')
  // An absolute-form request line makes an address that the check cannot parse, and throws on.
  if (!URL.canParse(request.url)) return false
  return validateRequest(request.authToken, request.signature, request.url, request.form)
}

function publicBase(deps: AppDeps, ctx: HttpContext): string {
  return deps.config.publicUrl ?? ownOrigin(ctx)
}

/** ws: only where there is no TLS, as with the rig; Twilio itself takes wss: alone. */
function mediaUrl(deps: AppDeps, ctx: HttpContext): string {
  return publicBase(deps, ctx).replace(/^http/, 'ws') + TWILIO_MEDIA_PATH
}
