/**
 * Trouble on the line, from a seed: messages that a carrier sends late, twice, in the wrong order, or not at all. The same
 * seed makes the same trouble.
 */
import { seededRandom } from './tone-code.ts'

export interface TroubleOptions {
  seed: number
  /** Shares of messages, 0 to 1. */
  reorder: number
  lose: number
  repeat: number
  /** Held back until `delayMessages` others have gone, then sent all at once. */
  delay: number
}

export const NO_TROUBLE: TroubleOptions = { seed: 1, reorder: 0, lose: 0, repeat: 0, delay: 0 }

const DELAY_MESSAGES = 10

export class Trouble {
  readonly counts = { reordered: 0, lost: 0, repeated: 0, delayed: 0 }
  readonly #options: TroubleOptions
  readonly #random: () => number
  /** Waits for the next message to overtake it. */
  #overtaken: string | null = null
  #held: string[] = []
  #holding = 0

  constructor(options: TroubleOptions) {
    this.#options = options
    this.#random = seededRandom(options.seed)
  }

  /** What goes out instead of `message`: nothing, it, it twice, or it and one that waited. */
  pass(message: string): string[] {
    const { reorder, lose, repeat, delay } = this.#options
    if (this.#holding > 0) {
      this.#held.push(message)
      return --this.#holding > 0 ? [] : this.#held.splice(0)
    }
    if (this.#overtaken !== null) {
      const first = [message, this.#overtaken]
      this.#overtaken = null
      return first
    }
    const drawn = this.#random()
    if (drawn < lose) {
      this.counts.lost++
      return []
    }
    if (drawn < lose + repeat) {
      this.counts.repeated++
      return [message, message]
    }
    if (drawn < lose + repeat + reorder) {
      this.counts.reordered++
      this.#overtaken = message
      return []
    }
    if (drawn < lose + repeat + reorder + delay) {
      this.counts.delayed++
      this.#holding = DELAY_MESSAGES
      this.#held.push(message)
      return []
    }
    return [message]
  }
}
