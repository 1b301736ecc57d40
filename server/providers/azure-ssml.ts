/** SSML for Azure: the one place where text becomes markup. Everything variable is escaped or checked. */
import type { Voice, VoiceInfo } from './tts.ts'

export const AZURE_VOICES: VoiceInfo[] = [
  voice('es-MX-DaliaNeural', 'Dalia', 'female', ['cheerful', 'sad', 'whispering']),
  voice('es-MX-JorgeNeural', 'Jorge', 'male', ['chat', 'cheerful']),
  voice('es-MX-NuriaNeural', 'Nuria', 'female'),
  voice('es-ES-ElviraNeural', 'Elvira', 'female'),
  voice('es-ES-AlvaroNeural', 'Álvaro', 'male'),
  voice('es-US-PalomaNeural', 'Paloma', 'female'),
  voice('en-US-JennyNeural', 'Jenny', 'female', [
    'assistant',
    'chat',
    'customerservice',
    'cheerful',
  ]),
  voice('en-US-GuyNeural', 'Guy', 'male', ['cheerful', 'friendly']),
  voice('en-GB-SoniaNeural', 'Sonia', 'female', ['cheerful']),
  voice('en-US-AvaMultilingualNeural', 'Ava Multilingual', 'female'),
]

/** Speaks the languages that no bundled voice has as its own. */
const ANY_LANGUAGE_VOICE = 'en-US-AvaMultilingualNeural'

function voice(
  name: string,
  label: string,
  gender: VoiceInfo['gender'],
  styles: string[] = [],
): VoiceInfo {
  return { name, label, language: name.slice(0, 5), gender, styles }
}

/**
 * Azure's own form of a voice id, as `es-MX-DaliaNeural`, `iu-Latn-CA-SiqiniqNeural`, `zh-CN-shandong-YunxiangNeural`,
 * `en-US-Ava:DragonHDLatestNeural`, `en-US-NovaMultilingualNeuralHD`; anything else ("pico-es-ES") becomes the language's
 * default. What precedes the name is its locale.
 */
const VOICE_ID = /^([a-z]{2,3}(?:-[A-Z][a-z]{3})?-[A-Z]{2})-[A-Za-z0-9:-]{2,80}Neural(?:HD)?$/
/** Voices that speak other languages than their locale's, when told which. */
const IS_MULTILINGUAL = /Multilingual|:DragonHD/
const LANGUAGE = /^[a-z]{2,3}(?:-[A-Z][a-z]{3})?-[A-Z]{2}$/
const STYLE = /^[A-Za-z-]{1,40}$/

export function isAzureVoiceId(name: string): boolean {
  return VOICE_ID.test(name)
}

export function azureVoiceName(wanted: Voice): string {
  if (VOICE_ID.test(wanted.name)) return wanted.name
  const primary = wanted.language.slice(0, 2)
  const found =
    AZURE_VOICES.find((known) => known.language === wanted.language) ??
    AZURE_VOICES.find((known) => known.language.startsWith(primary))
  return (
    found?.name ?? (LANGUAGE.test(wanted.language) ? ANY_LANGUAGE_VOICE : AZURE_VOICES[0]!.name)
  )
}

/** Text inside an element or attribute; characters that XML does not know are dropped. */
export function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, ' ')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, '&apos;')
}

/** What a voice is asked for besides its name, in the service's own form; what is normal is left out. */
export interface AzureManner {
  language: string
  rate?: string
  pitch?: string
  volume?: string
  style?: string
  /** Absent: 1. */
  styleDegree?: number
}

export function azureManner(wanted: Voice): AzureManner {
  const speed = Math.min(2, Math.max(0.5, finite(wanted.speed, 1)))
  const manner: AzureManner = { language: azureLanguage(wanted) }
  const rate = percent(Math.round((speed - 1) * 100))
  const pitch = percent(within(wanted.pitch, 50))
  const volume = percent(within(wanted.volume, 50))
  if (rate !== null) manner.rate = rate
  if (pitch !== null) manner.pitch = pitch
  if (volume !== null) manner.volume = volume
  if (wanted.style === null || !STYLE.test(wanted.style)) return manner
  manner.style = wanted.style
  const degree = Number(Math.min(2, Math.max(0.01, finite(wanted.styleDegree, 1))).toFixed(2))
  if (degree !== 1) manner.styleDegree = degree
  return manner
}

/** Voices of the newer kinds, which speak many languages and, some of them, take a text while it is being written. */
export function isMultilingual(voiceName: string): boolean {
  return IS_MULTILINGUAL.test(voiceName)
}

export function ssmlFor(text: string, wanted: Voice): string {
  const name = azureVoiceName(wanted)
  const { language, rate, pitch, volume, style, styleDegree } = azureManner(wanted)
  const prosody = attribute('rate', rate) + attribute('pitch', pitch) + attribute('volume', volume)
  let body = escapeXml(text)
  if (prosody !== '') body = `<prosody${prosody}>${body}</prosody>`
  if (style !== undefined) {
    const strength = attribute('styledegree', styleDegree)
    body = `<mstts:express-as style="${style}"${strength}>${body}</mstts:express-as>`
  }
  if (language !== ownLanguage(name) && isMultilingual(name)) {
    body = `<lang xml:lang="${language}">${body}</lang>`
  }
  return (
    '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" ' +
    `xmlns:mstts="https://www.w3.org/2001/mstts" xml:lang="${language}">` +
    `<voice name="${name}"><mstts:silence type="Leading-exact" value="0ms"/>${body}</voice></speak>`
  )
}

function azureLanguage(wanted: Voice): string {
  return LANGUAGE.test(wanted.language) ? wanted.language : ownLanguage(azureVoiceName(wanted))
}

function ownLanguage(voiceName: string): string {
  return VOICE_ID.exec(voiceName)?.[1] ?? 'es-MX'
}

/** ` name="value"`, or nothing for no value. */
function attribute(name: string, value: string | number | undefined): string {
  return value === undefined ? '' : ` ${name}="${value}"`
}

/** `+10%`; null for no change. */
function percent(change: number): string | null {
  return change === 0 ? null : `${change > 0 ? '+' : ''}${change}%`
}

function within(value: number | undefined, limit: number): number {
  return Math.round(Math.min(limit, Math.max(-limit, finite(value, 0))))
}

function finite(value: number | undefined, otherwise: number): number {
  return value !== undefined && Number.isFinite(value) ? value : otherwise
}
