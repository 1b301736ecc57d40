/**
 * Language: what follows when a call changes its language: voice, phrases, idle prompt and the rule in the prompt. Pure.
 *
 * Surprising: a conversation has a copy of its settings of its own, and a switch writes into it. Whoever holds the copy
 * reads the language anew each time, so that nothing has to be told.
 */
import type { ProfileSettings } from '../agent-settings.ts'
import { phrasesFor } from './phrases.ts'
import { systemPrompt } from './prompt.ts'

/** A copy whose `languages` are all that may be spoken, its own first; none when there is nothing to choose. */
export function ownSettings(settings: ProfileSettings): ProfileSettings {
  const all = [...new Set([settings.language, ...settings.languages])]
  return { ...settings, languages: all.length > 1 ? all : [] }
}

/** What of the settings changes with the language; everything is as before when it is the profile's own again. */
export function settingsIn(settings: ProfileSettings, language: string): Partial<ProfileSettings> {
  const { voiceName, voiceStyle, idleMessage, fillerPhrases } = settings
  if (language === settings.language)
    return { language, voiceName, voiceStyle, idleMessage, fillerPhrases }
  return {
    language,
    // No name: every provider has a voice of its own for the language.
    voiceName: '',
    voiceStyle: null,
    idleMessage: phrasesFor(language).idlePrompt,
    fillerPhrases: [],
  }
}

/** The system prompt, and which language to speak when there are several. */
export function promptIn(
  settings: ProfileSettings,
  agentName: string,
  variables: Readonly<Record<string, string>>,
): string {
  const prompt = systemPrompt(settings, agentName, variables)
  const { language, languages } = settings
  if (languages.length < 2) return prompt
  const names = new Intl.DisplayNames([language], { type: 'language' })
  const others = languages.filter((one) => one !== language)
  const list = others.map((one) => `${names.of(one) ?? one} (${one})`).join(', ')
  const now = names.of(language) ?? language
  const rule = language.startsWith('es')
    ? `Habla ahora en ${now}, también si estas instrucciones están en otro idioma. Si el usuario habla o pide ${list}, llama a switch_language.`
    : `Speak ${now} now, even if these instructions are in another language. If the user speaks or asks for ${list}, call switch_language.`
  return `${prompt}\n\n${rule}`
}
