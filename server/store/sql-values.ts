/** How values go into SQL: times as ISO text, text and JSON without what PostgreSQL cannot hold. */

/** A time in ms since 1970 as the text of a timestamptz; null stays null. */
export function timestampText(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString()
}

/** Text without NUL and half surrogates: PostgreSQL refuses both, and a stranger may have typed them. */
export function storableText(text: string): string {
  return text.replaceAll('\0', '').toWellFormed()
}

/** JSON whose strings are storable. Undefined becomes null. */
export function storableJson(value: unknown): string {
  return (
    JSON.stringify(value, (_key, item: unknown) =>
      typeof item === 'string' ? storableText(item) : item,
    ) ?? 'null'
  )
}

/** A search term as a LIKE pattern that finds it anywhere, its own wildcards taken literally. */
export function likePattern(term: string): string {
  return `%${storableText(term).replace(/[\\%_]/g, '\\$&')}%`
}
