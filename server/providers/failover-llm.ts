/**
 * Several language models as one: the first that answers in time serves the request.
 *
 *   stream() ─► first usable ─► no token within 1.2 s, refused, cut ─► the next ─► … ─► the last error
 *                    └─ first token ─► broke off ─┬─ before a word of it was used ─► `restart`, and the next
 *                                                  └─ else no way back: what was said was heard
 *
 * Between the first token and the first sentence lie 20…100 ms: of 50 calls one is always in there when a model fails.
 *
 * The short time-outs hold while there is another one to ask; the last one has its own, longer limits.
 */
import { OVER, ProviderError, errorText } from '../errors.ts'
import type { CallAccounts } from './call-accounts.ts'
import { stallError } from './chat-completion.ts'
import type { LlmEvent, LlmProvider, LlmRequest } from './llm.ts'
import { ProviderHealth, inOrder, type HealthOptions } from './provider-health.ts'
import { StallGuard, type StallLimits } from './stall-guard.ts'

/** Together with endpointing and the first audio these keep the line from being silent for 3 s. */
const DEFAULT_LIMITS: LlmStallLimits = { firstMs: 1_200, gapMs: 1_500, unusedGapMs: 800 }
/** Where the service gave no count (an aborted answer): four characters are about one token. */
const CHARACTERS_PER_TOKEN = 4

export interface LlmStallLimits extends StallLimits {
  /** The gap while nothing of the answer was used: the user hears nothing yet, and another model can begin anew. */
  unusedGapMs: number
}

export interface FailoverLlmOptions {
  accounts: CallAccounts
  limits?: Partial<LlmStallLimits>
  health?: HealthOptions
}

interface Entry {
  provider: LlmProvider
  health: ProviderHealth
}

export class FailoverLlm implements LlmProvider {
  readonly scripted: boolean
  readonly #entries: Entry[]
  readonly #accounts: CallAccounts
  readonly #limits: LlmStallLimits

  /** @param providers preferred first, at least one */
  constructor(providers: LlmProvider[], options: FailoverLlmOptions) {
    this.#entries = providers.map((provider) => ({
      provider,
      health: new ProviderHealth(provider, options.health),
    }))
    this.#accounts = options.accounts
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.scripted = this.#preferred.provider.scripted
  }

  /** The one that would be asked now. */
  get name(): string {
    return inOrder(this.#entries)[0]!.provider.name
  }

  get #preferred(): Entry {
    return this.#entries[0]!
  }

  async warm(): Promise<void> {
    await warmAll(this.#entries)
  }

  async *stream(request: LlmRequest, signal: AbortSignal): AsyncIterable<LlmEvent> {
    const entries = inOrder(this.#entries)
    let code = 'PROVIDER_OUT'
    let isRestart = false
    for (const [index, entry] of entries.entries()) {
      if (signal.aborted) return
      const isLast = index === entries.length - 1
      let begun = false
      let failed = false
      try {
        for await (const event of this.#ask(entry, { request, signal, isLast })) {
          if (!begun) this.#began(entry, request.callId, code)
          begun = true
          if (isRestart) yield { kind: 'restart' }
          isRestart = false
          yield event
        }
        return
      } catch (error) {
        failed = true
        if (signal.aborted) return
        const failure = asProviderError(error)
        entry.health.failed(failure)
        if (isLast || (begun && request.mayRestart?.() !== true)) throw failure
        isRestart ||= begun
        code = failure.code
      } finally {
        // Not at the first token: a model that breaks off behind it every time would never be out.
        if (begun && !failed && !signal.aborted) entry.health.worked()
      }
    }
  }

  async close(): Promise<void> {
    for (const { health } of this.#entries) health.stop()
    await Promise.all(this.#entries.map(({ provider }) => provider.close()))
  }

  #began(entry: Entry, callId: string, code: string): void {
    const { name: provider } = entry.provider
    const preferred = this.#preferred.provider.name
    this.#accounts.used(callId, { part: 'llm', provider, preferred, code })
  }

  /** One provider's answer; a stall is its failure. */
  async *#ask(
    { provider }: Entry,
    { request, signal, isLast }: { request: LlmRequest; signal: AbortSignal; isLast: boolean },
  ): AsyncIterable<LlmEvent> {
    const attempt = new AbortController()
    const abort = (): void => attempt.abort(OVER)
    signal.addEventListener('abort', abort, { once: true })
    const { firstMs, gapMs, unusedGapMs } = this.#limits
    const limits = {
      firstMs,
      get gapMs() {
        return request.mayRestart?.() === true ? unusedGapMs : gapMs
      },
    }
    const guard = new StallGuard(limits, abort)
    if (isLast) guard.stop()
    const count = { characters: 0, counted: false }
    let isRefused = false
    try {
      for await (const event of provider.stream(request, attempt.signal)) {
        guard.pause()
        this.#count(event, { provider, request, count })
        yield event
        if (event.kind === 'done') return
        if (!isLast) guard.progress()
      }
      if (guard.stalled === null) return
      throw stallError(guard.stalled, guard.brokenMs)
    } catch (error) {
      isRefused = asProviderError(error).code !== 'LLM_TIMEOUT'
      throw error
    } finally {
      guard.stop()
      signal.removeEventListener('abort', abort)
      attempt.abort(OVER)
      // One that was given up before its first token was read all the same; one that was refused was not.
      if (!count.counted && (count.characters > 0 || !isRefused))
        this.#estimate(provider, request, count)
    }
  }

  #count(
    event: LlmEvent,
    to: {
      provider: LlmProvider
      request: LlmRequest
      count: { characters: number; counted: boolean }
    },
  ): void {
    if (event.kind === 'text') to.count.characters += event.text.length
    if (event.kind !== 'done' || event.usage === null) return
    to.count.counted = true
    const { provider, request } = to
    this.#accounts.spent(request.callId, { ...served(provider, request), ...event.usage })
  }

  #estimate(provider: LlmProvider, request: LlmRequest, count: { characters: number }): void {
    const asked = request.messages.reduce((sum, message) => sum + message.content.length, 0)
    this.#accounts.spent(request.callId, {
      ...served(provider, request),
      promptTokens: Math.ceil(asked / CHARACTERS_PER_TOKEN),
      completionTokens: Math.ceil(count.characters / CHARACTERS_PER_TOKEN),
    })
  }
}

function served(provider: LlmProvider, { model }: LlmRequest) {
  return {
    part: 'llm',
    provider: provider.name,
    model: provider.modelFor?.(model) ?? model,
  } as const
}

/**
 * Warms all; what fails is out until its probe works, with its reason told to who watches its health.
 * @throws ProviderError the first one's when nothing is left
 */
export async function warmAll(
  entries: readonly { provider: { warm(): Promise<void> }; health: ProviderHealth }[],
): Promise<void> {
  const outcomes = await Promise.allSettled(entries.map(({ provider }) => provider.warm()))
  const failures = outcomes.flatMap((outcome, index) => {
    if (outcome.status === 'fulfilled') return []
    const failure = asProviderError(outcome.reason)
    // Out from the start, however hopeful the error: the first call must not find out.
    entries[index]!.health.failed(new ProviderError(failure.code, failure.message))
    return [failure]
  })
  if (failures[0] !== undefined && failures.length === entries.length) throw failures[0]
}

/** Providers promise ProviderError; whatever else they throw is wrapped. */
export function asProviderError(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error
  return new ProviderError('PROVIDER_BROKEN', errorText(error), { cause: error, retryable: true })
}
