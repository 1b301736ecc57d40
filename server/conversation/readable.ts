/**
 * Readable: writes what voices read wrongly as it is said: telephone numbers in pairs, dates and times, money, per cent.
 * Plain numbers stay: every voice reads those. Pure.
 */
const MONTHS = {
  es: 'enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre',
  en: 'January February March April May June July August September October November December',
}

/** The sentence as it is to be read aloud in a language (BCP 47): Spanish for es-*, else English. */
export function readable(sentence: string, language: string): string {
  const isSpanish = language.toLowerCase().startsWith('es')
  return sentence
    .replace(/(?<![\w.])\+?\d[\d\s().-]{7,18}\d(?!\w)/g, (text) => phone(text) ?? text)
    .replace(
      /(?<![\d/-])(\d{1,2})[/-](\d{1,2})[/-](\d{4})(?![\d/-])/g,
      (text, a: string, b: string, year: string) =>
        (isSpanish ? dayFirst(a, b, year) : monthFirst(a, b, year)) ?? text,
    )
    .replace(
      /(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)/g,
      (text, year: string, month: string, day: string) =>
        (isSpanish ? dayFirst(day, month, year) : monthFirst(month, day, year)) ?? text,
    )
    .replace(
      /(?<![\d:])([01]?\d|2[0-3]):([0-5]\d)(?:\s?(?:hrs?|h)\b\.?)?(?![\d:])/g,
      (_text, hour: string, minute: string) =>
        isSpanish
          ? spanishTime(Number(hour), Number(minute))
          : englishTime(Number(hour), Number(minute)),
    )
    .replace(
      /(US|MX)?\$\s?(\d[\d,]*)(\.\d{1,2})?(?:\s?(MXN|USD|pesos|dólares|dollars)\b)?/gi,
      (_text, ...parts: string[]) => money(parts, isSpanish, language),
    )
    .replace(/(\d)\s?%/g, isSpanish ? '$1 por ciento' : '$1 percent')
}

/** Ten digits and more, in pairs with a breath between them; null for what is no telephone number. */
function phone(text: string): string | null {
  const digits = text.replace(/\D/g, '')
  const hasBreaks = /^\+|[\s().-]/.test(text)
  // 4 to 9 digits are amounts and codes; a date has other separators and is no longer than 8 digits.
  if (digits.length < 10 || digits.length > 15) return null
  if (!hasBreaks && digits.length !== 10) return null
  const pairs: string[] = []
  const odd = digits.length % 2
  if (odd) pairs.push(digits.slice(0, 1))
  for (let i = odd; i < digits.length; i += 2) pairs.push(readPair(digits.slice(i, i + 2)))
  return pairs.join(', ')
}

/** "05" would be read as five: its zero is said. */
function readPair(pair: string): string {
  return pair.startsWith('0') ? `${pair.charAt(0)} ${pair.charAt(1)}` : pair
}

function dayFirst(day: string, month: string, year: string): string | null {
  const name = MONTHS.es.split(' ')[Number(month) - 1]
  const isDay = Number(day) >= 1 && Number(day) <= 31
  return name && isDay ? `${Number(day)} de ${name} de ${year}` : null
}

function monthFirst(month: string, day: string, year: string): string | null {
  const name = MONTHS.en.split(' ')[Number(month) - 1]
  const isDay = Number(day) >= 1 && Number(day) <= 31
  return name && isDay ? `${name} ${Number(day)}, ${year}` : null
}

function spanishTime(hour: number, minute: number): string {
  const part = hour < 12 ? 'de la mañana' : hour < 19 ? 'de la tarde' : 'de la noche'
  const said = hour % 12 === 0 ? 12 : hour % 12
  const minutes = minute === 0 ? '' : minute === 30 ? ' y media' : ` y ${minute}`
  return `${said}${minutes} ${hour === 12 ? 'del día' : part}`
}

function englishTime(hour: number, minute: number): string {
  const said = hour % 12 === 0 ? 12 : hour % 12
  const minutes = minute === 0 ? '' : minute < 10 ? ` oh ${minute}` : ` ${minute}`
  return `${said}${minutes} ${hour < 12 ? 'a.m.' : 'p.m.'}`
}

/** `parts`: prefix, whole, decimals, unit. "$" alone is the currency of the language's country. */
function money(parts: readonly string[], isSpanish: boolean, language: string): string {
  const [prefix = '', whole = '', decimals = '', unit = ''] = parts
  const amount = whole.replaceAll(',', '')
  const cents = Number(decimals.slice(1).padEnd(2, '0'))
  const isDollar = prefix === 'US' || /usd|dólares|dollars/i.test(unit)
  const isPeso = prefix === 'MX' || /mxn|pesos/i.test(unit)
  const dollars = isDollar || (!isPeso && /-US$/.test(language))
  const name = dollars ? (isSpanish ? 'dólares' : 'dollars') : 'pesos'
  if (cents === 0) return `${amount} ${name}`
  return isSpanish
    ? `${amount} ${name} con ${cents} centavos`
    : `${amount} ${name} and ${cents} cents`
}
