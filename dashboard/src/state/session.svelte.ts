/** Whether this browser is signed in. The key itself is sent once and never kept: the cookie is httpOnly. */
import { api, whenUnauthorized } from '../api/client.ts'

class Session {
  state = $state<'unknown' | 'in' | 'out' | 'unreachable'>('unknown')
  /** True when a request was refused although the page believed to be signed in. */
  expired = $state(false)

  constructor() {
    whenUnauthorized(() => {
      this.expired = this.state === 'in'
      this.state = 'out'
    })
  }

  async check(): Promise<void> {
    try {
      this.state = (await api.session()).signedIn ? 'in' : 'out'
    } catch (error) {
      const status = error instanceof Error && 'status' in error ? error.status : 0
      this.state = status === 401 ? 'out' : 'unreachable'
    }
  }

  /** @throws ApiError 401 for a wrong key */
  async signIn(key: string): Promise<void> {
    await api.signIn(key)
    this.expired = false
    this.state = 'in'
  }

  async signOut(): Promise<void> {
    try {
      await api.signOut()
    } finally {
      this.state = 'out'
    }
  }
}

export const session = new Session()
