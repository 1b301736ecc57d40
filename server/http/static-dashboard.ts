/**
 * Serves the built dashboard.
 *
 * Files under assets/ carry a hash in their name and are kept for ever; everything else is asked for again each time (304 when
 * unchanged), so that a new version shows at once. An address without a file is one of the app's own pages: index.html.
 */
import { fileURLToPath } from 'node:url'
import Router from '@koa/router'
import { send } from '@koa/send'
import { RequestError } from '../errors.ts'
import type { HttpContext, HttpState } from './http-state.ts'

const DEFAULT_DIR = fileURLToPath(new URL('../../dashboard/dist', import.meta.url))
const YEAR_MS = 365 * 24 * 3_600_000

export function dashboardRouter(root: string = DEFAULT_DIR): Router<HttpState> {
  const router = new Router<HttpState>()
  router.use((ctx, next) => {
    ctx.state.route = 'dashboard'
    return next()
  })
  router.get('/', (ctx) => ctx.redirect('/dashboard/'))
  router.get('/dashboard', (ctx) => page(ctx, root))
  router.get('/dashboard/{*file}', async (ctx) => {
    const file = ctx.path.slice('/dashboard/'.length)
    const isFile = /\.[A-Za-z0-9]+$/.test(file)
    if (!isFile) return page(ctx, root)
    const hashed = file.startsWith('assets/')
    if (!hashed) ctx.set('Cache-Control', 'no-cache')
    await send(ctx, file, { root, maxage: hashed ? YEAR_MS : 0, immutable: hashed })
    notModified(ctx)
  })
  return router
}

async function page(ctx: HttpContext, root: string): Promise<void> {
  ctx.set('Cache-Control', 'no-cache')
  try {
    await send(ctx, 'index.html', { root })
  } catch (error) {
    throw new RequestError(503, 'DASHBOARD_MISSING', 'The dashboard has not been built.', {
      hint: 'Run: npm run build',
      cause: error,
    })
  }
  notModified(ctx)
}

/** The client has this very file: say so and close it. */
function notModified(ctx: HttpContext): void {
  if (ctx.status !== 200 || !ctx.fresh) return
  ctx.status = 304
  ctx.body = null
}
