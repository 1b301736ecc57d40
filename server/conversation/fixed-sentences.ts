/** What an agent says without its language model, sentence by sentence as the voice will be asked for it. Pure. */
import type { ProfileSettings } from '../agent-settings.ts'
import type { Voice } from '../providers/tts.ts'
import { phrasesFor } from './phrases.ts'
import { readable } from './readable.ts'
import { SentenceSplitter } from './sentences.ts'
import { speakable } from './speakable.ts'

export function voiceOf(settings: ProfileSettings): Voice {
  return {
    name: settings.voiceName,
    language: settings.language,
    style: settings.voiceStyle,
    speed: settings.voiceSpeed,
    styleDegree: settings.voiceStyleDegree,
    pitch: settings.voicePitch,
    volume: settings.voiceVolume,
  }
}

/** The notice and the greeting: what a call begins with. */
export function openingSentences(settings: ProfileSettings): string[] {
  const isSpoken = settings.firstMessageMode === 'speak-first'
  return sentencesOf([settings.legalNotice, ...(isSpoken ? [settings.firstMessage] : [])], settings)
}

/** The opening first. Sentences with variables are left out: every call fills them differently. */
export function fixedSentences(settings: ProfileSettings): string[] {
  const texts = [
    settings.idleMessage,
    ...settings.fillerPhrases,
    ...Object.values(phrasesFor(settings.language)).flat(),
  ]
  return [...new Set([...openingSentences(settings), ...sentencesOf(texts, settings)])]
}

function sentencesOf(texts: readonly string[], settings: ProfileSettings): string[] {
  const sentences = texts.flatMap((text) => {
    const splitter = new SentenceSplitter(settings.language)
    return [...splitter.push(text.trim()), ...splitter.flush()]
  })
  const spoken = sentences
    .filter((text) => !text.includes('{{'))
    .map((text) => readable(speakable(text), settings.language))
  return [...new Set(spoken)].filter((text) => text !== '')
}
