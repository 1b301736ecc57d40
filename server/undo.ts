/** Undo: what has been started, so that it can be stopped in reverse. */
import { errorText } from './errors.ts'
import type { Log } from './log.ts'

/** Newest last; a step that fails is reported and does not keep the others from running. */
export class Undo {
  readonly #steps: { name: string; stop(): Promise<void> | void }[] = []

  add(name: string, stop: () => Promise<void> | void): void {
    this.#steps.push({ name, stop })
  }

  async run(log: Log): Promise<void> {
    for (const { name, stop } of this.#steps.splice(0).reverse()) {
      try {
        await stop()
      } catch (error) {
        log.error({ part: name, error: errorText(error) }, 'part did not stop cleanly')
      }
    }
  }
}
