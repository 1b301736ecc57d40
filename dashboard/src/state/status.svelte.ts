/** The server's status, shared by every page that shows it, and refreshed only while one of them is on screen. */
import { api } from '../api/client.ts'
import type { ServerStatus } from '../api/types.ts'

class StatusFeed {
  value = $state.raw<ServerStatus | null>(null)
  failed = $state(false)

  async refresh(): Promise<void> {
    try {
      this.value = await api.status()
      this.failed = false
    } catch (error) {
      this.failed = true
      console.warn('status is not available', error)
    }
  }

  /** Refreshes now and then every `periodMs`; the returned function stops. */
  watch(periodMs: number): () => void {
    void this.refresh()
    const timer = setInterval(() => {
      if (!document.hidden) void this.refresh()
    }, periodMs)
    return () => clearInterval(timer)
  }
}

export const status = new StatusFeed()
