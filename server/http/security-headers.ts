/**
 * Security headers: what a browser may do with our pages.
 *
 * 'self' in connect-src covers the media WebSocket too (same host, ws or wss). The microphone is allowed to ourselves alone.
 * Nothing forces TLS unless PUBLIC_URL has it: on http://127.0.0.1 such a header would lock people out.
 */
import type { Middleware } from 'koa'
import helmet from 'koa-helmet'
import type { HttpState } from './http-state.ts'

const CONTENT_POLICY = {
  defaultSrc: ["'self'"],
  // Worklets are files of their own, so no blob: and no data: here.
  scriptSrc: ["'self'"],
  workerSrc: ["'self'"],
  connectSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  mediaSrc: ["'self'", 'blob:'],
  fontSrc: ["'self'", 'data:'],
  // Charts and Swagger UI set style attributes.
  styleSrc: ["'self'", "'unsafe-inline'"],
  objectSrc: ["'none'"],
  baseUri: ["'self'"],
  formAction: ["'self'"],
  frameAncestors: ["'none'"],
}

export function securityHeaders(publicUrl: string | null): Middleware<HttpState>[] {
  const tls = publicUrl?.startsWith('https://') === true
  return [
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: CONTENT_POLICY },
      strictTransportSecurity: tls ? { maxAge: 15_552_000 } : false,
      // Without TLS browsers ignore it and complain in the console.
      crossOriginOpenerPolicy: tls,
      originAgentCluster: tls,
      referrerPolicy: { policy: 'same-origin' },
    }),
    async (ctx, next) => {
      ctx.set('Permissions-Policy', 'microphone=(self), camera=(), geolocation=()')
      await next()
    },
  ]
}
