/** The page's place in the dashboard: link clicks and the back button change it, a guard may refuse to leave. */
import { BASE, routeOf } from './route.ts'

export { BASE } from './route.ts'
export type { Route } from './route.ts'

class Router {
  path = $state(location.pathname)
  route = $derived(routeOf(this.path))
  /** Asked before leaving a page; false keeps the user where they are. */
  guard: (() => boolean) | null = null

  constructor() {
    addEventListener('popstate', () => (this.path = location.pathname))
    addEventListener('click', (event) => this.#follow(event))
  }

  go(path: string): void {
    if (path === location.pathname) return
    if (this.guard && !this.guard()) return
    history.pushState(null, '', path)
    this.path = path
    scrollTo(0, 0)
  }

  /** Plain clicks on links into the dashboard stay in this page. */
  #follow(event: MouseEvent): void {
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (!plain || event.defaultPrevented || !link || link.target || link.hasAttribute('download'))
      return
    if (link.origin !== location.origin || !link.pathname.startsWith(BASE)) return
    event.preventDefault()
    this.go(link.pathname)
  }
}

export const router = new Router()
