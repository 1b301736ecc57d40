/** Sign-in of the dashboard: exchanges the API key for a cookie that scripts cannot read. */
import { z } from 'zod'
import { RequestError } from '../errors.ts'
import { isSecure, type Access } from './access.ts'
import type { AppDeps } from './app-deps.ts'
import { addressKey, type RateLimits } from './rate-limits.ts'
import { route, type Route } from './route.ts'
import { sessionHeader, signSession } from './session-cookie.ts'

const credentials = z.strictObject({ key: z.string().trim().min(1).max(500) })

export function sessionRoutes(deps: AppDeps, access: Access, limits: RateLimits): Route[] {
  const nowMs = deps.nowMs ?? Date.now
  return [
    route({
      method: 'POST',
      path: '/api/v1/session',
      summary: 'Sign in: sets the cookie andrea_session for 12 hours',
      tag: 'session',
      access: 'login',
      body: credentials,
      answer: { status: 204, description: 'Signed in' },
      errors: [401],
      async respond({ body, ctx }) {
        access.requireSameOrigin(ctx, { strict: false })
        const owner = await access.ownerOf(body.key)
        if (owner === null) {
          throw new RequestError(401, 'WRONG_KEY', 'This key is not valid.', {
            field: 'key',
            hint: 'The key was printed at the first start, or is ADMIN_API_KEY.',
          })
        }
        await limits.forgive('login', addressKey(ctx.ip))
        const value = signSession(owner, deps.sessionSecret, nowMs())
        const secure = isSecure(ctx, deps.config.publicUrl)
        ctx.append('Set-Cookie', sessionHeader(value, { secure }))
      },
    }),
    route({
      method: 'GET',
      path: '/api/v1/session',
      summary: 'Whether the cookie or key is valid',
      tag: 'session',
      access: 'key',
      answer: {
        status: 200,
        description: 'Signed in',
        json: z.object({ signedIn: z.literal(true), name: z.string() }),
      },
      respond: ({ ctx }) => ({ signedIn: true as const, name: ctx.state.identity?.name ?? '' }),
    }),
    route({
      method: 'DELETE',
      path: '/api/v1/session',
      summary: 'Sign out: removes the cookie',
      tag: 'session',
      access: 'key',
      answer: { status: 204, description: 'Signed out' },
      respond({ ctx }) {
        const secure = isSecure(ctx, deps.config.publicUrl)
        ctx.append('Set-Cookie', sessionHeader('', { secure }))
      },
    }),
  ]
}
