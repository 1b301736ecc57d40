/**
 * Twilio's signature, on webhooks and on the media socket's upgrade.
 *
 *   webhook   HMAC over PUBLIC_URL + the request line as it came + every form value, or over the URL with the body's hash
 *   upgrade   HMAC over the wss address as the TwiML has it; what stands in front of us may have turned it into https, added
 *             a port or a slash, so all of these are tried
 *
 * The key is the token of the account that owns the call: it is named in the request, and nobody else's token will do.
 */
import { timingSafeEqual } from 'node:crypto'
import type { TwilioAccount } from '../carrier-accounts.ts'
import { RequestError } from '../errors.ts'
import type { AppDeps } from './app-deps.ts'
import { ownOrigin, type HttpContext } from './http-state.ts'
import { refuseWebhook } from './webhook-refusal.ts'

const HINT =
  'PUBLIC_URL must be the address that Twilio calls; TWILIO_AUTH_TOKEN that account’s token.'

/** A form's values, repeated keys as lists: the shape in which Twilio's check wants them. */
export type FormValues = Record<string, string | string[]>

export interface SignedForm {
  values: FormValues
  /** The account that signed; null where none is configured. */
  account: TwilioAccount | null
}

/** Keeps empty and repeated values, in order. */
export function parseForm(text: string): FormValues {
  const values: FormValues = Object.create(null) as FormValues
  for (const [name, slice] of new URLSearchParams(text)) {
    // A slice keeps the whole form alive: one remembered call id would cost what the carrier wrote around it.
    const value = Buffer.from(slice).toString()
    const earlier = values[name]
    if (earlier === undefined) values[name] = value
    else values[name] = Array.isArray(earlier) ? [...earlier, value] : [earlier, value]
  }
  return values
}

/**
 * The request's values, once its signature was found right.
 *
 * @throws RequestError 403 BAD_SIGNATURE when an account is configured and the signature is missing or wrong
 */
export async function signedForm(deps: AppDeps, ctx: HttpContext): Promise<SignedForm> {
  const isJson = ctx.method === 'POST' && ctx.request.is('application/json') === 'application/json'
  const raw = ctx.method === 'POST' ? (ctx.request.rawBody ?? '') : ''
  const form = isJson ? {} : parseForm(raw)
  const values = isJson
    ? jsonValues(raw)
    : ctx.method === 'POST'
      ? form
      : parseForm(ctx.querystring)
  const accounts = deps.config.twilio
  if (accounts.length === 0) return { values, account: null }
  const signature = ctx.get('X-Twilio-Signature')
  const url = publicBase(deps, ctx) + ctx.req.url
  const own = accounts.filter(({ accountSid }) => accountSid === values['AccountSid'])
  const mayBe = own.length > 0 ? own : accounts.filter(({ accountSid }) => accountSid === null)
  for (const account of signature === '' ? [] : mayBe) {
    const { authToken } = account
    if (await isSigned({ authToken, signature, url, form, json: isJson ? raw : null })) {
      return { values, account }
    }
  }
  refuse(
    deps,
    ctx,
    signature === '' ? 'unsigned' : mayBe.length === 0 ? 'wrongAccount' : 'badSignature',
  )
}

/** Whether one of our accounts signed an upgrade to `path`, as seen from outside at `base`. */
export async function isSignedUpgrade(
  accounts: readonly TwilioAccount[],
  upgrade: { signature: string; base: string; path: string },
): Promise<boolean> {
  const { getExpectedTwilioSignature } = await import('twilio/lib/webhooks/webhooks.js')
  const urls = upgradeUrls(upgrade.base, upgrade.path)
  const given = Buffer.from(upgrade.signature)
  return accounts.some(({ authToken }) =>
    urls.some((url) => {
      const expected = Buffer.from(getExpectedTwilioSignature(authToken, url, {}))
      return expected.length === given.length && timingSafeEqual(expected, given)
    }),
  )
}

function upgradeUrls(base: string, path: string): string[] {
  // Without PUBLIC_URL the base is the Host header, which anybody writes as they like.
  const parsed = URL.parse(base)
  if (!parsed) return []
  const { protocol, hostname, port } = parsed
  const isSecure = protocol === 'https:'
  const usual = isSecure ? '443' : '80'
  const hosts = port === '' ? [hostname, `${hostname}:${usual}`] : [`${hostname}:${port}`, hostname]
  const schemes = isSecure ? ['wss', 'https'] : ['ws', 'http']
  const paths = path.endsWith('/') ? [path, path.slice(0, -1)] : [path, `${path}/`]
  return schemes.flatMap((scheme) =>
    hosts.flatMap((host) => paths.map((each) => `${scheme}://${host}${each}`)),
  )
}

export function publicBase(deps: Pick<AppDeps, 'config'>, ctx: HttpContext): string {
  return deps.config.publicUrl ?? ownOrigin(ctx)
}

async function isSigned(request: {
  authToken: string
  signature: string
  url: string
  form: FormValues
  json: string | null
}): Promise<boolean> {
  const { validateRequest, validateRequestWithBody } =
    await import('twilio/lib/webhooks/webhooks.js')
  const { authToken, signature, url, form, json } = request
  // An absolute-form request line makes an address that the check cannot parse, and throws on.
  const parsed = URL.parse(url)
  if (!parsed) return false
  if (json === null) return validateRequest(authToken, signature, url, form)
  // Without the hash in the signed URL any body would pass.
  if (!parsed.searchParams.has('bodySHA256')) return false
  return validateRequestWithBody(authToken, signature, url, json)
}

function jsonValues(text: string): FormValues {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new RequestError(400, 'BAD_JSON', 'The body is not JSON.', { cause: error })
  }
  const entries = Object.entries(typeof json === 'object' && json !== null ? json : {})
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  )
}

function refuse(deps: AppDeps, ctx: HttpContext, reason: string): never {
  return refuseWebhook(deps, ctx, { carrier: 'twilio', reason, hint: HINT })
}
