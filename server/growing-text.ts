/**
 * Growing text: a text that is spoken while it is still being written. It only grows; whoever reads it, and whenever, reads
 * it from its beginning, so that a second voice can take over where the first one failed.
 *
 *   grow() ─► [ text ≤ 2 000 characters ] ─► any number of readers, each at its own place
 *   finish() / abort() ─► readers come to their end
 */
import { BoundedQueue } from './bounded-queue.ts'

/** The name in the metric of dropped items. */
export const GROWING_TEXT_NAME = 'growingText'
/** A sentence has 240 characters at most; of nothing but times of day, written as they are read, 1 200. */
export const GROWING_TEXT_LIMIT = 2_000

export class GrowingText implements AsyncIterable<string> {
  #text = ''
  #ended = false
  #dropped = 0
  readonly #waiting = new Set<() => void>()
  readonly #whole = Promise.withResolvers<string>()

  /** What there is so far. */
  get text(): string {
    return this.#text
  }

  /** True when it will not grow any more. */
  get ended(): boolean {
    return this.#ended
  }

  /** How often text was refused for want of room. */
  get dropped(): number {
    return this.#dropped
  }

  /** The text at its end. Never rejects. */
  whole(): Promise<string> {
    return this.#whole.promise
  }

  /** The text is now `text`; what does not begin with the text so far, or is too long, is refused and counted. */
  grow(text: string): void {
    if (this.#ended || text === this.#text) return
    if (!text.startsWith(this.#text) || text.length > GROWING_TEXT_LIMIT) {
      this.#dropped += 1
      BoundedQueue.onDropped(GROWING_TEXT_NAME)
      return
    }
    this.#text = text
    this.#wake()
  }

  /** The text is complete: `text`, less white space at its end. */
  finish(text: string): void {
    if (this.#text.trimEnd() !== text) this.grow(text)
    this.#end()
  }

  /** Nobody will finish it. Idempotent. */
  abort(): void {
    this.#end()
  }

  /** What was written since the last step, at least one character. Leaving the loop leaves nothing behind. */
  [Symbol.asyncIterator](): AsyncIterator<string, undefined> {
    let at = 0
    let left = false
    let wake: () => void = () => undefined
    const next = async (): Promise<IteratorResult<string, undefined>> => {
      while (!left && at === this.#text.length && !this.#ended) {
        await new Promise<void>((resolve) => this.#waiting.add((wake = resolve)))
      }
      if (left || at === this.#text.length) return { done: true, value: undefined }
      const value = this.#text.slice(at)
      at = this.#text.length
      return { done: false, value }
    }
    const leave = async (): Promise<IteratorResult<string, undefined>> => {
      left = true
      this.#waiting.delete(wake)
      wake()
      return { done: true, value: undefined }
    }
    return { next, return: leave }
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#whole.resolve(this.#text)
    this.#wake()
  }

  #wake(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }
}

/** The text at its end; null, at once, when `signal` aborts. Never rejects. */
export function wholeText(
  text: { whole(): Promise<string> },
  signal: AbortSignal,
): Promise<string | null> {
  if (signal.aborted) return Promise.resolve(null)
  return new Promise((resolve) => {
    const onAbort = (): void => resolve(null)
    signal.addEventListener('abort', onAbort, { once: true })
    void text.whole().then((whole) => {
      signal.removeEventListener('abort', onAbort)
      resolve(whole)
    })
  })
}
