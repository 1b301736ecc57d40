/**
 * Start hold: keeps the agent from starting to speak into a sound of the user, while it is unclear whether the user
 * goes on with the turn. Words decide; without words the hold ends by itself. Pure; audio time in ms.
 */

/** Partials of the words just spoken arrive within this time after the sound ended. */
const AFTER_SPEECH_MS = 600
/** A sound without words for this long is noise. */
const LONGEST_MS = 3_000

export class StartHold {
  #sinceMs: number | null = null
  #endedMs: number | null = null

  start(atMs: number): void {
    this.#sinceMs ??= atMs
    this.#endedMs = null
  }

  speechEnded(atMs: number): void {
    this.#endedMs = atMs
  }

  /** True once, when the agent may start. */
  isOver(atMs: number): boolean {
    if (this.#sinceMs === null) return false
    const quiet = this.#endedMs !== null && atMs - this.#endedMs >= AFTER_SPEECH_MS
    if (!quiet && atMs - this.#sinceMs < LONGEST_MS) return false
    this.reset()
    return true
  }

  reset(): void {
    this.#sinceMs = null
    this.#endedMs = null
  }
}
