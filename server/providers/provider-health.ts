/**
 * Health of one provider: a circuit breaker that opens after two failures in a row, and a probe in the background that
 * closes it again.
 *
 *   worked() / failed() ─► breaker ─┬─ closed: usable
 *                                   └─ open: not asked by calls; probe() every 5 s until it works
 *
 * A failure that trying again cannot mend (a refused key) opens it at once. Calls never pay for the probe.
 */
import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleAll,
} from 'cockatiel'
import type { ProviderError } from '../errors.ts'

export interface HealthOptions {
  /** Between two probes of a provider that is out, ms. Default 5 000. */
  probeEveryMs?: number
  /** Failures in a row that open the breaker. Default 2. */
  failures?: number
  /** `isUsable` has changed; `reason`: the failure that put the provider out. */
  onChange?(name: string, isUsable: boolean, reason: ProviderError | null): void
}

/** What is asked of a provider to be watched; `warm` is the probe of those that have no other. */
export interface Watched {
  readonly name: string
  warm(): Promise<void>
  probe?(): Promise<void>
}

export class ProviderHealth {
  readonly name: string
  readonly #probe: () => Promise<void>
  readonly #probeEveryMs: number
  readonly #failures: number
  readonly #breaker
  #timer: NodeJS.Timeout | null = null
  #stopped = false
  #reason: ProviderError | null = null

  constructor(provider: Watched, options: HealthOptions = {}) {
    this.name = provider.name
    this.#probe = () => provider.probe?.() ?? provider.warm()
    this.#probeEveryMs = options.probeEveryMs ?? 5_000
    this.#failures = options.failures ?? 2
    this.#breaker = circuitBreaker(handleAll, {
      breaker: new ConsecutiveBreaker(this.#failures),
      // A little less than our own timer, which decides.
      halfOpenAfter: Math.floor(this.#probeEveryMs * 0.8),
    })
    this.#breaker.onBreak(() => {
      options.onChange?.(this.name, false, this.#reason)
      this.#probeLater()
    })
    this.#breaker.onReset(() => options.onChange?.(this.name, true, null))
  }

  get isUsable(): boolean {
    return this.#breaker.state === CircuitState.Closed
  }

  worked(): void {
    this.#tell(() => undefined)
  }

  failed(error: ProviderError): void {
    this.#reason = error
    const times = error.retryable ? 1 : this.#failures
    for (let i = 0; i < times; i++) {
      this.#tell(() => {
        throw error
      })
    }
  }

  stop(): void {
    this.#stopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #tell(outcome: () => void): void {
    this.#breaker.execute(outcome).catch(() => {
      // The failure that we are reporting ourselves, or the news that the breaker is open.
    })
  }

  #probeLater(): void {
    if (this.#stopped) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#tryAgain(), this.#probeEveryMs)
    this.#timer.unref()
  }

  async #tryAgain(): Promise<void> {
    try {
      await this.#breaker.execute(() => this.#probe())
    } catch (error) {
      // A failed probe opens the breaker anew, which sets the timer; one that came too early must set it here.
      if (error instanceof BrokenCircuitError) this.#probeLater()
    }
  }
}

/** Providers in the order to try: those that are usable, then, when all else failed, the others. */
export function inOrder<T extends { health: ProviderHealth }>(
  entries: readonly T[],
  isFit: (entry: T) => boolean = () => false,
): T[] {
  const good = entries.filter((entry) => entry.health.isUsable || isFit(entry))
  return [...good, ...entries.filter((entry) => !good.includes(entry))]
}
