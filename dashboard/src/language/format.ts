/** Numbers and times as people read them. Pure; every function takes the language. */

export type LanguageCode = 'es' | 'en'

const LOCALE: Record<LanguageCode, string> = { es: 'es-MX', en: 'en-US' }

/** `0:07`, `12:03`, `1:02:03`. */
export function formatDuration(ms: number): string {
  const totalSec = Math.max(0, Math.round(ms / 1000))
  const sec = String(totalSec % 60).padStart(2, '0')
  const min = Math.floor(totalSec / 60) % 60
  const hours = Math.floor(totalSec / 3600)
  return hours > 0 ? `${hours}:${String(min).padStart(2, '0')}:${sec}` : `${min}:${sec}`
}

/** `84 ms` below a second, `1.24 s` from there. */
export function formatLatency(ms: number, language: LanguageCode): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`
  return `${formatNumber(ms / 1000, language, 2)} s`
}

export function formatNumber(value: number, language: LanguageCode, maxDigits = 0): string {
  return new Intl.NumberFormat(LOCALE[language], { maximumFractionDigits: maxDigits }).format(value)
}

/** `24 nov, 17:04`; the year is added when it is not this one. */
export function formatDateTime(atMs: number, language: LanguageCode, nowMs = Date.now()): string {
  const sameYear = new Date(atMs).getFullYear() === new Date(nowMs).getFullYear()
  return new Intl.DateTimeFormat(LOCALE[language], {
    day: 'numeric',
    month: 'short',
    year: sameYear ? undefined : 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hour12: false,
  }).format(atMs)
}

/** `3 d 4 h`, `5 h 12 min`, `8 min`, `41 s`: the two largest units. */
export function formatUptime(sec: number): string {
  const units: [number, string][] = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
    [1, 's'],
  ]
  const first = units.findIndex(([size]) => sec >= size)
  if (first < 0) return '0 s'
  const [size, name] = units[first] ?? [1, 's']
  const head = `${Math.floor(sec / size)} ${name}`
  const next = units[first + 1]
  const rest = next ? Math.floor((sec % size) / next[0]) : 0
  return next && rest > 0 && next[1] !== 's' ? `${head} ${rest} ${next[1]}` : head
}
