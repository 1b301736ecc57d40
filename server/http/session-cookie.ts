/**
 * Session cookie: lets the dashboard work without keeping the API key in the browser's reach.
 *
 *   andrea_session = base64url({"id","name","exp"}) "." base64url(HMAC-SHA256 of it)
 *
 * Nothing is stored on the server: a session is what we signed and has not expired. Signing out removes the cookie; changing
 * the secret (delete DATA_DIR/session.key and start again) ends all sessions.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { loadKeyFile } from '../key-file.ts'

export const SESSION_COOKIE = 'andrea_session'
/** One working day and its overtime. */
export const SESSION_LIFE_MS = 12 * 3_600_000
/** What we sign is about 150 characters; longer is not ours. */
const COOKIE_MAX_CHARACTERS = 1_000

const claimsShape = z.object({ id: z.string(), name: z.string(), exp: z.number() })

export interface SessionOwner {
  id: string
  name: string
}

/** The cookie's value for a session of 12 hours from `nowMs`. */
export function signSession(owner: SessionOwner, secret: Uint8Array, nowMs: number): string {
  const claims = { id: owner.id, name: owner.name, exp: nowMs + SESSION_LIFE_MS }
  const text = Buffer.from(JSON.stringify(claims)).toString('base64url')
  return `${text}.${mac(text, secret).toString('base64url')}`
}

/** Who the session belongs to, or null when it is not ours, was changed or has expired. */
export function readSession(value: string, secret: Uint8Array, nowMs: number): SessionOwner | null {
  if (value.length > COOKIE_MAX_CHARACTERS) return null
  const [text, signature, ...rest] = value.split('.')
  if (text === undefined || signature === undefined || rest.length > 0) return null
  const expected = mac(text, secret)
  const given = Buffer.from(signature, 'base64url')
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null
  const claims = claimsShape.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString()))
  if (!claims.success || claims.data.exp <= nowMs) return null
  return { id: claims.data.id, name: claims.data.name }
}

/** The Set-Cookie header; an empty value removes the cookie. */
export function sessionHeader(value: string, options: { secure: boolean }): string {
  const seconds = value === '' ? 0 : SESSION_LIFE_MS / 1_000
  return (
    `${SESSION_COOKIE}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict` +
    (options.secure ? '; Secure' : '')
  )
}

function mac(text: string, secret: Uint8Array): Buffer {
  return createHmac('sha256', secret).update(text).digest()
}

/**
 * The signing secret of this data directory; made at the first start, readable by the owner only.
 *
 * @throws ConfigError SESSION_SECRET_UNUSABLE when the file cannot be read or written, or was cut short
 */
export function loadSessionSecret(dataDir: string): Promise<Uint8Array> {
  return loadKeyFile(dataDir, { name: 'session.key', code: 'SESSION_SECRET_UNUSABLE' })
}
