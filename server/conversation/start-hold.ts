/**
 * Start hold: keeps the agent from starting to speak into a sound of the user, while it is unclear whether the user
 * goes on with the turn. Words decide; without words the hold ends by itself. Pure; audio time in ms.
 * Changed: a sound as long as a word waits for its final, which the embedded recogniser gives up to 2 s after it.
 */

/** Partials of the words just spoken arrive within this time after the sound ended. */
const AFTER_SPEECH_MS = 600
/** A sound of this length is likely to be words: then their final is waited for. */
const WORD_MS = 350
const AFTER_WORDS_MS = 1_500
/** A sound without words for this long is noise. */
const LONGEST_MS = 3_000

export class StartHold {
  #sinceMs: number | null = null
  #endedMs: number | null = null
  #waitMs = AFTER_SPEECH_MS

  get active(): boolean {
    return this.#sinceMs !== null
  }

  start(atMs: number): void {
    this.#sinceMs ??= atMs
    this.#endedMs = null
  }

  /** `soundMs`: how long the sound was, without the hangover. */
  speechEnded(atMs: number, soundMs: number): void {
    this.#endedMs = atMs
    this.#waitMs = soundMs >= WORD_MS ? AFTER_WORDS_MS : AFTER_SPEECH_MS
  }

  /** True once, when the agent may start. */
  isOver(atMs: number): boolean {
    if (this.#sinceMs === null) return false
    const quiet = this.#endedMs !== null && atMs - this.#endedMs >= this.#waitMs
    if (!quiet && atMs - this.#sinceMs < LONGEST_MS) return false
    this.reset()
    return true
  }

  reset(): void {
    this.#sinceMs = null
    this.#endedMs = null
  }
}
