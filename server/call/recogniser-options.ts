/** What an agent's settings ask of the recogniser. Pure: a call and the ringing before it must ask for the same. */
import type { ProfileSettings } from '../agent-settings.ts'
import type { SttOptions } from '../providers/stt.ts'

export function recogniserOptions(settings: ProfileSettings): Omit<SttOptions, 'callId'> {
  const { language, languages, phrases, initialSilenceMs, profanity, secondHearing } = settings
  const segmentationSilenceMs = settings.segmentationSilenceMs || settings.silenceTimeoutMs
  return {
    ...{ language, languages, phrases, segmentationSilenceMs, initialSilenceMs },
    ...{ profanity, secondHearing },
  }
}
