/**
 * The settings form's rules, without the form: what a scope shows, what changed, what is wrong. Pure; every function
 * returns a new document and leaves its arguments alone.
 *
 * A profile holds only its own values. "Inherits" is the absence of the key: false, 0 and "" are values of its own.
 */
import type { AgentSettings, Profile, ProfileSettings } from '../../../server/agent-settings.ts'
import type { MessageKey, MessageValues } from '../language/messages.ts'
import { FIELDS } from './fields.ts'
import type { Field, FieldName, NumberField, TagsField, TextField } from './fields.ts'

export type Scope = 'base' | Profile
export const SCOPES: readonly Scope[] = ['base', 'browser', 'twilio', 'telnyx']

export type FieldValue = ProfileSettings[FieldName]

export interface Problem {
  key: MessageKey
  values?: MessageValues
}

/** `base.temperature`, `profiles.twilio.voiceSpeed`: the path the server uses as well. */
export function pathOf(scope: Scope, name: FieldName): string {
  return scope === 'base' ? `base.${name}` : `profiles.${scope}.${name}`
}

export function inherits(settings: AgentSettings, scope: Scope, name: FieldName): boolean {
  return scope !== 'base' && !Object.hasOwn(settings.profiles[scope], name)
}

/** The value that takes effect in a scope. */
export function valueIn(settings: AgentSettings, scope: Scope, name: FieldName): FieldValue {
  if (scope === 'base' || inherits(settings, scope, name)) return settings.base[name]
  return settings.profiles[scope][name] as FieldValue
}

export function withValue(
  settings: AgentSettings,
  at: { scope: Scope; name: FieldName },
  value: FieldValue,
): AgentSettings {
  const { scope, name } = at
  if (scope === 'base') return { ...settings, base: { ...settings.base, [name]: value } }
  const profile = { ...settings.profiles[scope], [name]: value }
  return { ...settings, profiles: { ...settings.profiles, [scope]: profile } }
}

/** Removes a profile's own value; in the base nothing can be removed. */
export function withoutValue(
  settings: AgentSettings,
  scope: Scope,
  name: FieldName,
): AgentSettings {
  if (scope === 'base') return settings
  const profile = { ...settings.profiles[scope] }
  delete profile[name]
  return { ...settings, profiles: { ...settings.profiles, [scope]: profile } }
}

/** One scope as it is in another document: discarding, factory values. */
export function withScopeOf(
  settings: AgentSettings,
  scope: Scope,
  source: AgentSettings,
): AgentSettings {
  if (scope === 'base') return { ...settings, base: source.base }
  return { ...settings, profiles: { ...settings.profiles, [scope]: source.profiles[scope] } }
}

/** Paths whose own value differs between two documents, in form order. */
export function changedPaths(saved: AgentSettings, draft: AgentSettings): string[] {
  return SCOPES.flatMap((scope) =>
    FIELDS.filter(({ name }) => {
      if (inherits(saved, scope, name) !== inherits(draft, scope, name)) return true
      if (inherits(draft, scope, name)) return false
      return !same(valueIn(saved, scope, name), valueIn(draft, scope, name))
    }).map(({ name }) => pathOf(scope, name)),
  )
}

function same(a: FieldValue, b: FieldValue): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

export const NO_PROBLEMS: ReadonlyMap<string, Problem> = new Map()

/** Every own value that is out of its range, by path. */
export function problemsOf(settings: AgentSettings): ReadonlyMap<string, Problem> {
  const problems = new Map<string, Problem>()
  for (const scope of SCOPES) {
    for (const field of FIELDS) {
      if (inherits(settings, scope, field.name)) continue
      const problem = problemOf(field, valueIn(settings, scope, field.name))
      if (problem) problems.set(pathOf(scope, field.name), problem)
    }
  }
  return problems
}

export function problemOf(field: Field, value: unknown): Problem | null {
  switch (field.control) {
    case 'number':
    case 'slider':
      return numberProblem(field, value)
    case 'tags':
      return tagsProblem(field, value)
    case 'choice':
      return field.options.includes(String(value)) ? null : { key: 'invalid.required' }
    case 'json':
      return isToolList(value) ? null : { key: 'invalid.tools' }
    case 'switch':
      return typeof value === 'boolean' ? null : { key: 'invalid.required' }
    default:
      return textProblem(field, value)
  }
}

function numberProblem(field: NumberField, value: unknown): Problem | null {
  if (typeof value !== 'number' || Number.isNaN(value)) return { key: 'invalid.required' }
  if (value < field.min || value > field.max) {
    return { key: 'invalid.range', values: { min: field.min, max: field.max } }
  }
  return field.integer && !Number.isInteger(value) ? { key: 'invalid.integer' } : null
}

const LANGUAGE = /^[a-z]{2}-[A-Z]{2}$/

function tagsProblem(field: TagsField, value: unknown): Problem | null {
  const tags = Array.isArray(value) ? value : []
  if (tags.length > field.maxItems)
    return { key: 'invalid.tooMany', values: { max: field.maxItems } }
  const long = tags.some((tag) => String(tag).length > field.maxItemLength)
  if (field.item === 'language' && !tags.every((tag) => LANGUAGE.test(String(tag))))
    return { key: 'invalid.language' }
  return long ? { key: 'invalid.itemTooLong', values: { max: field.maxItemLength } } : null
}

function textProblem(field: TextField, value: unknown): Problem | null {
  const text = typeof value === 'string' ? value : ''
  if (text === '') return field.required ? { key: 'invalid.required' } : null
  if (text.length > field.maxLength)
    return { key: 'invalid.tooLong', values: { max: field.maxLength } }
  if (field.control === 'phone' && !/^\+[1-9]\d{6,14}$/.test(text)) return { key: 'invalid.phone' }
  if (field.control === 'language' && !LANGUAGE.test(text)) {
    return { key: 'invalid.language' }
  }
  if (field.format === 'url' && !isUrl(text)) return { key: 'invalid.url' }
  return field.format === 'schema' && !isSchema(text) ? { key: 'invalid.schema' } : null
}

function isUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}

/** An object with `properties`; spaces alone count as nothing. */
function isSchema(text: string): boolean {
  if (text.trim() === '') return true
  try {
    const { properties } = Object(JSON.parse(text)) as { properties?: unknown }
    return typeof properties === 'object' && properties !== null && !Array.isArray(properties)
  } catch {
    return false // not JSON
  }
}

/** The list as written, or its text while it is no JSON: the form then says so. */
export function jsonValue(text: string): unknown {
  if (text.trim() === '') return []
  try {
    return JSON.parse(text)
  } catch {
    return text // shown as a problem
  }
}

/** What a person gets wrong first; the server checks the rest when the agent is saved. */
function isToolList(value: unknown): boolean {
  return (
    Array.isArray(value) && value.every((tool) => TOOL_PARTS.every((part) => part in Object(tool)))
  )
}

const TOOL_PARTS = [
  ...['name', 'description', 'parameters', 'method'],
  ...['url', 'headers', 'timeoutMs', 'retries'],
]

/** The server's path of a refused value as ours: it may begin with `settings.` and end inside a list. */
export function ownPath(serverField: string): string | null {
  const path = serverField.replace(/^settings\./, '').replace(/\[(\d+)\]/g, '.$1')
  const match = /^(?:base|profiles\.(?:browser|twilio|telnyx))\.[A-Za-z]+/.exec(path)
  return match ? match[0] : null
}

/** Scope and field of a path, or null. */
export function partsOf(path: string): { scope: Scope; field: Field } | null {
  const names = path.split('.')
  const scope = (names[0] === 'base' ? 'base' : names[1]) as Scope
  const field = FIELDS.find(({ name }) => name === names.at(-1))
  return field && SCOPES.includes(scope) ? { scope, field } : null
}
