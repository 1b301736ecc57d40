/** Old words: what was said over the agent and is looked at only now that it has finished. Pure. */
import type { ProfileSettings } from '../agent-settings.ts'
import type { Turn } from './conversation-events.ts'
import { isBackchannel, isEchoOf, wordsOf } from './words.ts'

/** Up to so many words before the greeting ("¿Bueno?", "¿Sí, diga?") ask for the greeting rather than refuse it. */
export const PICK_UP_WORDS = 3

/** Why such words are no turn; null for those that would have cut the agent had they come in time: they always are one. */
export function oldWordsRefusal(
  text: string,
  last: { kind: Turn['kind']; heard: string } | null,
  settings: Pick<ProfileSettings, 'language' | 'interruptionWords'>,
): 'overlap' | 'echo' | null {
  if (isEchoOf(text, last?.heard ?? '')) return 'echo'
  const least = last?.kind === 'greeting' ? PICK_UP_WORDS + 1 : settings.interruptionWords
  const cuts = wordsOf(text).length >= least && !isBackchannel(text, settings.language)
  return cuts ? null : 'overlap'
}
