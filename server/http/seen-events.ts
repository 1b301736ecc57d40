/**
 * Seen events: carriers deliver a webhook again until they are sure that it came, sometimes both times at once. What was seen
 * once changes nothing the second time.
 *
 * Invariant: at most `limit` ids are kept, the oldest goes first; at 5 000 calls an hour with ten events each that is minutes
 * beyond any carrier's last attempt.
 */
export class SeenEvents {
  readonly #limit: number
  readonly #ids = new Set<string>()

  constructor(limit = 50_000) {
    this.#limit = limit
  }

  get size(): number {
    return this.#ids.size
  }

  /** True for an id that comes for the first time; it may have several parts, none with a space in it. */
  first(...parts: string[]): boolean {
    // Joined, not put together by + or a template: those keep every part and a node for each seam, three times the bytes.
    const id = parts.join(' ')
    if (this.#ids.has(id)) return false
    this.#ids.add(id)
    const [oldest] = this.#ids
    if (this.#ids.size > this.#limit && oldest !== undefined) this.#ids.delete(oldest)
    return true
  }
}
