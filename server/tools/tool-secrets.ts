/**
 * Tool secrets: the header values of HTTP tools, hidden in what the API answers, taken back from what was stored when the
 * settings are saved again with the mask in their place, and sealed before they are stored. Pure.
 *
 *   stored ─► masked() ─► "***" in the dashboard ─► saved ─► withStoredSecrets(stored) ─► sealedSettings() ─► stored
 *
 * In memory they stay sealed until the tool is called. Invariant: a secret comes back only to a tool of the same name whose URL has the same origin: who may edit an agent must
 * not learn a key by pointing its tool elsewhere.
 */
import type { AgentSettings, ProfileSettings } from '../agent-settings.ts'
import { isSealed, type SecretBox } from '../secret-box.ts'
import type { HttpTool } from './http-tool.ts'

export const MASKED = '***'

type Scope = Partial<ProfileSettings>

/** The settings as the API may show them. */
export function maskedSettings(settings: AgentSettings): AgentSettings {
  return mapScopes(settings, (scope) => ({
    ...scope,
    httpTools: (scope.httpTools ?? []).map((tool) => ({
      ...tool,
      headers: mapHeaders(tool, (_name, value) => (value === '' ? '' : MASKED)),
    })),
  }))
}

/** Thrown for a masked value with nothing stored behind it; `field` is the path in the settings. */
export class UnknownSecret extends Error {
  readonly field: string

  constructor(field: string) {
    super('write this value again: it is not known for this name and address')
    this.field = field
  }
}

/** `settings` with the stored values where masks stand. @throws UnknownSecret */
export function withStoredSecrets(settings: AgentSettings, stored: AgentSettings): AgentSettings {
  const known = [stored.base, ...Object.values(stored.profiles)].flatMap(
    (scope: Scope) => scope.httpTools ?? [],
  )
  return mapScopes(settings, (scope, path) => ({
    ...scope,
    httpTools: (scope.httpTools ?? []).map((tool, i) => ({
      ...tool,
      headers: mapHeaders(tool, (name, value) => {
        const field = `settings.${path}.httpTools.${i}.headers.${name}`
        // Sealed text comes from the store alone: whoever found some must not have it opened by a tool of theirs.
        if (isSealed(value)) throw new UnknownSecret(field)
        if (value !== MASKED) return value
        const secret = known.find((one) => isSame(one, tool) && Object.hasOwn(one.headers, name))
        if (!secret) throw new UnknownSecret(field)
        return secret.headers[name] ?? ''
      }),
    })),
  }))
}

/** The settings with every header value sealed that is not yet: nothing else may be stored. */
export function sealedSettings(
  settings: AgentSettings,
  box: Pick<SecretBox, 'seal'>,
): AgentSettings {
  return mapScopes(settings, (scope) => ({
    ...scope,
    httpTools: (scope.httpTools ?? []).map((tool) => ({
      ...tool,
      headers: mapHeaders(tool, (_name, value) =>
        value === '' || isSealed(value) ? value : box.seal(value),
      ),
    })),
  }))
}

/** A tool as it is called. @throws AndreaError SECRET_UNREADABLE */
export function openedTool(tool: HttpTool, box: Pick<SecretBox, 'open'>): HttpTool {
  return { ...tool, headers: mapHeaders(tool, (_name, value) => box.open(value)) }
}

/** `text` without the secrets of a tool: what its service answers goes to the model and into the transcript. */
export function withoutSecrets(text: string, tool: Pick<HttpTool, 'headers'>): string {
  return Object.values(tool.headers)
    .flatMap((value) => [value, ...value.split(' ')])
    .filter((value) => value.length >= LEAST_SECRET)
    .sort((a, b) => b.length - a.length)
    .reduce((clean, value) => clean.replaceAll(value, MASKED), text)
}

/** Shorter ones ("1", "es") are none, and would take ordinary words out of the answer. */
const LEAST_SECRET = 6

function isSame(a: HttpTool, b: HttpTool): boolean {
  return a.name === b.name && new URL(a.url).origin === new URL(b.url).origin
}

function mapHeaders(
  tool: HttpTool,
  change: (name: string, value: string) => string,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tool.headers).map(([name, value]) => [name, change(name, value)]),
  )
}

/** Only scopes that have tools of their own are touched: absence means that the base's are used. */
function mapScopes(
  settings: AgentSettings,
  change: <T extends Scope>(scope: T, path: string) => T,
): AgentSettings {
  const at = <T extends Scope>(scope: T, path: string): T =>
    scope.httpTools === undefined ? scope : change(scope, path)
  const { browser, twilio, telnyx } = settings.profiles
  return {
    base: at(settings.base, 'base'),
    profiles: {
      browser: at(browser, 'profiles.browser'),
      twilio: at(twilio, 'profiles.twilio'),
      telnyx: at(telnyx, 'profiles.telnyx'),
    },
  }
}
