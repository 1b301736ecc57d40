/**
 * Telnyx's REST side of a call, through the official SDK, for one account.
 *
 * Every command carries a command_id, and Telnyx ignores the second of two with the same one: a command whose answer was lost
 * is simply sent again. Only calls out are not protected by it, because a new call has no id yet.
 * The SDK's own retries are off: it obeys any Retry-After, and cannot be stopped while it waits.
 *
 * A transfer is made of legs, which telnyx-transfer.ts follows until both people hear each other.
 */
import { randomUUID } from 'node:crypto'
import type { Telnyx } from 'telnyx'
import type { TelnyxAccount } from '../carrier-accounts.ts'
import {
  isCallGone,
  type Dial,
  type LineControl,
  type RecordingAction,
  type StreamInvite,
  type Transfer,
} from './carrier.ts'
import { attempt, failureKind, property, type Failure, type RestDialect } from './rest.ts'
import { telnyxRateHz } from './telnyx-media.ts'
import { TelnyxTransfers, type LegReport } from './telnyx-transfer.ts'

/** Telnyx advises to ask again after half a second without an answer; three are generous. */
const TIMEOUT_MS = 3_000
/** 90018: the call has ended. 10005 and 404: there is none of that id. */
const GONE = new Set(['90018', '10005'])

const CURES: Record<string, string | undefined> = {
  10009: 'Check TELNYX_API_KEY: Keys & Credentials in the portal.',
  401: 'Check TELNYX_API_KEY: Keys & Credentials in the portal.',
  10010:
    'The key may not do this: look at its permissions and at the account’s verification level.',
  10011: 'Wait a moment and try again; the account makes too many requests.',
  10015: 'Check TELNYX_CONNECTION_ID: the id of the Voice API application.',
  10016: 'Write numbers in E.164, e.g. +525512345678; TELNYX_FROM must be one of your numbers.',
  90041: 'The account has reached its limit of calls at once; verify it, or raise the limit.',
}

export const TELNYX_DIALECT: RestDialect = {
  carrier: 'Telnyx',
  read(error): Failure {
    const status = property(error, 'status')
    const first = (property(property(error, 'error'), 'errors') as unknown[] | undefined)?.[0]
    const code = property(first, 'code')
    const detail = property(first, 'detail') ?? property(first, 'title')
    const text = typeof detail === 'string' ? detail : error instanceof Error ? error.message : ''
    const known = code === undefined ? null : String(code)
    if (known !== null && GONE.has(known)) return { kind: 'gone', code: known, text }
    const network = property(property(property(error, 'cause'), 'cause'), 'code')
    const cause = network ?? property(property(error, 'cause'), 'code')
    const fallback = typeof status === 'number' ? String(status) : null
    return { kind: failureKind(status, cause), code: known ?? fallback, text }
  },
  cure: (code) => (code === null ? null : (CURES[code] ?? null)),
}

export interface TelnyxLineOptions {
  account: TelnyxAccount
  baseUrl(): string
}

export class TelnyxLine implements LineControl {
  readonly digitsReplaceStream = false
  readonly #options: TelnyxLineOptions
  readonly #transfers: TelnyxTransfers
  #client: Telnyx | null = null

  constructor(options: TelnyxLineOptions) {
    this.#options = options
    this.#transfers = new TelnyxTransfers({
      dial: (leg) => this.#dialLeg(leg),
      speak: async (legId, { text, language }) => {
        const body = { payload: text, language: language as 'es-MX', voice: 'female' }
        await this.#command('announce the call', (client, command) =>
          client.calls.actions.speak(legId, { ...body, ...command }),
        )
      },
      bridge: async (legId, otherId) => {
        await this.#command('connect the two', (client, command) =>
          client.calls.actions.bridge(legId, {
            call_control_id_to_bridge_with: otherId,
            ...command,
          }),
        )
      },
      hangup: (legId) => this.hangup(legId),
    })
  }

  async hangup(carrierCallId: string): Promise<void> {
    try {
      await this.#command('hang up', (client, command) =>
        client.calls.actions.hangup(carrierCallId, command),
      )
    } catch (error) {
      if (!isCallGone(error)) throw error
    }
  }

  async reject(carrierCallId: string): Promise<void> {
    try {
      await this.#command('reject', (client, command) =>
        client.calls.actions.reject(carrierCallId, { ...command, cause: 'USER_BUSY' }),
      )
    } catch (error) {
      if (!isCallGone(error)) throw error
    }
  }

  async answer(carrierCallId: string): Promise<void> {
    await this.#command('answer', (client, command) =>
      client.calls.actions.answer(carrierCallId, {
        ...command,
        webhook_url: this.#webhookUrl(),
        send_silence_when_idle: true,
      }),
    )
  }

  /** Audio both ways in one codec. Without mode rtp Telnyx expects MP3 files of us, and plays nothing else. */
  readonly openStream = async (carrierCallId: string, invite: StreamInvite): Promise<void> => {
    const { codec } = this.#options.account
    await this.#command('open the media stream', (client, command) =>
      client.calls.actions.startStreaming(carrierCallId, {
        ...command,
        stream_url: invite.url,
        stream_track: 'inbound_track',
        stream_codec: codec,
        stream_bidirectional_mode: 'rtp',
        stream_bidirectional_codec: codec,
        stream_bidirectional_sampling_rate: telnyxRateHz(codec),
        stream_bidirectional_target_legs: 'self',
      }),
    )
  }

  /** Resolves when both people hear each other, rejects when the other cannot be reached: the user stays with us. */
  async transfer(carrierCallId: string, transfer: Transfer): Promise<void> {
    await this.#transfers.begin(carrierCallId, transfer)
    try {
      await this.#command('stop the stream', (client, command) =>
        client.calls.actions.stopStreaming(carrierCallId, command),
      )
    } catch (error) {
      // The two are connected; a stream that is still there ends with our socket.
      if (!isCallGone(error)) return
    }
  }

  /** What Telnyx tells of a leg that a transfer has dialled. */
  legReported(report: LegReport): void {
    this.#transfers.reported(report)
  }

  async sendDigits(carrierCallId: string, digits: string): Promise<void> {
    await this.#command('send digits', (client, command) =>
      client.calls.actions.sendDtmf(carrierCallId, { digits, ...command }),
    )
  }

  async record(carrierCallId: string, action: RecordingAction): Promise<void> {
    const what = action === 'start' ? 'start recording' : `${action} the recording`
    await this.#command(what, ({ calls: { actions } }, command) => {
      if (action === 'start') {
        const form = { channels: 'dual', format: 'wav', recording_track: 'both' } as const
        return actions.startRecording(carrierCallId, { ...form, ...command })
      }
      if (action === 'stop') return actions.stopRecording(carrierCallId, command)
      if (action === 'pause') return actions.pauseRecording(carrierCallId, command)
      return actions.resumeRecording(carrierCallId, command)
    })
  }

  async suppressNoise(carrierCallId: string): Promise<void> {
    await this.#command('suppress noise', (client, command) =>
      client.calls.actions.startNoiseSuppression(carrierCallId, {
        direction: 'inbound',
        ...command,
      }),
    )
  }

  async dial({ callId, to, from, detectMachine, ringSec }: Dial): Promise<string> {
    return await this.#place({
      to,
      from,
      timeout_secs: ringSec,
      client_state: clientState({ call: callId }),
      ...(detectMachine ? { answering_machine_detection: 'premium' } : {}),
    })
  }

  async #dialLeg(leg: {
    to: string
    from: string
    callId: string
    linkTo: string
  }): Promise<string> {
    return await this.#place({
      to: leg.to,
      from: leg.from,
      timeout_secs: 30,
      link_to: leg.linkTo,
      client_state: clientState({ transferOf: leg.callId }),
    })
  }

  async #place(call: Record<string, unknown> & { to: string; from: string }): Promise<string> {
    const client = await this.#connect()
    const body = {
      ...call,
      connection_id: this.#options.account.connectionId ?? '',
      webhook_url: this.#webhookUrl(),
      command_id: randomUUID(),
    }
    const secrets = [this.#options.account.apiKey]
    const placing = { what: 'place the call', repeatable: false, quote: true, secrets }
    const answer = await attempt(TELNYX_DIALECT, placing, () => client.calls.dial(body))
    return answer.data?.call_control_id ?? ''
  }

  async #command(
    what: string,
    send: (client: Telnyx, command: { command_id: string }) => Promise<unknown>,
  ): Promise<void> {
    const client = await this.#connect()
    const command = { command_id: randomUUID() }
    const commanding = { what, repeatable: true, quote: false }
    await attempt(TELNYX_DIALECT, commanding, () => send(client, command))
  }

  #webhookUrl(): string {
    return `${this.#options.baseUrl()}/api/v1/telnyx/call-control`
  }

  async #connect(): Promise<Telnyx> {
    if (this.#client) return this.#client
    const { default: Client } = await import('telnyx')
    const { apiKey, apiBaseUrl } = this.#options.account
    this.#client = new Client({
      apiKey,
      timeout: TIMEOUT_MS,
      maxRetries: 0,
      ...(apiBaseUrl === null ? {} : { baseURL: apiBaseUrl }),
    })
    return this.#client
  }
}

/** What comes back with every webhook of the leg: whose it is. Telnyx takes base64 only. */
export function clientState(state: { call: string } | { transferOf: string }): string {
  return Buffer.from(JSON.stringify(state)).toString('base64')
}
