/** Paths below /dashboard: the server answers each with index.html, the page shows what the path names. Pure. */

export type Route =
  | { page: 'simulator' }
  | { page: 'calls' }
  | { page: 'call'; id: string }
  | { page: 'agent' }
  | { page: 'status' }
  | { page: 'missing' }

export const BASE = '/dashboard'

export function routeOf(pathname: string): Route {
  const path = pathname.replace(/^\/dashboard\/?/, '')
  const [page = '', id, ...rest] = path.split('/').filter(Boolean)
  if (rest.length > 0) return { page: 'missing' }
  if (page === '' || (page === 'simulator' && !id)) return { page: 'simulator' }
  if (page === 'calls') return id ? { page: 'call', id } : { page: 'calls' }
  if ((page === 'agent' || page === 'status') && !id) return { page }
  return { page: 'missing' }
}
