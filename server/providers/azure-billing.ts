/**
 * What Azure charges for a request: characters of the SSML, not of the text alone. Pure.
 *
 * The rule (learn.microsoft.com, "Text to speech overview", pricing note, Billable characters): the text, with letters,
 * punctuation, spaces, tabs, line ends and all markup in it, except the tags <speak> and <voice>; every code point of
 * Unicode is a character, a Chinese one (kanji and hanja too) is two. Checked against a bill that a user published
 * (Microsoft Q&A 5493673): 12 × `<prosody rate="-10.00%">about </prosody>` were charged as 480.
 *
 * Entities are counted as they are sent (`&amp;` is 5): the note does not say otherwise, and speech has few.
 */
import { azureVoiceName, ssmlFor } from './azure-ssml.ts'
import type { BilledSpeech, Voice } from './tts.ts'

const VOICES = /<voice\b[^>]*>(.*?)<\/voice>/gsu
const HAN = /\p{Script=Han}/gu
/** `en-US-Ava:DragonHDLatestNeural` and its kin, and the HD voices of OpenAI at Azure. */
const IS_HD = /:DragonHD|NeuralHD$/

/** Characters that are charged for a document: what stands within its voices. */
export function billedCharacters(ssml: string): number {
  let characters = 0
  for (const [, body = ''] of ssml.matchAll(VOICES)) {
    characters += [...body].length + (body.match(HAN)?.length ?? 0)
  }
  return characters
}

/** Text without a letter or digit is not sent, and costs nothing. */
export function azureBilled(text: string, voice: Voice): BilledSpeech {
  const isSent = /[\p{L}\p{N}]/u.test(text)
  return {
    characters: isSent ? billedCharacters(ssmlFor(text, voice)) : 0,
    isHd: IS_HD.test(azureVoiceName(voice)),
  }
}

/** A text that is streamed goes without markup. */
export function azureStreamBilled(text: string, voice: Voice): BilledSpeech {
  const characters = [...text].length + (text.match(HAN)?.length ?? 0)
  return { characters, isHd: IS_HD.test(azureVoiceName(voice)) }
}
