/**
 * Call accounts: what each live call uses of the providers, and which ones it uses.
 *
 *   failover wrappers ─► used() ─► the call's listener, when the provider is another one than before
 *                    └► spent() ─► sums, taken by the call at its end
 *
 * Providers serve all calls; this is the one place that knows to which call a request belongs (by its id).
 * Invariant: nothing stays behind once close() was called; requests without an open account (previews) are not counted.
 */

export type ProviderPart = 'stt' | 'llm' | 'tts'

export interface ProviderSwitch {
  part: ProviderPart
  from: string
  to: string
  /** The error code that caused it; PROVIDER_OUT: known to be out; PROVIDER_BACK: the preferred one works again. */
  code: string
}

export interface CallUsage {
  /** Audio sent to recognisers. */
  sttSeconds: Record<string, number>
  /** Characters charged, of standard and of HD voices; those that came from the cache apart. */
  ttsCharacters: Record<string, number>
  ttsHdCharacters: Record<string, number>
  cachedCharacters: number
  tokens: ModelUse[]
}

/** One language model at one provider. */
export interface ModelUse {
  provider: string
  model: string
  promptTokens: number
  completionTokens: number
}

type Spending =
  | { part: 'stt'; provider: string; seconds: number }
  | { part: 'tts'; provider: string; characters: number; isHd: boolean }
  | { part: 'cache'; characters: number }
  | ({ part: 'llm' } & ModelUse)

interface Account {
  usage: CallUsage
  current: Partial<Record<ProviderPart, string>>
  onSwitch(change: ProviderSwitch): void
}

export class CallAccounts {
  readonly #accounts = new Map<string, Account>()

  /** Accounts that are open: as many as there are calls. */
  get size(): number {
    return this.#accounts.size
  }

  open(callId: string, onSwitch: (change: ProviderSwitch) => void): void {
    this.#accounts.set(callId, { usage: emptyUsage(), current: {}, onSwitch })
  }

  /** @returns what the call has used; zeros when there is no such account. */
  close(callId: string): CallUsage {
    const account = this.#accounts.get(callId)
    this.#accounts.delete(callId)
    return account?.usage ?? emptyUsage()
  }

  /** The provider that serves this call from now on. `preferred`: the first of the order. */
  used(
    callId: string,
    use: { part: ProviderPart; provider: string; preferred: string; code: string },
  ): void {
    const account = this.#accounts.get(callId)
    if (account === undefined) return
    const { part, provider: to, preferred, code } = use
    const from = account.current[part] ?? preferred
    account.current[part] = to
    if (from === to) return
    account.onSwitch({ part, from, to, code: to === preferred ? 'PROVIDER_BACK' : code })
  }

  spent(callId: string, spending: Spending): void {
    const usage = this.#accounts.get(callId)?.usage
    if (usage === undefined) return
    if (spending.part === 'cache') usage.cachedCharacters += spending.characters
    if (spending.part === 'stt') add(usage.sttSeconds, spending.provider, spending.seconds)
    if (spending.part === 'tts') {
      const sums = spending.isHd ? usage.ttsHdCharacters : usage.ttsCharacters
      add(sums, spending.provider, spending.characters)
    }
    if (spending.part === 'llm') addTokens(usage.tokens, spending)
  }
}

function add(sums: Record<string, number>, name: string, amount: number): void {
  sums[name] = (sums[name] ?? 0) + amount
}

function addTokens(uses: ModelUse[], spent: ModelUse): void {
  const { provider, model, promptTokens, completionTokens } = spent
  const use = uses.find((one) => one.provider === provider && one.model === model)
  if (use === undefined) {
    uses.push({ provider, model, promptTokens, completionTokens })
    return
  }
  use.promptTokens += promptTokens
  use.completionTokens += completionTokens
}

function emptyUsage(): CallUsage {
  return {
    sttSeconds: {},
    ttsCharacters: {},
    ttsHdCharacters: {},
    cachedCharacters: 0,
    tokens: [],
  }
}
