/** Digits: collects DTMF into one turn. `#` ends it, else a pause of 2 s. Pure; audio time in ms. */

/** The pause between keys after which the entry is over: the usual inter-digit time-out of IVRs. */
export const INTER_DIGIT_MS = 2_000

/** Longer entries (a card has 19) are ended, so that a stuck key cannot grow without limit. */
const LONGEST_ENTRY = 32

export class DigitEntry {
  #digits = ''
  #lastMs = 0

  get pending(): boolean {
    return this.#digits !== ''
  }

  /** @returns the whole entry when this digit ends it, else null. Anything that is no DTMF digit is ignored. */
  push(digit: string, atMs: number): string | null {
    if (!/^[0-9*#A-D]$/.test(digit)) return null
    this.#digits += digit
    this.#lastMs = atMs
    return digit === '#' || this.#digits.length >= LONGEST_ENTRY ? this.#take() : null
  }

  tick(atMs: number): string | null {
    return this.pending && atMs - this.#lastMs >= INTER_DIGIT_MS ? this.#take() : null
  }

  #take(): string {
    const digits = this.#digits
    this.#digits = ''
    return digits
  }
}
