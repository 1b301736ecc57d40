/**
 * Several recognisers as one, for as long as a call lasts.
 *
 *   push ─┬─► current session ─► partial / final ─► the call
 *         └─► replay-audio (what no final has confirmed)
 *   error, silence about speech, old age ─► new session (same provider or the next) ◄─ replay
 *
 * - An error: the same provider once more when it had worked, else the next one.
 * - Speech for 2 s, or 1.8 s behind it, without a word: the recogniser is deaf; the next one hears the same audio.
 * - Near the service's age limit, in a pause: a new session of the same provider. When the preferred one is back: that.
 *
 * A final of time that was already final is dropped, so nothing is heard twice, also when the service repeats itself.
 * Only when every provider failed for 10 s is the call told. Time is audio time, except where there is no audio to wait on.
 */
import type { ProviderError } from '../errors.ts'
import type { CallAccounts } from './call-accounts.ts'
import { warmAll } from './failover-llm.ts'
import { FailoverSttSession, type SttEntry } from './failover-stt-session.ts'
import { ProviderHealth, inOrder, type HealthOptions } from './provider-health.ts'
import { sttRateOf } from './stt.ts'
import type { SttEvents, SttOptions, SttProvider, SttRateHz, SttSession } from './stt.ts'

export interface FailoverSttOptions {
  accounts: CallAccounts
  health?: HealthOptions
  /** Between two rounds over all providers when all have failed, ms. Default 500. */
  retryMs?: number
  /** So long all may fail before the call is told, ms. Default 10 000. */
  giveUpMs?: number
  /** Monotonic clock, ms. Default performance.now. */
  nowMs?(): number
}

export class FailoverStt implements SttProvider {
  readonly #entries: SttEntry[]
  readonly #options: FailoverSttOptions
  readonly #sessions = new Set<FailoverSttSession>()

  /** @param providers preferred first, at least one */
  constructor(providers: SttProvider[], options: FailoverSttOptions) {
    this.#entries = providers.map((provider) => ({
      provider,
      health: new ProviderHealth(provider, options.health),
    }))
    this.#options = options
  }

  /** The one that would be asked now. */
  get name(): string {
    return inOrder(this.#entries)[0]!.provider.name
  }

  /** The preferred one's, whoever hears the call in the end: it stays the same for as long as a call lasts. */
  rateFor(lineRateHz: number): SttRateHz {
    return sttRateOf(this.#entries[0]!.provider, lineRateHz)
  }

  async warm(): Promise<void> {
    await warmAll(this.#entries)
  }

  prepare(options: Omit<SttOptions, 'callId'>): void {
    inOrder(this.#entries)[0]!.provider.prepare?.(options)
  }

  open(options: SttOptions, events: SttEvents): SttSession {
    const { accounts, retryMs = 500, giveUpMs = 10_000 } = this.#options
    const session = new FailoverSttSession(this.#entries, {
      options,
      accounts,
      retryMs,
      giveUpMs,
      nowMs: () => this.#options.nowMs?.() ?? performance.now(),
      onPartial: (transcript) => events.onPartial(transcript),
      onFinal: (transcript) => events.onFinal(transcript),
      onError: (error: ProviderError) => events.onError(error),
      onClosed: () => this.#sessions.delete(session),
    })
    this.#sessions.add(session)
    session.begin()
    return session
  }

  async close(): Promise<void> {
    for (const session of [...this.#sessions]) session.close()
    for (const { health } of this.#entries) health.stop()
    await Promise.all(this.#entries.map(({ provider }) => provider.close()))
  }
}
