/**
 * Twilio's REST side of a call, through the official SDK: hang-up and cold transfer by updating the live call.
 * The SDK is imported on first use (210 ms, 20 MB) so that a server without Twilio never pays for it.
 */
import type { Twilio } from 'twilio'
import { CarrierError, errorText } from '../errors.ts'
import type { LineControl } from './carrier.ts'

export interface TwilioAccount {
  accountSid: string
  authToken: string
  /** Another base URL than Twilio's, for tests; null for the real one. */
  apiBaseUrl: string | null
}

/** 21220: the call is not in progress; 20404: it is gone. Both mean that there is nothing left to end. */
const ALREADY_OVER = new Set([21_220, 20_404])

export class TwilioLine implements LineControl {
  readonly #account: TwilioAccount
  #client: Twilio | null = null

  constructor(account: TwilioAccount) {
    this.#account = account
  }

  async hangup(carrierCallId: string): Promise<void> {
    const client = await this.#connect()
    try {
      await client.calls(carrierCallId).update({ status: 'completed' })
    } catch (error) {
      if (!isOverAlready(error)) throw carrierError('hang up', error)
    }
  }

  async transfer(carrierCallId: string, to: string): Promise<void> {
    const client = await this.#connect()
    const { default: twilio } = await import('twilio')
    const twiml = new twilio.twiml.VoiceResponse()
    twiml.dial({ answerOnBridge: true }, to)
    try {
      await client.calls(carrierCallId).update({ twiml: twiml.toString() })
    } catch (error) {
      throw carrierError('transfer the call', error)
    }
  }

  /** A stream cannot carry outgoing digits; doing it by REST replaces the stream, which is not built yet. */
  sendDigits(): Promise<void> {
    const message =
      'sending digits on a Twilio call is not supported yet: the stream has no message for it'
    return Promise.reject(new CarrierError('CARRIER_UNSUPPORTED', message))
  }

  async #connect(): Promise<Twilio> {
    if (this.#client) return this.#client
    const { default: twilio } = await import('twilio')
    this.#client = twilio(this.#account.accountSid, this.#account.authToken, { timeout: 10_000 })
    if (this.#account.apiBaseUrl) this.#client.api.baseUrl = this.#account.apiBaseUrl
    return this.#client
  }
}

function isOverAlready(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    ALREADY_OVER.has(Number(error.code))
  )
}

function carrierError(what: string, cause: unknown): CarrierError {
  const message = `Twilio did not ${what}: ${errorText(cause)}`
  return new CarrierError('CARRIER_REFUSED', message, { retryable: mayPass(cause), cause })
}

/** Too many requests, their server's fault, or no answer at all; anything else would be refused again. */
function mayPass(cause: unknown): boolean {
  const status =
    typeof cause === 'object' && cause !== null && 'status' in cause ? cause.status : null
  return typeof status !== 'number' || status === 429 || status >= 500
}
