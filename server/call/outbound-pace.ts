/** Pace of calls out, for one account: so many at once, so many a second. Pure; wall time is handed in. */
import type { OutboundLimits } from '../config.ts'

export type PaceVerdict =
  { ok: true } | { ok: false; reason: 'tooMany' | 'tooFast'; waitMs: number }

export class OutboundPace {
  readonly #limits: OutboundLimits
  readonly #begunMs: number[] = []

  constructor(limits: OutboundLimits) {
    this.#limits = limits
  }

  /** Asks for one more call and, when it may begin, counts it. `live`: calls out that have not ended. */
  take(live: number, nowMs: number): PaceVerdict {
    if (live >= this.#limits.maxCalls) return { ok: false, reason: 'tooMany', waitMs: 5_000 }
    while (this.#begunMs.length > 0 && this.#begunMs[0]! <= nowMs - 1_000) this.#begunMs.shift()
    if (this.#begunMs.length >= this.#limits.callsPerSec) {
      return { ok: false, reason: 'tooFast', waitMs: this.#begunMs[0]! + 1_000 - nowMs }
    }
    this.#begunMs.push(nowMs)
    return { ok: true }
  }
}
