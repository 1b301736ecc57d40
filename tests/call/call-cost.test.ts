import { describe, expect, it } from 'vitest'
import { costOf } from '../../server/call/call-cost.ts'

const PRICES = {
  sttHour: 1,
  secondHearingHour: 0.1,
  ttsMillionCharacters: 15,
  ttsHdMillionCharacters: 30,
  llmModels: [{ model: 'openai/gpt-oss-120b', millionInputTokens: 0.2, millionOutputTokens: 2 }],
  llmMillionInputTokens: 0.5,
  llmMillionOutputTokens: 1,
  twilioMinute: 0.01,
  telnyxMinute: 0.004,
}
const tokens = (provider: string, model: string, promptTokens: number, completionTokens = 0) => ({
  ...{ provider, model, promptTokens, completionTokens },
})
const USAGE = {
  sttSeconds: { azure: 180, embedded: 60 },
  ttsCharacters: { azure: 1_000, embedded: 500 },
  ttsHdCharacters: {},
  cachedCharacters: 200,
  tokens: [tokens('groq', 'new-model', 10_000, 2_000), tokens('scripted', 'new-model', 5)],
}
const twilio = { carrier: 'twilio', minutes: 3, prices: PRICES } as const

describe('cost of a call', () => {
  it('adds up what the clouds and the carrier charge, to a millionth of a dollar', () => {
    expect(costOf(USAGE, twilio)).toEqual({
      sttSeconds: 240,
      ttsCharacters: 1_500,
      cachedCharacters: 200,
      promptTokens: 10_005,
      completionTokens: 2_000,
      carrierMinutes: 3,
      sttUsd: 0.05,
      ttsUsd: 0.015,
      llmUsd: 0.007,
      carrierUsd: 0.03,
      totalUsd: 0.102,
    })
  })

  it('charges no carrier for a browser, and each carrier its own minute', () => {
    const cost = costOf(USAGE, { ...twilio, carrier: 'browser' })
    expect([cost.carrierMinutes, cost.carrierUsd, cost.totalUsd]).toEqual([0, 0, 0.072])
    expect(costOf(USAGE, { ...twilio, carrier: 'telnyx' }).carrierUsd).toBe(0.012)
  })

  it('charges HD voices at their own price', () => {
    const cost = costOf({ ...USAGE, ttsHdCharacters: { azure: 1_000 } }, twilio)
    expect([cost.ttsCharacters, cost.ttsUsd]).toEqual([2_500, 0.045])
  })

  it('charges a listed model its price, one that is not listed the price of the others', () => {
    const use = [tokens('groq', 'openai/gpt-oss-120b', 1_000_000, 100_000)]
    expect(costOf({ ...USAGE, tokens: use }, twilio).llmUsd).toBe(0.4)
    const other = [...use, tokens('groq', 'other', 1_000_000, 1_000_000)]
    expect(costOf({ ...USAGE, tokens: other }, twilio).llmUsd).toBe(1.9)
  })

  it('charges a model of an OpenAI-compatible server only when it is listed', () => {
    const own = [tokens('openai', 'llama3.2', 1_000_000)]
    expect(costOf({ ...USAGE, tokens: own }, twilio).llmUsd).toBe(0)
    const listed = [tokens('openai', 'openai/gpt-oss-120b', 1_000_000)]
    expect(costOf({ ...USAGE, tokens: listed }, twilio).llmUsd).toBe(0.2)
  })
})
