/**
 * Filler: what the agent says when its answer, or a tool, takes so long that silence would sound like a dead line.
 * At most once per wait, never twice without an answer between them. Pure; audio time in ms.
 */
import { phrasesFor } from './phrases.ts'

export interface FillerSettings {
  language: string
  /** 0: never. */
  fillerAfterMs: number
  /** Empty: the language's own. */
  fillerPhrases: readonly string[]
}

export class Filler {
  readonly #settings: FillerSettings
  readonly #turnId: number
  #silentSinceMs: number | null = null
  #isSpent = false

  /** `turnId` chooses the phrase, so that the same one does not come every time. */
  constructor(settings: FillerSettings, turnId: number) {
    this.#settings = settings
    this.#turnId = turnId
  }

  /** The model's own words came: the next wait may be filled again. */
  answered(): void {
    this.#isSpent = false
    this.#silentSinceMs = null
  }

  /** `isWaiting`: nothing of the turn is audible or about to be. @returns the phrase, once it is due. */
  tick(atMs: number, isWaiting: boolean): string | null {
    const { fillerAfterMs, fillerPhrases, language } = this.#settings
    if (!isWaiting) {
      this.#silentSinceMs = null
      return null
    }
    this.#silentSinceMs ??= atMs
    if (fillerAfterMs === 0 || this.#isSpent || atMs - this.#silentSinceMs < fillerAfterMs)
      return null
    this.#isSpent = true
    const phrases = fillerPhrases.length > 0 ? fillerPhrases : phrasesFor(language).fillers
    return phrases[this.#turnId % phrases.length] ?? null
  }
}
