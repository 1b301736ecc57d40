/** The price list's state: what is in force, the draft being edited, and what saving said. */
import { api, ApiError } from '../api/client.ts'
import type { Prices, PriceSheet } from '../api/types.ts'
import { errorText } from '../language/language.svelte.ts'
import { SAVED_SHOWN_MS, type SaveState } from './agent-form.svelte.ts'
import { NO_PROBLEMS } from './form.ts'
import { changedPrices, priceProblems } from './prices.ts'

export class PriceForm {
  sheet = $state.raw<PriceSheet | null>(null)
  draft = $state.raw<Prices | null>(null)
  models = $state.raw<string[]>([])
  saveState = $state<SaveState>('clean')
  failure = $state('')
  /** Values the server refused, by path; gone once something is edited. */
  refused = $state.raw<Readonly<Record<string, string>>>({})

  changes = $derived(this.sheet && this.draft ? changedPrices(this.sheet.prices, this.draft) : [])
  changeCount = $derived(this.changes.length)
  problems = $derived(this.draft ? priceProblems(this.draft) : NO_PROBLEMS)
  isComplete = true

  async load(): Promise<void> {
    this.failure = ''
    try {
      const [sheet, models] = await Promise.all([api.prices(), api.models()])
      this.models = models
      this.#adopt(sheet)
    } catch (error) {
      this.failure = errorText(error)
    }
  }

  edit(draft: Prices): void {
    this.draft = draft
    this.refused = {}
    if (this.saveState === 'failed' || this.saveState === 'saved') this.saveState = 'clean'
  }

  discard(): void {
    if (this.sheet) this.#adopt(this.sheet)
  }

  /** The defaults as a draft: they hold once saved. */
  restore(): void {
    if (this.sheet) this.edit(this.sheet.defaults)
  }

  async save(): Promise<void> {
    if (!this.sheet || !this.draft || this.saveState === 'saving') return
    this.saveState = 'saving'
    this.failure = ''
    try {
      const body = { prices: this.draft, baseVersion: this.sheet.version }
      this.#adopt(await api.savePrices(body))
      this.saveState = 'saved'
      setTimeout(() => {
        if (this.saveState === 'saved') this.saveState = 'clean'
      }, SAVED_SHOWN_MS)
    } catch (error) {
      this.#refuse(error)
    }
  }

  #refuse(error: unknown): void {
    const conflict = error instanceof ApiError && error.status === 409
    this.saveState = conflict ? 'conflict' : 'failed'
    if (conflict) return
    const field = error instanceof ApiError ? error.field : null
    if (error instanceof ApiError && field?.startsWith('prices.'))
      this.refused = { [field.slice('prices.'.length)]: error.message }
    else this.failure = errorText(error)
  }

  #adopt(sheet: PriceSheet): void {
    this.sheet = sheet
    this.draft = sheet.prices
    this.refused = {}
    this.saveState = 'clean'
    this.failure = ''
  }
}
