/**
 * A call's events as sentences, and the figures of its audio. Pure.
 *
 * Stored events are JSON that an older server may have written: what is not understood gives null, and the page shows it
 * as it is.
 */
import { formatDuration, formatLatency, formatNumber } from '../language/format.ts'
import type { LanguageCode } from '../language/format.ts'
import { isMessageKey, translate } from '../language/messages.ts'
import type { MessageKey } from '../language/messages.ts'

interface Reported {
  name: string
  atMs: number
  data: unknown
}

type Fields = Record<string, unknown>

const FRAME_MS = 20

/** What happened, in one or two sentences; null for an event that this version does not know. */
export function eventSentence(event: Reported, language: LanguageCode): string | null {
  const data = fieldsOf(event.data)
  if (data === null) return null
  switch (event.name) {
    case 'state':
      return keyed('state', data.state, language)
    case 'bargeIn': {
      const afterMs = Math.max(0, event.atMs - Number(data.onsetMs))
      const after = formatLatency(Number.isFinite(afterMs) ? afterMs : 0, language)
      return keyed('event.bargeIn', data.reason, language, { after })
    }
    case 'ignored':
      return keyed('event.ignored', data.reason, language, { text: String(data.text) })
    case 'tool':
      return toolSentence(data, language)
    case 'providerError':
      return failureSentence(data, language)
    case 'providerSwitch':
      return switchSentence(data, language)
    default:
      return null
  }
}

function switchSentence(data: Fields, language: LanguageCode): string | null {
  const values = { from: String(data.from), to: String(data.to), code: String(data.code) }
  const isBack = data.code === 'PROVIDER_BACK'
  return keyed(isBack ? 'event.providerBack' : 'event.providerSwitch', data.part, language, values)
}

function toolSentence(data: Fields, language: LanguageCode): string {
  const name = String(data.name)
  const digits = String(fieldsOf(parsed(data.arguments))?.digits ?? '')
  const sentence =
    keyed('event.tool', name, language, { digits }) ??
    translate(language, 'event.tool.other', { name })
  const detail = /^error: (.*)/s.exec(String(data.result))?.[1]
  if (detail === undefined) return sentence
  return `${sentence} ${translate(language, 'event.tool.failed', { detail })}`
}

function failureSentence(data: Fields, language: LanguageCode): string {
  const part = String(data.code).split('_', 1)[0]
  const detail = `${data.message} (${data.code})`
  const values = { provider: String(data.provider), detail }
  return (
    keyed('event.providerError', part, language, values) ??
    translate(language, 'event.providerError.other', values)
  )
}

export interface MediaFigure {
  label: MessageKey
  value: string
  /** A count that a perfect call leaves at zero, and this one did not. */
  notable: boolean
}

const MEDIA_COUNTS = [
  'framesSent',
  'underruns',
  'framesRefused',
  'concealedFrames',
  'latePayloads',
  'refusedPayloads',
] as const

/** The figures of a `media` event; frames are 20 ms of audio each and are shown as time. */
export function mediaFigures(event: Reported, language: LanguageCode): MediaFigure[] {
  const data = event.name === 'media' ? fieldsOf(event.data) : null
  if (data === null) return []
  return MEDIA_COUNTS.flatMap((name) => {
    const count = data[name]
    if (typeof count !== 'number') return []
    let value = formatNumber(count, language)
    if (name === 'framesSent') value = formatDuration(count * FRAME_MS)
    else if (/frames/i.test(name)) value = formatLatency(count * FRAME_MS, language)
    return [{ label: `media.${name}` as const, value, notable: name !== 'framesSent' && count > 0 }]
  })
}

function keyed(
  prefix: string,
  name: unknown,
  language: LanguageCode,
  values?: Record<string, string>,
): string | null {
  const key = `${prefix}.${String(name)}`
  return isMessageKey(key) ? translate(language, key, values) : null
}

function fieldsOf(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null ? (value as Fields) : null
}

/** A model may write broken JSON as arguments: then there are none. */
function parsed(text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
