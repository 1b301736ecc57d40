/** What the middleware learns about a request and hands on in `ctx.state`. */
import type { RouterContext } from '@koa/router'

export interface Identity {
  /** The API key's id. */
  id: string
  name: string
  /** How the client proved it. */
  via: 'key' | 'session'
}

export interface HttpState {
  requestId: string
  /** null until access.ts has let the request in, and on open routes. */
  identity: Identity | null
  /** The route's pattern, for metrics: a closed list. */
  route: string
  /** What was uploaded, on routes that take a file. */
  upload?: Uint8Array
}

export type HttpContext = RouterContext<HttpState>

/** Scheme and host under which the client reached us. Not `ctx.origin`: in Koa 3 that is the Origin header, the client's claim. */
export function ownOrigin(ctx: Pick<HttpContext, 'protocol' | 'host'>): string {
  return `${ctx.protocol}://${ctx.host}`
}
