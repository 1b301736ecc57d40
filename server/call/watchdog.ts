/**
 * Watchdog: ends calls whose line has died without saying so. Pure; wall time is handed in, because the audio clock
 * stands still exactly when the line is dead.
 */
import type { EndReason } from './call-state.ts'

export interface WatchdogLimits {
  /** No payload for this long: the carrier is gone although its socket is open. */
  noMediaMs: number
  /** The socket has taken nothing for this long: half dead. */
  stalledMs: number
}

export const WATCHDOG_LIMITS: WatchdogLimits = { noMediaMs: 15_000, stalledMs: 5_000 }

export class Watchdog {
  readonly #limits: WatchdogLimits
  #lastMediaMs: number
  #stalledSinceMs: number | null = null
  #bufferedBytes = 0

  constructor(nowMs: number, limits: WatchdogLimits = WATCHDOG_LIMITS) {
    this.#lastMediaMs = nowMs
    this.#limits = limits
  }

  mediaSeen(nowMs: number): void {
    this.#lastMediaMs = nowMs
  }

  /** Why the call must end now, or null. `bufferedBytes` is what the socket holds back. */
  check(nowMs: number, bufferedBytes: number): EndReason | null {
    const drained = bufferedBytes === 0 || bufferedBytes < this.#bufferedBytes
    this.#bufferedBytes = bufferedBytes
    if (drained) this.#stalledSinceMs = null
    else this.#stalledSinceMs ??= nowMs
    if (this.#stalledSinceMs !== null && nowMs - this.#stalledSinceMs >= this.#limits.stalledMs) {
      return 'socketStalled'
    }
    return nowMs - this.#lastMediaMs >= this.#limits.noMediaMs ? 'noMedia' : null
  }
}
