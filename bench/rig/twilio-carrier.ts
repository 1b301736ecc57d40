/**
 * Twilio's REST endpoint, for the server's SDK: calls are placed, given other TwiML, recorded and ended by it.
 *
 *   SDK ─► POST /Calls/{sid}.json Twiml=… ─► the call leaves its stream, presses keys, opens the next stream
 *                                  Status=completed ─► the call ends          a call that is over: 404, code 20404
 */
import { randomBytes } from 'node:crypto'
import { CarrierRest, type RestAnswer, type RestRequest } from './carrier-rest.ts'
import { newIdentity, RIG_ACCOUNT, TwilioCall, type CallerOptions } from './twilio-caller.ts'
import { postForm } from './twilio-webhook.ts'
import { parseTwiml } from './twiml.ts'

const AUTH_TOKEN = 'rig-twilio-token-0123456789abcdef'
const CALL_PATH = /^\/2010-04-01\/Accounts\/\w+\/Calls\/(\w+)\.json$/
const RECORDINGS_PATH = /^\/2010-04-01\/Accounts\/\w+\/Calls\/\w+\/Recordings/

/** A call that the server has placed; it rings. */
export interface PlacedCall {
  callSid: string
  fields: Record<string, unknown>
}

export class TwilioCarrier {
  readonly rest: CarrierRest
  readonly authToken = AUTH_TOKEN
  /** Keys that the server had pressed. */
  readonly digitsHeard: string[] = []
  /** Numbers that calls were transferred to, with the TwiML that said so. */
  readonly transfers: string[] = []
  readonly placed: PlacedCall[] = []
  readonly #calls = new Map<string, { call: TwilioCall; options: CallerOptions }>()
  /** Another stream of a call has been opened. */
  onStream: (call: TwilioCall) => void = () => undefined

  static async open(): Promise<TwilioCarrier> {
    let carrier: TwilioCarrier | null = null
    const rest = await CarrierRest.open(
      (request) => carrier?.answer(request) ?? { status: 503, body: 'starting' },
    )
    carrier = new TwilioCarrier(rest)
    return carrier
  }

  private constructor(rest: CarrierRest) {
    this.rest = rest
  }

  /** The environment of a server that belongs to this account. */
  get env(): Record<string, string> {
    return {
      TWILIO_ACCOUNT_SID: RIG_ACCOUNT,
      TWILIO_AUTH_TOKEN: AUTH_TOKEN,
      TWILIO_API_BASE_URL: this.rest.url,
    }
  }

  /** Lets the server change this call. */
  join(call: TwilioCall, options: CallerOptions): void {
    this.#calls.set(call.identity.callSid, { call, options })
  }

  /** The person called picks up: Twilio asks the server for TwiML. */
  async pickUp({ callSid, fields }: PlacedCall, options: CallerOptions): Promise<TwilioCall> {
    const path = new URL(String(fields['Url'])).pathname
    const form = {
      AccountSid: RIG_ACCOUNT,
      CallSid: callSid,
      CallStatus: 'in-progress',
      Direction: 'outbound-api',
    }
    const answer = await postForm(options, path, form)
    const call = await TwilioCall.connect(options, newIdentity(callSid), answer.body)
    this.join(call, options)
    return call
  }

  close(): Promise<void> {
    return this.rest.close()
  }

  answer({ path, body }: RestRequest): RestAnswer {
    if (path.endsWith('/Calls.json')) {
      const callSid = `CA${randomBytes(16).toString('hex')}`
      this.placed.push({ callSid, fields: body })
      return { status: 201, body: { sid: callSid, status: 'queued' } }
    }
    if (RECORDINGS_PATH.test(path)) {
      const sid = `RE${randomBytes(16).toString('hex')}`
      return { status: path.endsWith('/Recordings.json') ? 201 : 200, body: { sid } }
    }
    const callSid = CALL_PATH.exec(path)?.[1] ?? ''
    const known = this.#calls.get(callSid)
    if (!known || known.call.isOver) {
      return { status: 404, body: { code: 20_404, message: `${path} was not found`, status: 404 } }
    }
    if (body['Status'] === 'completed') setImmediate(() => known.call.endedByServer())
    const twiml = body['Twiml']
    if (typeof twiml === 'string') setImmediate(() => void this.#run(known, twiml))
    return { status: 200, body: { sid: callSid, status: 'in-progress' } }
  }

  async #run(
    { call, options }: { call: TwilioCall; options: CallerOptions },
    twiml: string,
  ): Promise<void> {
    await call.leave()
    const verbs = parseTwiml(twiml)
    for (const verb of verbs) if (verb.kind === 'play') this.digitsHeard.push(verb.digits)
    if (verbs.some((verb) => verb.kind === 'other' && verb.name === 'Dial'))
      this.transfers.push(twiml)
    if (!verbs.some((verb) => verb.kind === 'stream')) return
    const identity = newIdentity(call.identity.callSid)
    const next = await TwilioCall.connect(options, identity, twiml)
    this.join(next, options)
    this.onStream(next)
  }
}
