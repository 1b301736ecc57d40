/** A queue that cannot grow without end: a name for logs and metrics, a limit, and a count of what was refused. */

export interface QueueStats {
  name: string
  limit: number
  queued: number
  dropped: number
}

export class BoundedQueue<T> {
  /** Told the queue's name for each item that a full queue refuses, of any queue of this process. */
  static onDropped: (name: string) => void = () => undefined

  readonly name: string
  readonly limit: number
  #items: T[] = []
  #dropped = 0

  constructor(name: string, limit: number) {
    this.name = name
    this.limit = limit
  }

  get length(): number {
    return this.#items.length
  }

  /** False when the queue is full; the item was then counted as dropped. */
  push(item: T): boolean {
    if (this.#items.length >= this.limit) {
      this.#dropped += 1
      BoundedQueue.onDropped(this.name)
      return false
    }
    this.#items.push(item)
    return true
  }

  shift(): T | undefined {
    return this.#items.shift()
  }

  /** Takes out the oldest item that fits. */
  take(fits: (item: T) => boolean): T | undefined {
    const index = this.#items.findIndex(fits)
    return index < 0 ? undefined : this.#items.splice(index, 1)[0]
  }

  /** Takes the item out, wherever it stands. */
  remove(item: T): void {
    const index = this.#items.indexOf(item)
    if (index >= 0) this.#items.splice(index, 1)
  }

  /** Empties the queue and returns what was in it. */
  takeAll(): T[] {
    return this.#items.splice(0)
  }

  stats(): QueueStats {
    return {
      name: this.name,
      limit: this.limit,
      queued: this.#items.length,
      dropped: this.#dropped,
    }
  }
}
