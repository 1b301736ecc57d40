/** The call list's state: filters and page survive a visit to one call; the list refreshes itself while it is shown. */
import { api } from '../api/client.ts'
import type { CallRow } from '../api/types.ts'
import { errorText } from '../language/language.svelte.ts'

const REFRESH_MS = 5_000
const SEARCH_PAUSE_MS = 300

class CallList {
  page = $state(1)
  limit = $state(20)
  carrier = $state('')
  status = $state('')
  search = $state('')
  items = $state.raw<CallRow[]>([])
  total = $state(0)
  loaded = $state(false)
  failure = $state('')
  selected = $state.raw<readonly string[]>([])

  filtered = $derived(this.carrier !== '' || this.status !== '' || this.search.trim() !== '')
  pages = $derived(Math.max(1, Math.ceil(this.total / this.limit)))
  #searchTimer: ReturnType<typeof setTimeout> | undefined
  /** Answers may overtake each other; only the newest request may fill the list. */
  #request = 0

  async load(): Promise<void> {
    const request = ++this.#request
    const { page, limit, carrier, status, search } = this
    try {
      const answer = await api.calls({ page, limit, carrier, status, search })
      if (request !== this.#request) return
      this.items = answer.items
      this.total = answer.total
      this.failure = ''
      this.loaded = true
    } catch (error) {
      if (request === this.#request) this.failure = errorText(error)
    }
  }

  watch(): () => void {
    void this.load()
    const timer = setInterval(() => {
      if (!document.hidden) void this.load()
    }, REFRESH_MS)
    return () => clearInterval(timer)
  }

  /** After any filter changed: back to the first page, and nothing selected out of sight. */
  filter(): void {
    this.page = 1
    this.selected = []
    void this.load()
  }

  searchSoon(): void {
    clearTimeout(this.#searchTimer)
    this.#searchTimer = setTimeout(() => this.filter(), SEARCH_PAUSE_MS)
  }

  clearFilters(): void {
    this.carrier = this.status = this.search = ''
    this.filter()
  }

  go(page: number): void {
    this.page = Math.min(Math.max(1, page), this.pages)
    this.selected = []
    void this.load()
  }

  toggle(id: string): void {
    const { selected } = this
    this.selected = selected.includes(id)
      ? selected.filter((other) => other !== id)
      : [...selected, id]
  }

  /** Live calls cannot be deleted, so they are not selected either. */
  toggleAll(): void {
    const ids = this.items.filter(({ status }) => status === 'ended').map(({ id }) => id)
    this.selected = this.allSelected ? [] : ids
  }

  get allSelected(): boolean {
    const ended = this.items.filter(({ status }) => status === 'ended')
    return ended.length > 0 && ended.every(({ id }) => this.selected.includes(id))
  }

  async deleteSelected(): Promise<void> {
    try {
      await api.deleteCalls([...this.selected])
      this.selected = []
      await this.load()
      if (this.page > this.pages) this.go(this.pages)
    } catch (error) {
      this.failure = errorText(error)
    }
  }
}

export const callList = new CallList()
