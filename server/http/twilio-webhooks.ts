/**
 * Twilio webhooks: answers "what shall I do with this call" with TwiML that connects it to our media socket, and takes
 * reports about calls.
 *
 *   POST form ─► signature (twilio-signature.ts) ─► phone desk ─► <Connect><Stream> with a one-time token, or 204
 *
 * A <Stream> URL may have no query string: the token travels as a <Parameter>. Twilio may add fields at any time, so only the
 * few that are used are looked at. A webhook that comes twice gets the same answer and changes nothing.
 */
import type { Middleware } from 'koa'
import { z } from 'zod'
import type { PhoneReport, Party } from '../call/phone-reports.ts'
import type { EndReason } from '../call/call-state.ts'
import {
  announceTwiml,
  hangupTwiml,
  sentenceTwiml,
  streamTwiml,
  type SpokenSentence,
} from '../carriers/twiml.ts'
import type { PhoneCall } from '../call/phone-desk.ts'
import { fillVariables } from '../conversation/prompt.ts'
import { RequestError } from '../errors.ts'
import type { AppDeps } from './app-deps.ts'
import { webhookText } from './body.ts'
import type { HttpContext, HttpState } from './http-state.ts'
import { parseRequest } from './request-errors.ts'
import { route, type Route } from './route.ts'
import { byId } from './schemas.ts'
import { SeenEvents } from './seen-events.ts'
import { publicBase, signedForm, type SignedForm } from './twilio-signature.ts'

export { parseForm } from './twilio-signature.ts'
export const TWILIO_MEDIA_PATH = '/api/v1/ws/media-stream/twilio'

/** What Twilio's last word on a call means; a call of ours that was answered has a reason of its own by then. */
const ENDS: Record<string, EndReason | undefined> = {
  completed: 'userHangup',
  busy: 'busy',
  failed: 'carrierFailed',
  'no-answer': 'noAnswer',
  canceled: 'noAnswer',
}
const PARTIES: Record<string, Party | undefined> = {
  human: 'human',
  fax: 'fax',
  unknown: 'unknown',
  machine_start: 'machine',
  machine_end_beep: 'machine',
  machine_end_silence: 'machine',
  machine_end_other: 'machine',
}
/** Of a transfer that connected two people; anything else leaves the user alone on the line. */
const CONNECTED = new Set(['completed', 'answered'])

const sid = z.string().regex(/^[A-Za-z0-9]{2,64}$/)
const party = z.string().max(255).default('')
const word = z.string().regex(/^[a-z_-]{1,30}$/)
const incomingCall = z.object({ CallSid: sid, From: party, To: party })
const outboundCall = z.object({ CallSid: sid })
const callReport = z.object({
  CallSid: sid,
  CallStatus: word,
  SequenceNumber: z.string().max(10).optional(),
})
const machineReport = z.object({ CallSid: sid, AnsweredBy: word })
const transferReport = z.object({ CallSid: sid, DialCallStatus: word })
const recordingReport = z.object({
  CallSid: sid,
  RecordingSid: sid,
  RecordingStatus: word,
  RecordingUrl: z.string().max(500).default(''),
  RecordingDuration: z.string().max(10).optional(),
  RecordingChannels: z.string().max(2).optional(),
})

const TWIML = { status: 200, description: 'TwiML', mediaType: 'text/xml' }
const NOTED = { status: 204, description: 'Noted' }

export function twilioRoutes(deps: AppDeps): Route[] {
  const seen = new SeenEvents()
  const incoming = {
    path: '/api/v1/twilio/incoming-call',
    summary: 'Twilio asks what to do with an incoming call',
    tag: 'webhooks',
    access: 'webhook',
    answer: TWIML,
    errors: [403],
    respond: ({ ctx }: { ctx: HttpContext }) => answerIncoming(deps, ctx),
  } as const
  return [
    route({ ...incoming, method: 'POST' }),
    route({ ...incoming, method: 'GET' }),
    callDocument(deps, 'outbound', 'Twilio asks what to do with a call that we placed', outbound),
    callDocument(deps, 'announcement', 'What a person hears before a transferred user', announce),
    callDocument(deps, 'transfer-end', 'What follows a transfer', afterTransfer),
    report(deps, 'status', 'Twilio reports how a call goes', (signed) => {
      const { CallSid, CallStatus, SequenceNumber } = parseRequest(callReport, signed.values)
      const isNew = SequenceNumber === undefined || seen.first(CallSid, SequenceNumber, CallStatus)
      const reason = ENDS[CallStatus]
      const about = { ...aboutOf(signed), carrierCallId: CallSid }
      if (!isNew) return null
      if (reason) return { ...about, kind: 'ended', reason }
      if (CallStatus === 'ringing') return { ...about, kind: 'ringing' }
      return CallStatus === 'in-progress' ? { ...about, kind: 'answered' } : null
    }),
    report(deps, 'machine', 'Twilio reports who answered a call that we placed', (signed) => {
      const { CallSid, AnsweredBy } = parseRequest(machineReport, signed.values)
      if (!seen.first(CallSid, AnsweredBy)) return null
      const about = { ...aboutOf(signed), carrierCallId: CallSid }
      const mayLeaveMessage = AnsweredBy.startsWith('machine_end')
      return { ...about, kind: 'party', party: PARTIES[AnsweredBy] ?? 'unknown', mayLeaveMessage }
    }),
    report(deps, 'recording', 'Twilio reports on a recording of its own', (signed) => {
      const { CallSid, ...recording } = parseRequest(recordingReport, signed.values)
      if (!seen.first(recording.RecordingSid, recording.RecordingStatus)) return null
      const facts = {
        recordingId: recording.RecordingSid,
        status: recording.RecordingStatus,
        url: recording.RecordingUrl,
        durationSec: Number(recording.RecordingDuration ?? 0),
        channels: Number(recording.RecordingChannels ?? 0),
      }
      return { ...aboutOf(signed), carrierCallId: CallSid, kind: 'recording', facts }
    }),
  ]
}

/** What a webhook needs below the router: the body's raw text, within limits. */
export const webhookBody: Middleware<HttpState> = async (ctx, next) => {
  if (ctx.method === 'POST') await webhookText(ctx, next)
  else await next()
}

/** An address that answers with TwiML about one of our calls. */
function callDocument(
  deps: AppDeps,
  name: string,
  summary: string,
  respond: (deps: AppDeps, callId: string, signed: SignedForm) => Promise<string>,
): Route {
  return route({
    method: 'POST',
    path: `/api/v1/twilio/${name}/:id`,
    summary,
    tag: 'webhooks',
    access: 'webhook',
    params: byId,
    answer: TWIML,
    errors: [403],
    async respond({ params: { id }, ctx }) {
      const signed = await signedForm(deps, ctx)
      sendTwiml(ctx, await respond(deps, id, signed))
    },
  })
}

/** An address that takes reports; null is one that changes nothing. */
function report(
  deps: AppDeps,
  name: string,
  summary: string,
  read: (signed: SignedForm) => PhoneReport | null,
): Route {
  return route({
    method: 'POST',
    path: `/api/v1/twilio/${name}`,
    summary,
    tag: 'webhooks',
    access: 'webhook',
    answer: NOTED,
    errors: [403],
    async respond({ ctx }) {
      const told = read(await signedForm(deps, ctx))
      if (told) deps.phone.report(told)
    },
  })
}

async function answerIncoming(deps: AppDeps, ctx: HttpContext): Promise<void> {
  const signed = await signedForm(deps, ctx)
  const { CallSid, From, To } = parseRequest(incomingCall, signed.values)
  const call = await deps.phone.incoming({
    ...aboutOf(signed),
    carrierCallId: CallSid,
    from: From,
    to: To,
  })
  if (call === 'over') return sendTwiml(ctx, await hangupTwiml())
  if (typeof call === 'string') return sendTwiml(ctx, await sentenceTwiml('busy', 'es-MX'))
  sendTwiml(ctx, await connectTwiml(deps, call, publicBase(deps, ctx)))
}

function connectTwiml(deps: AppDeps, call: PhoneCall, base?: string): Promise<string> {
  const { language, ...invite } = deps.phone.invite(call)
  const url = base === undefined ? invite.url : mediaUrl(base)
  const hasRest = deps.config.twilio.some(({ accountSid }) => accountSid !== null)
  return streamTwiml({ invite: { ...invite, url }, language, apologise: hasRest })
}

async function outbound(deps: AppDeps, callId: string, { values }: SignedForm): Promise<string> {
  const call = deps.phone.get(callId)
  const { CallSid } = parseRequest(outboundCall, values)
  // A document of one call must not connect another.
  if (call && call.carrierCallId !== null && call.carrierCallId !== CallSid) {
    throw new RequestError(403, 'WRONG_CALL', 'This address belongs to another call.')
  }
  return call ? await connectTwiml(deps, call) : await hangupTwiml()
}

async function announce(deps: AppDeps, callId: string): Promise<string> {
  const call = deps.phone.recall(callId)
  if (!call) return await hangupTwiml()
  const { settings, from, to, variables } = call
  const text = fillVariables(settings.transferAnnouncement, { from, to, ...variables })
  return await announceTwiml({ text, language: settings.language })
}

async function afterTransfer(deps: AppDeps, callId: string, signed: SignedForm): Promise<string> {
  const call = deps.phone.recall(callId)
  const { CallSid, DialCallStatus } = parseRequest(transferReport, signed.values)
  const connected = CONNECTED.has(DialCallStatus)
  const about = { ...aboutOf(signed), carrierCallId: CallSid }
  deps.phone.report({ ...about, kind: 'transferEnded', connected, detail: DialCallStatus })
  if (connected) return await hangupTwiml()
  const sentence: SpokenSentence = 'unanswered'
  return await sentenceTwiml(sentence, call?.settings.language ?? 'es-MX')
}

function aboutOf({ account }: SignedForm) {
  return { carrier: 'twilio', account: account?.name ?? null, callId: null } as const
}

function sendTwiml(ctx: HttpContext, document: string): void {
  ctx.type = 'text/xml'
  ctx.set('Cache-Control', 'no-store')
  ctx.body = document
}

/** ws: only where there is no TLS, as with the rig; Twilio itself takes wss: alone. */
function mediaUrl(base: string): string {
  return base.replace(/^http/, 'ws') + TWILIO_MEDIA_PATH
}
