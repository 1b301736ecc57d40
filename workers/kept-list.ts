/**
 * A list that is filled and emptied hundreds of times a second, and keeps its memory: an array whose length is set to 0 gives its own
 * back, and grows anew with each filling.
 */
export class KeptList<T> {
  readonly #items: (T | null)[] = []
  #length = 0

  get length(): number {
    return this.#length
  }

  push(item: T): void {
    this.#items[this.#length++] = item
  }

  /** `index` below `length`. */
  at(index: number): T {
    return this.#items[index]!
  }

  /** Nothing that was in it is kept alive by it. */
  clear(): void {
    this.#items.fill(null, 0, this.#length)
    this.#length = 0
  }
}
