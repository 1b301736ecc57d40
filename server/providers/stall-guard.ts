/** Time-outs of a stream: one until its first item, one between the items after it. */

export interface StallLimits {
  /** From the start to the first progress(). */
  firstMs: number
  /** Between two progress(). */
  gapMs: number
}

export class StallGuard {
  readonly #limits: StallLimits
  readonly #onStall: () => void
  #timer: NodeJS.Timeout
  #stalled: 'first' | 'gap' | null = null

  /** Starts at once. `onStall` is called at most once, and never after stop(). */
  constructor(limits: StallLimits, onStall: () => void) {
    this.#limits = limits
    this.#onStall = onStall
    this.#timer = setTimeout(() => this.#expire('first'), limits.firstMs)
  }

  /** Which limit was broken; null while all is well. */
  get stalled(): 'first' | 'gap' | null {
    return this.#stalled
  }

  /** The limit that was broken, ms. */
  get brokenMs(): number {
    return this.#stalled === 'gap' ? this.#limits.gapMs : this.#limits.firstMs
  }

  progress(): void {
    if (this.#stalled !== null) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#expire('gap'), this.#limits.gapMs)
  }

  /** No time runs while the receiver is busy with what it got; the next progress() goes on. */
  pause(): void {
    clearTimeout(this.#timer)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #expire(which: 'first' | 'gap'): void {
    this.#stalled = which
    this.#onStall()
  }
}
