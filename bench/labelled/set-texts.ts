/** What the labelled sets are made of. Two parts: `tuning`, which the rules were made with, and `heldOut`, never seen then. */
import { FILLINGS, HESITANT_TEXTS, type HesitationKind } from './hesitant-texts.ts'
import { HELD_OUT_TEXTS } from './held-out-texts.ts'
import { AGENT_TEXTS, BACKCHANNELS, INTERRUPTIONS } from './overlap-texts.ts'
import type { Speaker } from '../rig/speech.ts'

export type SetLanguage = 'es-MX' | 'en-US'
export type SetPart = 'tuning' | 'heldOut'

type ByLanguage<T> = Readonly<Record<SetLanguage, T>>

export const FILLING_NAMES = ['day', 'city', 'surname', 'name', 'count', 'digit'] as const
export type FillingName = (typeof FILLING_NAMES)[number]

export interface SetTexts {
  hesitant: ByLanguage<Record<HesitationKind, readonly string[]>>
  fillings: ByLanguage<Readonly<Record<FillingName, readonly string[]>>>
  agents: ByLanguage<readonly string[]>
  interruptions: ByLanguage<readonly string[]>
  backchannels: ByLanguage<readonly string[]>
  /** How the embedded voice is made to sound; one for each case. */
  speakers: readonly Speaker[]
}

export const SET_TEXTS: Readonly<Record<SetPart, SetTexts>> = {
  tuning: {
    hesitant: HESITANT_TEXTS,
    fillings: FILLINGS,
    agents: AGENT_TEXTS,
    interruptions: INTERRUPTIONS,
    backchannels: BACKCHANNELS,
    speakers: [
      { speed: 1, pitch: 1 },
      { speed: 0.88, pitch: 0.9 },
      { speed: 1.12, pitch: 1.05 },
      { speed: 1.05, pitch: 1.12 },
    ],
  },
  heldOut: HELD_OUT_TEXTS,
}

/** Seeds of the held-out part are this far from those of the tuning part. */
export const HELD_OUT_SEED = 1_000
