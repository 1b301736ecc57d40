/**
 * Seen events: carriers deliver a webhook again until they are sure that it came, sometimes both times at once. What was seen
 * once changes nothing the second time.
 *
 * Invariant: at least the newest `limit` are remembered; at 5 000 calls an hour with ten events each that is minutes beyond
 * any carrier's last attempt.
 */
import { RememberedIds } from '../remembered-ids.ts'

export class SeenEvents {
  readonly #ids: RememberedIds

  constructor(limit = 50_000) {
    this.#ids = new RememberedIds({ limit })
  }

  get size(): number {
    return this.#ids.size
  }

  /** True for an id that comes for the first time; it may have several parts, none with a space in it. */
  first(...parts: string[]): boolean {
    return this.#ids.add(parts.join(' '))
  }
}
