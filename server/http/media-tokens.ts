/**
 * Media tokens: whoever opens a media stream shows one, so that only calls that we invited reach the audio path.
 *
 *   POST /media-tokens, Twilio webhook ─► issue() ─► URL or <Parameter> ─► WebSocket ─► take()
 *
 * A WebSocket upgrade carries neither our API key (browsers cannot set headers on it) nor Twilio's form, and a signature can
 * be replayed. A token works once, for 60 s.
 *
 * Invariants: at most TOKENS_MAX live tokens, the oldest gives way; no clock of its own.
 */
import { randomBytes } from 'node:crypto'
import type { CarrierName } from '../carriers/carrier.ts'

export interface MediaClaims {
  client: CarrierName
  callId?: string
  agentId?: string
  carrierCallId?: string
  account?: string | null
}

export const TOKEN_LIFE_MS = 60_000
export const TOKENS_MAX = 10_000
const TOKEN_BYTES = 24

interface Issued {
  claims: MediaClaims
  expiresAtMs: number
}

export class MediaTokens {
  /** In order of issue, hence of expiry. */
  readonly #issued = new Map<string, Issued>()
  #dropped = 0

  /** Tokens that may still be taken or are not yet swept. */
  get size(): number {
    return this.#issued.size
  }

  /** Tokens that were pushed out unused by newer ones. */
  get dropped(): number {
    return this.#dropped
  }

  /** 32 characters, safe in a URL. */
  issue(claims: MediaClaims, nowMs: number): string {
    this.#sweep(nowMs)
    const token = randomBytes(TOKEN_BYTES).toString('base64url')
    this.#issued.set(token, { claims, expiresAtMs: nowMs + TOKEN_LIFE_MS })
    return token
  }

  /** The claims, once; null for a token that is unknown, used or older than 60 s. */
  take(token: string, nowMs: number): MediaClaims | null {
    const issued = this.#issued.get(token)
    if (issued === undefined) return null
    this.#issued.delete(token)
    return nowMs < issued.expiresAtMs ? issued.claims : null
  }

  /** The claims of a token that stays in circulation. */
  peek(token: string): MediaClaims | null {
    return this.#issued.get(token)?.claims ?? null
  }

  #sweep(nowMs: number): void {
    for (const [token, issued] of this.#issued) {
      const expired = nowMs >= issued.expiresAtMs
      if (!expired && this.#issued.size < TOKENS_MAX) return
      if (!expired) this.#dropped += 1
      this.#issued.delete(token)
    }
  }
}
