/**
 * Carrier accounts: the part of the configuration that says which numbers are ours and with which keys we speak for them.
 *
 *   TWILIO_* / TELNYX_*  ─► account `default` ─┐
 *   TWILIO_ACCOUNTS / TELNYX_ACCOUNTS (JSON) ──┴─► one list each, by name
 *
 * Keys come from the environment alone so far; whoever keeps them elsewhere hands config.ts the same lists.
 */
import { z } from 'zod'
import { ConfigError } from './errors.ts'

/** One account at Twilio. A call belongs to the account whose sid its webhooks name. */
export interface TwilioAccount {
  name: string
  /** Null where only webhooks are checked and nothing is asked of Twilio. */
  accountSid: string | null
  authToken: string
  /** Both or none, e.g. ie1 and dublin; tokens are per region. */
  region: string | null
  edge: string | null
  /** Shown to those we call when the request names no number. */
  from: string | null
  apiBaseUrl: string | null
}

export interface TelnyxAccount {
  name: string
  apiKey: string
  /** Base64 of the 32 bytes under Keys & Credentials; null leaves webhooks unchecked. */
  publicKey: string | null
  /** The Voice API application; needed for calls out. */
  connectionId: string | null
  from: string | null
  codec: 'PCMU' | 'PCMA' | 'L16'
  /** Telnyx does not document it; RFC 2586 says big. */
  l16ByteOrder: 'big' | 'little'
  apiBaseUrl: string | null
}

export const secret = z
  .string()
  .regex(/^[\x21-\x7e]+$/, 'printable ASCII without spaces')
  .max(500)
export const httpUrl = z
  .url({ protocol: /^https?$/, error: 'an http:// or https:// URL' })
  .transform((url) => url.replace(/\/+$/, ''))

const twilioSid = z.string().regex(/^AC[0-9a-fA-F]{32}$/, 'AC and 32 hexadecimal digits')
const e164 = z.string().regex(/^\+[1-9]\d{6,14}$/, 'a phone number in E.164')
const accountName = z.string().regex(/^[a-z0-9-]{1,32}$/, 'a name of a-z, 0-9 and -')
const place = z.string().regex(/^[a-z0-9-]{1,20}$/, 'a name such as ie1 or dublin')
const publicKey = z
  .string()
  .regex(/^[A-Za-z0-9+/]{43}=$/, 'base64 of 32 bytes, as the portal shows it')
const codec = z.enum(['PCMU', 'PCMA', 'L16'])
const byteOrder = z.enum(['big', 'little'])

const twilioAccounts = z.array(
  z.strictObject({
    name: accountName,
    accountSid: twilioSid,
    authToken: secret,
    region: place.optional(),
    edge: place.optional(),
    from: e164.optional(),
    apiBaseUrl: httpUrl.optional(),
  }),
)
const telnyxAccounts = z.array(
  z.strictObject({
    name: accountName,
    apiKey: secret,
    publicKey: publicKey.optional(),
    connectionId: z.string().max(64).optional(),
    from: e164.optional(),
    codec: codec.default('PCMU'),
    l16ByteOrder: byteOrder.default('big'),
    apiBaseUrl: httpUrl.optional(),
  }),
)
/** A variable that holds JSON. */
const json = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown
      } catch {
        context.addIssue({ code: 'custom', message: 'JSON: a list of accounts' })
        return z.NEVER
      }
    })
    .pipe(schema)

/** The carriers' variables, to be spread into config.ts's own. */
export const carrierVariables = {
  TWILIO_ACCOUNT_SID: twilioSid.optional(),
  TWILIO_AUTH_TOKEN: secret.optional(),
  TWILIO_REGION: place.optional(),
  TWILIO_EDGE: place.optional(),
  TWILIO_FROM: e164.optional(),
  TWILIO_API_BASE_URL: httpUrl.optional(),
  TWILIO_ACCOUNTS: json(twilioAccounts).default([]),
  TELNYX_API_KEY: secret.optional(),
  TELNYX_PUBLIC_KEY: publicKey.optional(),
  TELNYX_CONNECTION_ID: z.string().max(64).optional(),
  TELNYX_FROM: e164.optional(),
  TELNYX_CODEC: codec.default('PCMU'),
  TELNYX_L16_BYTE_ORDER: byteOrder.default('big'),
  TELNYX_API_BASE_URL: httpUrl.optional(),
  TELNYX_ACCOUNTS: json(telnyxAccounts).default([]),
}
type Variables = z.infer<z.ZodObject<typeof carrierVariables>>

/** The account of the plain variables, then those of the list. @throws ConfigError CONFIG_INVALID for a name used twice */
export function twilioOf(values: Variables): TwilioAccount[] {
  const listed = values.TWILIO_ACCOUNTS.map((account) => {
    if ((account.region === undefined) !== (account.edge === undefined)) {
      throw new ConfigError(
        'CONFIG_INCOMPLETE',
        `TWILIO_ACCOUNTS: ${account.name} names only one of region and edge. Set both, or none.`,
      )
    }
    return { region: null, edge: null, from: null, apiBaseUrl: null, ...account }
  })
  const authToken = values.TWILIO_AUTH_TOKEN
  if (authToken === undefined) return named('TWILIO_ACCOUNTS', listed)
  const first = {
    name: 'default',
    accountSid: values.TWILIO_ACCOUNT_SID ?? null,
    authToken,
    region: values.TWILIO_REGION ?? null,
    edge: values.TWILIO_EDGE ?? null,
    from: values.TWILIO_FROM ?? null,
    apiBaseUrl: values.TWILIO_API_BASE_URL ?? null,
  }
  return named('TWILIO_ACCOUNTS', [first, ...listed])
}

export function telnyxOf(values: Variables): TelnyxAccount[] {
  const listed = values.TELNYX_ACCOUNTS.map((account) => ({
    publicKey: null,
    connectionId: null,
    from: null,
    apiBaseUrl: null,
    ...account,
  }))
  const apiKey = values.TELNYX_API_KEY
  if (apiKey === undefined) return named('TELNYX_ACCOUNTS', listed)
  const first = {
    name: 'default',
    apiKey,
    publicKey: values.TELNYX_PUBLIC_KEY ?? null,
    connectionId: values.TELNYX_CONNECTION_ID ?? null,
    from: values.TELNYX_FROM ?? null,
    codec: values.TELNYX_CODEC,
    l16ByteOrder: values.TELNYX_L16_BYTE_ORDER,
    apiBaseUrl: values.TELNYX_API_BASE_URL ?? null,
  }
  return named('TELNYX_ACCOUNTS', [first, ...listed])
}

function named<A extends { name: string }>(variable: string, accounts: A[]): A[] {
  if (new Set(accounts.map(({ name }) => name)).size === accounts.length) return accounts
  throw new ConfigError('CONFIG_INVALID', `${variable}: two accounts have the same name.`)
}
