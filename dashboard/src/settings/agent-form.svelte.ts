/** The agent page's state: the saved agent, the draft being edited, and what saving said. */
import { api, ApiError } from '../api/client.ts'
import type { Agent, AgentSettings, AgentSummary, BedList, VoiceInfo } from '../api/types.ts'
import { errorText } from '../language/language.svelte.ts'
import { changedPaths, NO_PROBLEMS, ownPath, pathOf, problemsOf, SCOPES } from './form.ts'
import { inherits, valueIn, withoutValue, withScopeOf, withValue } from './form.ts'
import type { FieldValue, Scope } from './form.ts'
import type { FieldName } from './fields.ts'

export type SaveState = 'clean' | 'saving' | 'saved' | 'failed' | 'conflict'

export const SAVED_SHOWN_MS = 2_500

export class AgentForm {
  agents = $state.raw<AgentSummary[]>([])
  saved = $state.raw<Agent | null>(null)
  draft = $state.raw<AgentSettings | null>(null)
  name = $state('')
  defaults = $state.raw<AgentSettings | null>(null)
  voices = $state.raw<VoiceInfo[]>([])
  models = $state.raw<string[]>([])
  beds = $state.raw<BedList | null>(null)
  scope = $state<Scope>('base')
  saveState = $state<SaveState>('clean')
  failure = $state('')
  /** Values the server refused, by path; gone once the value is edited. */
  refused = $state.raw<Readonly<Record<string, string>>>({})

  changes = $derived(this.saved && this.draft ? changedPaths(this.saved.settings, this.draft) : [])
  changeCount = $derived(
    this.changes.length + (this.saved && this.name !== this.saved.name ? 1 : 0),
  )
  problems = $derived(this.draft ? problemsOf(this.draft) : NO_PROBLEMS)

  get isComplete(): boolean {
    return this.name.trim() !== ''
  }

  /** Loads the list, then one agent: the given, or the first. */
  async load(id?: string): Promise<void> {
    this.failure = ''
    try {
      const [agents, defaults, voices, models, beds] = await Promise.all([
        api.agents(),
        api.agentDefaults(),
        api.voices(),
        api.models(),
        api.beds(),
      ])
      this.agents = agents
      this.defaults = defaults
      this.voices = voices
      this.models = models
      this.beds = beds
      const chosen = id ?? this.saved?.id ?? agents[0]?.id
      if (chosen) this.#adopt(await api.agent(chosen))
    } catch (error) {
      this.failure = errorText(error)
    }
  }

  value(name: FieldName): FieldValue | undefined {
    return this.draft ? valueIn(this.draft, this.scope, name) : undefined
  }

  inherits(name: FieldName): boolean {
    return this.draft !== null && inherits(this.draft, this.scope, name)
  }

  set(name: FieldName, value: FieldValue): void {
    if (!this.draft) return
    this.#edit(withValue(this.draft, { scope: this.scope, name }, value), name)
  }

  /** Gives the profile its own value (the base's, to begin with), or takes it away. */
  setInherits(name: FieldName, inherited: boolean): void {
    if (!this.draft) return
    const { draft, scope } = this
    const next = inherited
      ? withoutValue(draft, scope, name)
      : withValue(draft, { scope, name }, valueIn(draft, scope, name))
    this.#edit(next, name)
  }

  restoreScope(): void {
    if (this.draft && this.defaults) this.draft = withScopeOf(this.draft, this.scope, this.defaults)
  }

  discard(): void {
    if (this.saved) this.#adopt(this.saved)
  }

  overrideCount(scope: Scope): number {
    return scope === 'base' || !this.draft ? 0 : Object.keys(this.draft.profiles[scope]).length
  }

  /** Scopes that hold a wrong value, to point at them. */
  hasProblem(scope: Scope): boolean {
    const prefix = scope === 'base' ? 'base.' : `profiles.${scope}.`
    const paths = [...this.problems.keys(), ...Object.keys(this.refused)]
    return paths.some((path) => path.startsWith(prefix))
  }

  async save(): Promise<void> {
    if (!this.saved || !this.draft || this.saveState === 'saving') return
    this.saveState = 'saving'
    this.failure = ''
    this.refused = {}
    try {
      const body = { name: this.name, settings: this.draft, baseVersion: this.saved.version }
      this.#adopt(await api.saveAgent(this.saved.id, body))
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
    const path = error instanceof ApiError && error.field ? ownPath(error.field) : null
    if (path && error instanceof ApiError) {
      this.refused = { [path]: error.message }
      this.scope = SCOPES.find((s) => s !== 'base' && path.startsWith(`profiles.${s}.`)) ?? 'base'
    } else {
      this.failure = errorText(error)
    }
  }

  #adopt(agent: Agent): void {
    this.saved = agent
    this.draft = agent.settings
    this.name = agent.name
    this.refused = {}
    this.saveState = 'clean'
    this.failure = ''
  }

  #edit(draft: AgentSettings, name: FieldName): void {
    this.draft = draft
    if (this.saveState === 'failed') this.saveState = 'clean'
    const refused = { ...this.refused }
    delete refused[pathOf(this.scope, name)]
    this.refused = refused
  }
}
