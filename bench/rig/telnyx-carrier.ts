/**
 * A Telnyx of one's own: an account with a key pair, signed webhooks, and the REST endpoint for the server's SDK.
 *
 *   rig ─► POST /telnyx/call-control (Ed25519, odd spacing) ─► server ─► SDK ─► POST /v2/calls/{id}/actions/… ─► rig
 *
 * Strict where Telnyx is: base64 client_state, no stream before the answer, 90018 after the end, a command_id counts once.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomUUID,
  sign,
  type KeyObject,
} from 'node:crypto'
import { CarrierRest, type RestAnswer, type RestRequest } from './carrier-rest.ts'

export interface TelnyxWebhookTarget {
  /** Where the server listens. */
  server: string
  /** False posts without a signature. */
  signed: boolean
}

/** What the account tells a call of its own about a command. */
export interface TelnyxLeg {
  callControlId: string
  isAnswered: boolean
  isOver: boolean
  command(action: string, body: Record<string, unknown>): void
  /** Joined with another leg. */
  bridged?(otherId: string): void
}

/** PKCS #8 of an Ed25519 key up to its 32 bytes (RFC 8410 section 7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')

export interface TelnyxCarrierOptions {
  /** Of the REST endpoint on this machine; default: any. */
  port?: number
  /** The same key pair for the same words, so that a server can be told once; default: a new one. */
  keySeed?: string
}

export class TelnyxCarrier {
  readonly rest: CarrierRest
  /** Base64 of the raw 32 bytes, as the portal shows it. */
  readonly publicKey: string
  readonly #privateKey: KeyObject
  readonly #legs = new Map<string, TelnyxLeg>()
  readonly #commands = new Set<string>()
  /** Told of every call that the server places; returns its leg. */
  onDial: ((body: Record<string, unknown>) => TelnyxLeg) | null = null

  static async open({ port = 0, keySeed }: TelnyxCarrierOptions = {}): Promise<TelnyxCarrier> {
    let carrier: TelnyxCarrier | null = null
    const rest = await CarrierRest.open(
      (request) => carrier?.answer(request) ?? { status: 503, body: 'starting' },
      port,
    )
    carrier = new TelnyxCarrier(rest, keySeed)
    return carrier
  }

  private constructor(rest: CarrierRest, keySeed?: string) {
    this.rest = rest
    this.#privateKey =
      keySeed === undefined ? generateKeyPairSync('ed25519').privateKey : seededKey(keySeed)
    this.publicKey = createPublicKey(this.#privateKey)
      .export({ type: 'spki', format: 'der' })
      .subarray(-32)
      .toString('base64')
  }

  /** The environment of a server that belongs to this account. */
  get env(): Record<string, string> {
    return {
      TELNYX_API_KEY: 'KEY-of-the-rig',
      TELNYX_PUBLIC_KEY: this.publicKey,
      TELNYX_CONNECTION_ID: '1494404757140276705',
      TELNYX_API_BASE_URL: `${this.rest.url}/v2`,
    }
  }

  join(leg: TelnyxLeg): void {
    this.#legs.set(leg.callControlId, leg)
  }

  /** Commands that reached a leg, by name. */
  commandsOf(callControlId: string): string[] {
    const path = `/v2/calls/${callControlId}/actions/`
    return this.rest.seen
      .map((request) => decodeURIComponent(request.path))
      .flatMap((each) => (each.startsWith(path) ? [each.slice(path.length)] : []))
  }

  /** The headers of a webhook, signed now or at `atSec`. */
  headers(body: string, atSec = Math.floor(Date.now() / 1_000)): Record<string, string> {
    const signed = sign(null, Buffer.from(`${atSec}|${body}`), this.#privateKey)
    return {
      'content-type': 'application/json',
      'telnyx-timestamp': String(atSec),
      'telnyx-signature-ed25519': signed.toString('base64'),
      'user-agent': 'telnyx-webhooks',
    }
  }

  /** Posts an event; the JSON is spaced oddly, so that a server which checks anything but the raw bytes fails. */
  async tell(
    target: TelnyxWebhookTarget,
    type: string,
    payload: Record<string, unknown>,
    id: string = randomUUID(),
  ): Promise<number> {
    const body = eventBody(type, payload, id)
    const headers = target.signed ? this.headers(body) : { 'content-type': 'application/json' }
    const url = `${target.server}/api/v1/telnyx/call-control`
    const answer = await fetch(url, { method: 'POST', headers, body })
    await answer.body?.cancel()
    return answer.status
  }

  close(): Promise<void> {
    return this.rest.close()
  }

  answer({ path, body }: RestRequest): RestAnswer {
    const state = body['client_state']
    if (typeof state === 'string' && Buffer.from(state, 'base64').toString('base64') !== state) {
      return refusal(422, '90015', 'Invalid value for client_state')
    }
    if (path === '/v2/calls') return this.#dial(body)
    const [, id = '', action = ''] = /^\/v2\/calls\/([^/]+)\/actions\/(\w+)$/.exec(path) ?? []
    const leg = this.#legs.get(decodeURIComponent(id))
    if (!leg) return refusal(404, '10005', 'Resource not found')
    if (leg.isOver) return refusal(422, '90018', 'Call has already ended')
    if (action === 'streaming_start' && !leg.isAnswered) {
      return refusal(422, '90034', 'Call not answered yet')
    }
    const command = body['command_id']
    const isNew = typeof command !== 'string' || !this.#commands.has(command)
    if (typeof command === 'string') this.#commands.add(command)
    if (isNew && action === 'bridge') return this.#bridge(leg, body)
    if (isNew) setImmediate(() => leg.command(action, body))
    return { status: 200, body: { data: { result: 'ok' } } }
  }

  #bridge(leg: TelnyxLeg, body: Record<string, unknown>): RestAnswer {
    const other = this.#legs.get(String(body['call_control_id']))
    if (!other) return refusal(404, '10005', 'Resource not found')
    if (other.isOver) return refusal(422, '90018', 'Call has already ended')
    setImmediate(() => {
      leg.command('bridge', body)
      leg.bridged?.(other.callControlId)
      other.bridged?.(leg.callControlId)
    })
    return { status: 200, body: { data: { result: 'ok' } } }
  }

  #dial(body: Record<string, unknown>): RestAnswer {
    if (typeof body['connection_id'] !== 'string' || body['connection_id'] === '') {
      return refusal(422, '10015', 'Invalid value for connection_id (Call Control App ID)')
    }
    const leg = this.onDial?.(body)
    if (!leg) return refusal(422, '10016', 'Phone number must be in +E164 format')
    this.join(leg)
    const data = {
      record_type: 'call',
      call_control_id: leg.callControlId,
      call_leg_id: randomUUID(),
      call_session_id: randomUUID(),
      is_alive: true,
    }
    return { status: 200, body: { data } }
  }
}

export function eventBody(type: string, payload: Record<string, unknown>, id: string): string {
  const data = {
    record_type: 'event',
    event_type: type,
    id,
    occurred_at: new Date().toISOString(),
    payload,
  }
  return ` ${JSON.stringify({ data, meta: { attempt: 1, delivered_to: 'https://andrea.example' } }, null, 3)}\n`
}

function refusal(status: number, code: string, detail: string): RestAnswer {
  return { status, body: { errors: [{ code, title: detail, detail }] } }
}

function seededKey(seed: string): KeyObject {
  const key = Buffer.concat([PKCS8_HEAD, createHash('sha256').update(seed).digest()])
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
}
