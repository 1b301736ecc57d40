import { describe, expect, it } from 'vitest'
import { costOf } from '../../server/call/call-cost.ts'

const PRICES = {
  sttHour: 1,
  secondHearingHour: 0.1,
  ttsMillionCharacters: 15,
  llmMillionInputTokens: 0.5,
  llmMillionOutputTokens: 1,
  carrierMinute: 0.01,
}
const USAGE = {
  sttSeconds: { azure: 180, embedded: 60 },
  ttsCharacters: { azure: 1_000, embedded: 500 },
  ttsHdCharacters: {},
  cachedCharacters: 200,
  promptTokens: { groq: 10_000, scripted: 5 },
  completionTokens: { groq: 2_000 },
}

describe('cost of a call', () => {
  it('adds up what the clouds and the carrier charge, to a millionth of a dollar', () => {
    expect(costOf(USAGE, { carrier: 'twilio', minutes: 3, prices: PRICES })).toEqual({
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

  it('charges no carrier for a browser', () => {
    const cost = costOf(USAGE, { carrier: 'browser', minutes: 3, prices: PRICES })
    expect([cost.carrierMinutes, cost.carrierUsd, cost.totalUsd]).toEqual([0, 0, 0.072])
  })
})
