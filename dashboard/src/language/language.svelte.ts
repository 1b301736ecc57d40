/** The language of the page: Spanish until the user chooses, kept in localStorage. */
import { ApiError } from '../api/client.ts'
import { isMessageKey, translate } from './messages.ts'
import type { MessageKey, MessageValues } from './messages.ts'
import type { LanguageCode } from './format.ts'

const STORED_AS = 'andrea.language'

class Language {
  current = $state<LanguageCode>(localStorage.getItem(STORED_AS) === 'en' ? 'en' : 'es')

  choose(code: LanguageCode): void {
    this.current = code
    localStorage.setItem(STORED_AS, code)
    document.documentElement.lang = code
  }
}

export const language = new Language()
document.documentElement.lang = language.current

/** The text of a key in the current language; reactive where it is read. */
export function t(key: MessageKey, values?: MessageValues): string {
  return translate(language.current, key, values)
}

/** The text for a name that the server sent, or the name itself when the table does not know it. */
export function tName(prefix: string, name: string): string {
  const key = `${prefix}.${name}`
  return isMessageKey(key) ? t(key) : name
}

/** What to tell the user about a failed request. */
export function errorText(error: unknown): string {
  if (!(error instanceof ApiError)) return t('error.server')
  if (error.status === 0) return t('error.network')
  if (error.status === 404) return t('error.notFound')
  if (error.status === 429) return t('error.tooMany')
  if (error.status === 503) return t('error.busy')
  if (error.status >= 500) return t('error.server')
  return t('error.other', { detail: error.message })
}
