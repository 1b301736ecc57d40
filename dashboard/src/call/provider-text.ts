/**
 * What to show of a provider. Those that come with Andrea are known by role and name and have translated texts; what
 * any other one says of itself is shown as the server sent it.
 *
 * A notice that a translated sentence covers is not shown again. A licence's own words are never translated.
 */
import type { ProviderStatus } from '../api/types.ts'
import type { LanguageCode } from '../language/format.ts'
import { isMessageKey, translate } from '../language/messages.ts'

export type ProviderRole = 'stt' | 'llm' | 'tts'

/** The line that Moonshine's licence wants to be seen beside its product. */
export const MOONSHINE_CREDIT = 'Powered by Moonshine AI'

/** Their notices say what `providers.demoHint` and `providers.scriptedHint` say in the page's language. */
const COVERED = new Set(['llm.scripted', 'tts.embedded'])

export function providerLabel(
  role: ProviderRole,
  provider: Pick<ProviderStatus, 'name' | 'label'>,
  language: LanguageCode,
): string {
  const key = `providers.${role}.${provider.name}`
  return isMessageKey(key) ? translate(language, key) : provider.label
}

/** A notice to show: `credit` is the short line that must always be visible, `text` the whole of it. */
export interface ProviderNotice {
  credit: string | null
  text: string
}

export function providerNotice(
  role: ProviderRole,
  provider: ProviderStatus,
): ProviderNotice | null {
  const { name, notice } = provider
  if (!notice || COVERED.has(`${role}.${name}`)) return null
  return { credit: notice.includes(MOONSHINE_CREDIT) ? MOONSHINE_CREDIT : null, text: notice }
}
