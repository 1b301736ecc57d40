/** What is said and done when providers keep failing: an apology, then a person or the end of the call. Pure. */
import type { ProfileSettings } from '../agent-settings.ts'
import type { AfterTurn } from './agent-turn.ts'
import { phrasesFor } from './phrases.ts'

export function lastResort(settings: ProfileSettings): { text: string; after: AfterTurn } {
  const { technicalGoodbye, technicalTransfer } = phrasesFor(settings.language)
  const to = settings.transferPhoneNumber
  return settings.providerFailureAction === 'transfer' && to !== null
    ? { text: technicalTransfer, after: { kind: 'transfer', to, isLastResort: true } }
    : { text: technicalGoodbye, after: { kind: 'hangup', reason: 'providerFailed' } }
}
