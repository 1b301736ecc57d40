/**
 * Access: decides who may use a route.
 *
 *   X-API-Key ──► config's key, or the store's hash ──┐
 *                                                     ├─► ctx.state.identity ─► rate limit per key
 *   cookie ─► signature, expiry ─► same origin? ──────┘
 *
 * A browser adds the cookie by itself, also to requests that another site makes it send; so whatever changes something and
 * comes with the cookie must name us as its Origin. A key in a header is nobody's reflex and needs no such check.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { ParameterizedContext } from 'koa'
import { RequestError } from '../errors.ts'
import { verifyKey } from '../store/api-keys.ts'
import type { AppDeps } from './app-deps.ts'
import { ownOrigin, type HttpContext, type HttpState, type Identity } from './http-state.ts'
import { addressKey, type RateLimits } from './rate-limits.ts'
import { readSession, SESSION_COOKIE } from './session-cookie.ts'

/** A key that was right a minute ago is right now: spares the store a query per request. */
const KNOWN_KEY_LIFE_MS = 60_000
const KNOWN_KEYS_MAX = 1_000
const KEY_MAX_CHARACTERS = 500
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

export class Access {
  readonly #deps: Pick<AppDeps, 'config' | 'db' | 'sessionSecret'>
  readonly #limits: RateLimits
  readonly #nowMs: () => number
  /** By the key's digest, oldest first. */
  readonly #known = new Map<string, { owner: { id: string; name: string }; untilMs: number }>()

  constructor(
    deps: Pick<AppDeps, 'config' | 'db' | 'sessionSecret' | 'nowMs'>,
    limits: RateLimits,
  ) {
    this.#deps = deps
    this.#limits = limits
    this.#nowMs = deps.nowMs ?? Date.now
  }

  /**
   * Lets the request in and says who it is, or throws.
   *
   * @throws RequestError 401 UNAUTHENTICATED, 403 CROSS_ORIGIN, 429 RATE_LIMITED
   */
  async require(ctx: HttpContext): Promise<void> {
    const identity = (await this.#byKey(ctx)) ?? this.#bySession(ctx)
    if (identity === null) {
      throw new RequestError(
        401,
        'UNAUTHENTICATED',
        'This address needs an API key or a session.',
        {
          hint: 'Send the key in the header X-API-Key, or sign in at /dashboard.',
        },
      )
    }
    ctx.state.identity = identity
    await this.#limits.count('api', identity.id, ctx)
  }

  /** Who owns `key`; null when nobody does. */
  async ownerOf(key: string): Promise<{ id: string; name: string } | null> {
    if (key === '' || key.length > KEY_MAX_CHARACTERS) return null
    const digest = createHash('sha256').update(key).digest()
    const configured = this.#deps.config.adminApiKey
    if (configured !== null) {
      const expected = createHash('sha256').update(configured).digest()
      if (timingSafeEqual(digest, expected)) return { id: 'admin', name: 'admin' }
    }
    const name = digest.toString('base64')
    const known = this.#known.get(name)
    if (known !== undefined && this.#nowMs() < known.untilMs) return known.owner
    this.#known.delete(name)
    const owner = await verifyKey(this.#deps.db, key)
    if (owner !== null) this.#remember(name, { id: owner.id, name: owner.name })
    return owner
  }

  #remember(name: string, owner: { id: string; name: string }): void {
    const oldest = this.#known.keys().next()
    if (this.#known.size >= KNOWN_KEYS_MAX && !oldest.done) this.#known.delete(oldest.value)
    this.#known.set(name, { owner, untilMs: this.#nowMs() + KNOWN_KEY_LIFE_MS })
  }

  async #byKey(ctx: HttpContext): Promise<Identity | null> {
    const key = ctx.get('X-API-Key')
    if (key === '') return null
    const address = addressKey(ctx.ip)
    await this.#limits.check('wrongKey', address, ctx)
    const owner = await this.ownerOf(key)
    if (owner === null) {
      await this.#limits.count('wrongKey', address, ctx)
      throw new RequestError(401, 'UNAUTHENTICATED', 'This API key is not valid.')
    }
    return { ...owner, via: 'key' }
  }

  #bySession(ctx: HttpContext): Identity | null {
    const cookie = ctx.cookies.get(SESSION_COOKIE)
    if (cookie === undefined) return null
    const owner = readSession(cookie, this.#deps.sessionSecret, this.#nowMs())
    if (owner === null) return null
    if (!SAFE_METHODS.has(ctx.method)) this.requireSameOrigin(ctx, { strict: true })
    return { ...owner, via: 'session' }
  }

  /** @throws RequestError 403 CROSS_ORIGIN when another site sent the request; `strict` also refuses a missing Origin */
  requireSameOrigin(ctx: HttpContext, options: { strict: boolean }): void {
    const origin = ctx.get('Origin')
    if (origin === '' && !options.strict) return
    const own = [
      ownOrigin(ctx),
      ...(this.#deps.config.publicUrl === null
        ? []
        : [new URL(this.#deps.config.publicUrl).origin]),
    ]
    if (own.includes(origin)) return
    throw new RequestError(403, 'CROSS_ORIGIN', 'The request comes from another site.', {
      hint: 'Use the dashboard of this server, or an API key. Behind a proxy set PUBLIC_URL.',
    })
  }
}

/** True when the browser reached us over TLS, as far as we can know. */
export function isSecure(ctx: ParameterizedContext<HttpState>, publicUrl: string | null): boolean {
  if (ctx.secure) return true
  const known = publicUrl === null ? null : new URL(publicUrl)
  return known !== null && known.protocol === 'https:' && known.host === ctx.host
}
