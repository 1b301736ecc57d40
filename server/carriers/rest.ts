/**
 * REST towards a carrier: what a failed request means, and when it may be made again.
 *
 *   request ─► answered ─► done
 *          └─► failed ─► refused (4xx)            never again: the answer would be the same
 *                        busy (429), unreached    again: the carrier has done nothing
 *                        unclear (5xx, time-out)  again only where doing it twice is harmless
 *                        gone                     the call is over: CARRIER_CALL_GONE
 */
import { setTimeout as pause } from 'node:timers/promises'
import { CarrierError } from '../errors.ts'
import { SecretMask } from '../log.ts'

/** Two more attempts within a second: a user is on the line. Retry-After is not obeyed; it may ask for minutes. */
const PAUSES_MS = [200, 600]

export interface Failure {
  kind: 'refused' | 'busy' | 'unreached' | 'unclear' | 'gone'
  /** The carrier's own number, or the HTTP status, or the network's word. */
  code: string | null
  /** The carrier's own words. */
  text: string
}

export interface RestDialect {
  /** As people know it. */
  carrier: string
  read(error: unknown): Failure
  /** What to do about a code; null where nothing better than the carrier's words is known. */
  cure(code: string | null): string | null
}

export interface Attempt {
  /** For the message: "hang up", "place the call". */
  what: string
  /** Doing it twice is harmless: the carrier ignores the second, or the state is the same. */
  repeatable: boolean
  /** The carrier's text may quote numbers; it is passed on only to those who gave them. */
  quote: boolean
  /** The account's keys: a refusal may quote them as well ("Incorrect API key provided: …"). They are taken out. */
  secrets?: readonly string[]
}

/** Runs a request until it is answered, refused, or has failed three times. @throws CarrierError */
export async function attempt<T>(
  dialect: RestDialect,
  { what, repeatable, quote, secrets = [] }: Attempt,
  request: () => Promise<T>,
): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await request()
    } catch (error) {
      const said = dialect.read(error)
      const failure = { ...said, text: new SecretMask(secrets).maskKnown(said.text) }
      const { kind } = failure
      const mayRepeat =
        kind === 'busy' || kind === 'unreached' || (kind === 'unclear' && repeatable)
      const waitMs = PAUSES_MS[tries]
      if (!mayRepeat || waitMs === undefined) throw carrierError(dialect, { what, quote, failure })
      await pause(waitMs)
    }
  }
}

const CODES = {
  refused: 'CARRIER_REFUSED',
  busy: 'CARRIER_BUSY',
  unreached: 'CARRIER_UNREACHED',
  unclear: 'CARRIER_FAILED',
  gone: 'CARRIER_CALL_GONE',
} as const

function carrierError(
  dialect: RestDialect,
  { what, quote, failure }: { what: string; quote: boolean; failure: Failure },
): CarrierError {
  const { kind, code, text } = failure
  const said = quote && text !== '' ? `: ${text}` : ''
  const number = code === null ? '' : ` (${code})`
  return new CarrierError(CODES[kind], `${dialect.carrier} did not ${what}${number}${said}`, {
    retryable: kind !== 'refused' && kind !== 'gone',
    carrierCode: code,
    hint: dialect.cure(code) ?? GENERAL_CURES[kind],
    // The SDK's error holds the request with its numbers and keys; only its words go further.
    cause: quote ? new Error(text) : undefined,
  })
}

const GENERAL_CURES = {
  refused: null,
  busy: 'Wait a moment and try again; the account makes too many requests.',
  unreached: 'Check this machine’s way to the internet and the carrier’s status page.',
  unclear: 'Look in the carrier’s console whether it was done before trying again.',
  gone: 'The call is over.',
} as const

/** A property of something thrown, when it is there. */
export function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value
    ? (value as Record<string, unknown>)[name]
    : undefined
}

/** Network errors after which the carrier has certainly done nothing. */
const NOT_REACHED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
])

/** Sorts by HTTP status, or by the network's error where there was no answer. */
export function failureKind(status: unknown, networkCode: unknown): Failure['kind'] {
  if (status === 429) return 'busy'
  if (typeof status === 'number' && status >= 400 && status < 500 && status !== 408)
    return 'refused'
  if (typeof status === 'number') return 'unclear'
  return NOT_REACHED.has(String(networkCode)) ? 'unreached' : 'unclear'
}
