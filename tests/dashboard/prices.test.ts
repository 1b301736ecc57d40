import { describe, expect, test } from 'vitest'
import type { Prices } from '../../dashboard/src/api/types.ts'
import { isMessageKey } from '../../dashboard/src/language/messages.ts'
import {
  changedPrices,
  PRICE_GROUPS,
  priceProblems,
  withModel,
  withNewModel,
  withoutModel,
} from '../../dashboard/src/settings/prices.ts'
import { loadConfig } from '../../server/config.ts'

const PRICES: Prices = loadConfig({}).prices
const wrong = (prices: Prices) => [...priceProblems(prices)].map(([path, { key }]) => [path, key])

describe('the price list of the dashboard', () => {
  test('shows every price of the server, with a name and a unit in the table of messages', () => {
    const shown = Object.values(PRICE_GROUPS).flatMap(({ prices }) => prices as readonly string[])
    const inTable = ['llmModels', 'llmMillionInputTokens', 'llmMillionOutputTokens']
    expect([...shown, ...inTable].sort()).toEqual(Object.keys(PRICES).sort())
    const keys = [
      ...shown.map((name) => `price.${name}`),
      ...Object.values(PRICE_GROUPS).flatMap(({ title, unit }) => [title, unit]),
    ]
    expect(keys.filter((key) => !isMessageKey(key))).toEqual([])
  })

  test('finds nothing wrong with the defaults', () => {
    expect(wrong(PRICES)).toEqual([])
  })

  test('names an empty, a negative and a too high price by the path that the server uses', () => {
    const prices = { ...PRICES, sttHour: Number.NaN, twilioMinute: -1, telnyxMinute: 100_001 }
    expect(wrong(prices)).toEqual([
      ['sttHour', 'invalid.required'],
      ['twilioMinute', 'invalid.range'],
      ['telnyxMinute', 'invalid.range'],
    ])
    expect(wrong(withModel(PRICES, 1, { millionInputTokens: -1 }))).toEqual([
      ['llmModels.1.millionInputTokens', 'invalid.range'],
    ])
  })

  test('wants an id for a new model, and each id once', () => {
    const added = withNewModel(PRICES)
    const last = PRICES.llmModels.length
    expect(wrong(added)).toEqual([[`llmModels.${last}.model`, 'invalid.required']])
    const twice = withModel(added, last, { model: ' openai/gpt-oss-20b ' })
    expect(wrong(twice)).toEqual([[`llmModels.${last}.model`, 'price.twice']])
  })

  test('gives a new model the price of the models that are not listed', () => {
    expect(withNewModel(PRICES).llmModels.at(-1)).toEqual({
      model: '',
      millionInputTokens: 0.59,
      millionOutputTokens: 0.79,
    })
  })

  test('counts the list of models as one change, and none when it is as it was', () => {
    const added = withNewModel(withModel(PRICES, 0, { millionInputTokens: 1 }))
    expect(changedPrices(PRICES, { ...added, sttHour: 2 })).toEqual(['sttHour', 'llmModels'])
    const back = withoutModel(withNewModel(PRICES), PRICES.llmModels.length)
    expect(changedPrices(PRICES, back)).toEqual([])
  })
})
