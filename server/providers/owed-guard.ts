/**
 * Stall limits of a voice whose text is still being written: as long as it waits for text, it owes nothing and no time runs.
 *
 *   text open ─ no limit ─► text whole: firstMs to the first audio, or gapMs from the last ─► StallGuard
 */
import { StallGuard, type StallLimits } from './stall-guard.ts'

export class OwedGuard {
  readonly #limits: StallLimits
  readonly #onStall: () => void
  #guard: StallGuard | null = null
  #begun = false
  #stopped = false

  /** Runs from owe() on. `onStall` is called at most once, and never after stop(). */
  constructor(limits: StallLimits, onStall: () => void) {
    this.#limits = limits
    this.#onStall = onStall
  }

  /** Which limit was broken; null while all is well. */
  get stalled(): 'first' | 'gap' | null {
    return this.#guard?.stalled ?? null
  }

  /** The voice has the whole text: the time runs from here. Idempotent. */
  owe(): void {
    if (this.#guard || this.#stopped) return
    this.#guard = new StallGuard(this.#limits, this.#onStall)
    if (this.#begun) this.#guard.progress()
  }

  progress(): void {
    this.#begun = true
    this.#guard?.progress()
  }

  /** No time runs while the receiver is busy with what it got; the next progress() goes on. */
  pause(): void {
    this.#begun = true
    this.#guard?.pause()
  }

  stop(): void {
    this.#stopped = true
    this.#guard?.stop()
  }
}
