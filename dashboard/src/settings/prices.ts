/** The price list's rules, without the page: its groups, what changed, what is wrong. Pure. */
import type { ModelPrice, Prices } from '../api/types.ts'
import type { MessageKey } from '../language/messages.ts'
import type { Problem } from './form.ts'

/** A price that is one number; those of models stand in a table of their own. */
export type PriceName = Exclude<keyof Prices, 'llmModels'>

export interface PriceGroup {
  title: MessageKey
  unit: MessageKey
  prices: readonly Exclude<PriceName, `llm${string}`>[]
}

export const PRICE_GROUPS = {
  hearing: {
    title: 'price.hearing',
    unit: 'price.perHour',
    prices: ['sttHour', 'secondHearingHour'],
  },
  voice: {
    title: 'price.voice',
    unit: 'price.perMillionCharacters',
    prices: ['ttsMillionCharacters', 'ttsHdMillionCharacters'],
  },
  line: { title: 'price.line', unit: 'price.perMinute', prices: ['twilioMinute', 'telnyxMinute'] },
} as const satisfies Record<string, PriceGroup>

export const PRICE_MAX = 100_000
export const MODELS_MAX = 100

/** Names of prices that differ; the models are one of them. */
export function changedPrices(from: Prices, to: Prices): string[] {
  return Object.keys(from).filter(
    (name) =>
      JSON.stringify(from[name as keyof Prices]) !== JSON.stringify(to[name as keyof Prices]),
  )
}

/** What is wrong, by the path that the server uses as well: `sttHour`, `llmModels.2.model`. */
export function priceProblems(prices: Prices): Map<string, Problem> {
  const problems = new Map<string, Problem>()
  const check = (path: string, value: number): void => {
    if (!Number.isFinite(value)) problems.set(path, { key: 'invalid.required' })
    else if (value < 0 || value > PRICE_MAX)
      problems.set(path, { key: 'invalid.range', values: { min: 0, max: PRICE_MAX } })
  }
  for (const [name, value] of Object.entries(prices)) {
    if (typeof value === 'number') check(name, value)
  }
  const names = prices.llmModels.map(({ model }) => model.trim())
  for (const [i, one] of prices.llmModels.entries()) {
    const path = `llmModels.${i}`
    const name = one.model.trim()
    if (name === '') problems.set(`${path}.model`, { key: 'invalid.required' })
    else if (names.indexOf(name) < i) problems.set(`${path}.model`, { key: 'price.twice' })
    check(`${path}.millionInputTokens`, one.millionInputTokens)
    check(`${path}.millionOutputTokens`, one.millionOutputTokens)
  }
  return problems
}

export function withModel(prices: Prices, at: number, change: Partial<ModelPrice>): Prices {
  const llmModels = prices.llmModels.map((one, i) => (i === at ? { ...one, ...change } : one))
  return { ...prices, llmModels }
}

/** One more, at the price of the models that are not listed. */
export function withNewModel(prices: Prices): Prices {
  const { llmMillionInputTokens: millionInputTokens } = prices
  const { llmMillionOutputTokens: millionOutputTokens } = prices
  const added = { model: '', millionInputTokens, millionOutputTokens }
  return { ...prices, llmModels: [...prices.llmModels, added] }
}

export function withoutModel(prices: Prices, at: number): Prices {
  return { ...prices, llmModels: prices.llmModels.filter((_, i) => i !== at) }
}
