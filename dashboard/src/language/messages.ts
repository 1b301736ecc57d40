/** The message table: one text per key and language, with `{name}` places to fill. Pure. */
import { en } from './en.ts'
import { es } from './es.ts'
import type { MessageKey } from './es.ts'
import type { LanguageCode } from './format.ts'

export type { MessageKey } from './es.ts'

export const MESSAGES: Record<LanguageCode, Record<MessageKey, string>> = { es, en }

export type MessageValues = Record<string, string | number>

export function translate(language: LanguageCode, key: MessageKey, values?: MessageValues): string {
  const text = MESSAGES[language][key]
  if (!values) return text
  return text.replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place))
}

/** True for a key of the table: guards names that come from the server. */
export function isMessageKey(key: string): key is MessageKey {
  return Object.hasOwn(es, key)
}
