/**
 * Twilio's REST side of a call, through the official SDK, for one account.
 *
 * A call is changed by giving it new TwiML, which ends its stream: a transfer takes it away from us, keys pressed bring it
 * back with a new stream. Hang-up and recording state may be asked for twice; new TwiML and new calls may not.
 * The SDK is imported on first use (210 ms, 20 MB) so that a server without Twilio never pays for it.
 */
import type { Twilio } from 'twilio'
import type { TwilioAccount } from '../carrier-accounts.ts'
import {
  isCallGone,
  type Dial,
  type LineControl,
  type StreamInvite,
  type Transfer,
} from './carrier.ts'
import type { RecordingAction } from './carrier.ts'
import { attempt, failureKind, property, type Failure, type RestDialect } from './rest.ts'
import { digitsTwiml, transferTwiml } from './twiml.ts'

const TIMEOUT_MS = 10_000
/** 21220: the call is not in progress; 20404: it is gone. Both mean that there is nothing left to do. */
const GONE = new Set(['21220', '20404'])

/** The codes that a new user meets. https://www.twilio.com/docs/api/errors */
const CURES: Record<string, string | undefined> = {
  20003:
    'Check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN: the account’s primary token, of its region.',
  20429: 'Wait a moment and try again; the account makes too many requests.',
  21205: 'PUBLIC_URL must be an address that Twilio reaches from the internet.',
  21210: 'Set TWILIO_FROM to a number of this account, or verify the number in the console.',
  21211: 'Write the number in E.164, e.g. +525512345678.',
  21212: 'Set TWILIO_FROM to a number of this account, in E.164.',
  21215: 'Allow the country in the console: Voice → Settings → Geo permissions.',
  21217: 'Write the number in E.164, e.g. +525512345678.',
  21219: 'A trial account only calls verified numbers: verify it, or upgrade the account.',
  10004: 'The account has reached its limit of calls at once; raise it in the console.',
}

export const TWILIO_DIALECT: RestDialect = {
  carrier: 'Twilio',
  read(error): Failure {
    const code = property(error, 'code')
    const status = property(error, 'status')
    const text = error instanceof Error ? error.message : String(error)
    const known = code === undefined || code === null ? null : String(code)
    if (known !== null && GONE.has(known)) return { kind: 'gone', code: known, text }
    const fallback = typeof status === 'number' ? String(status) : null
    return { kind: failureKind(status, code), code: known ?? fallback, text }
  },
  cure: (code) => (code === null ? null : (CURES[code] ?? null)),
}

export interface TwilioLineOptions {
  account: TwilioAccount & { accountSid: string }
  /** Our address as Twilio reaches it, without a trailing slash. */
  baseUrl(): string
}

export class TwilioLine implements LineControl {
  readonly openStream = null
  readonly digitsReplaceStream = true
  readonly #options: TwilioLineOptions
  #client: Twilio | null = null

  constructor(options: TwilioLineOptions) {
    this.#options = options
  }

  async hangup(carrierCallId: string): Promise<void> {
    try {
      await this.#update(carrierCallId, 'hang up', { status: 'completed' })
    } catch (error) {
      if (!isCallGone(error)) throw error
    }
  }

  /** The webhook's answer has done it. */
  answer(): Promise<void> {
    return Promise.resolve()
  }

  async transfer(carrierCallId: string, transfer: Transfer): Promise<void> {
    const base = `${this.#options.baseUrl()}/api/v1/twilio`
    const twiml = await transferTwiml({
      to: transfer.to,
      callerId: transfer.from,
      announceUrl:
        transfer.announcement === null ? null : `${base}/announcement/${transfer.callId}`,
      endUrl: `${base}/transfer-end/${transfer.callId}`,
    })
    await this.#update(carrierCallId, 'transfer the call', { twiml })
  }

  async sendDigits(
    carrierCallId: string,
    digits: string,
    invite: () => StreamInvite & { language?: string },
  ): Promise<void> {
    const invitation = invite()
    const language = invitation.language ?? 'es-MX'
    const twiml = await digitsTwiml(digits, { invite: invitation, language, apologise: true })
    await this.#update(carrierCallId, 'send digits', { twiml })
  }

  async record(carrierCallId: string, action: RecordingAction): Promise<void> {
    const client = await this.#connect()
    const call = client.calls(carrierCallId)
    if (action === 'start') {
      const request = () =>
        call.recordings.create({
          recordingChannels: 'dual',
          recordingTrack: 'both',
          recordingStatusCallback: `${this.#options.baseUrl()}/api/v1/twilio/recording`,
          recordingStatusCallbackEvent: ['in-progress', 'completed', 'absent'],
        })
      // Twice would be two recordings.
      await attempt(
        TWILIO_DIALECT,
        { what: 'start recording', repeatable: false, quote: false },
        request,
      )
      return
    }
    const status = { stop: 'stopped', pause: 'paused', resume: 'in-progress' }[action] as 'stopped'
    // Silence in place of what was left out: both channels stay in step with the call.
    const pause = action === 'pause' ? { pauseBehavior: 'silence' } : {}
    const request = () => call.recordings('Twilio.CURRENT').update({ status, ...pause })
    const what = `${action} the recording`
    await attempt(TWILIO_DIALECT, { what, repeatable: true, quote: false }, request)
  }

  /** Twilio offers none on its streams. */
  suppressNoise(): Promise<void> {
    return Promise.resolve()
  }

  async dial({ callId, to, from, detectMachine, ringSec }: Dial): Promise<string> {
    const client = await this.#connect()
    const base = `${this.#options.baseUrl()}/api/v1/twilio`
    const detection = {
      machineDetection: 'DetectMessageEnd',
      // In the background: the person who answers must not wait in silence for the verdict.
      asyncAmd: 'true',
      asyncAmdStatusCallback: `${base}/machine`,
    }
    const request = () =>
      client.calls.create({
        to,
        from,
        url: `${base}/outbound/${callId}`,
        timeout: ringSec,
        statusCallback: `${base}/status`,
        statusCallbackEvent: ['initiated', 'ringing', 'answered', 'completed'],
        ...(detectMachine ? detection : {}),
      })
    // An answer that was lost may have placed the call: a second one would ring the same person twice.
    const { accountSid, authToken } = this.#options.account
    const secrets = [authToken, `${accountSid}:${authToken}`]
    const placing = { what: 'place the call', repeatable: false, quote: true, secrets }
    return (await attempt(TWILIO_DIALECT, placing, request)).sid
  }

  async #update(
    carrierCallId: string,
    what: string,
    change: { status: 'completed' } | { twiml: string },
  ): Promise<void> {
    const client = await this.#connect()
    const repeatable = 'status' in change
    const request = () => client.calls(carrierCallId).update(change)
    await attempt(TWILIO_DIALECT, { what, repeatable, quote: false }, request)
  }

  async #connect(): Promise<Twilio> {
    if (this.#client) return this.#client
    const { default: twilio } = await import('twilio')
    const { accountSid, authToken, region, edge, apiBaseUrl } = this.#options.account
    this.#client = twilio(accountSid, authToken, {
      timeout: TIMEOUT_MS,
      ...(region === null || edge === null ? {} : { region, edge }),
    })
    if (apiBaseUrl) this.#client.api.baseUrl = apiBaseUrl
    return this.#client
  }
}
