import { describe, expect, it } from 'vitest'
import { loadConfig } from '../server/config.ts'
import { priceChanges, pricesInForce, priceOfModel, prices } from '../server/prices.ts'

const DEFAULTS = loadConfig({}).prices

describe('default prices', () => {
  it('are PRICE_* of the environment, with Groq’s models and 0.0085 a minute for both carriers', () => {
    expect(prices.parse(DEFAULTS)).toEqual(DEFAULTS)
    expect(DEFAULTS).toMatchObject({ sttHour: 1, twilioMinute: 0.0085, telnyxMinute: 0.0085 })
    expect(priceOfModel(DEFAULTS, 'openai/gpt-oss-120b')).toMatchObject({
      millionInputTokens: 0.15,
      millionOutputTokens: 0.6,
    })
    expect(priceOfModel(DEFAULTS, 'some-new-model')).toBeNull()
  })

  it('take PRICE_CARRIER_MINUTE for each carrier that has no price of its own', () => {
    const env = { PRICE_CARRIER_MINUTE: '0.02', PRICE_TELNYX_MINUTE: '0.007' }
    expect(loadConfig(env).prices).toMatchObject({ twilioMinute: 0.02, telnyxMinute: 0.007 })
  })

  it('refuse to start on a negative price, naming the variable', () => {
    expect(() => loadConfig({ PRICE_TTS_HD_MILLION_CHARACTERS: '-1' })).toThrow(
      /PRICE_TTS_HD_MILLION_CHARACTERS/,
    )
  })
})

describe('changed prices', () => {
  it('are stored as what differs, so that a new default reaches the others', () => {
    const changes = priceChanges({ ...DEFAULTS, sttHour: 0.9 }, DEFAULTS)
    expect(changes).toEqual({ sttHour: 0.9 })
    const later = { ...DEFAULTS, ttsMillionCharacters: 16 }
    expect(pricesInForce(later, changes)).toMatchObject({ sttHour: 0.9, ttsMillionCharacters: 16 })
  })

  it('hold the whole list of models once one of them changed, and nothing when it is the default again', () => {
    const llmModels = DEFAULTS.llmModels.map((one) => ({ ...one, millionInputTokens: 9 }))
    expect(priceChanges({ ...DEFAULTS, llmModels }, DEFAULTS)).toEqual({ llmModels })
    expect(priceChanges(structuredClone(DEFAULTS), DEFAULTS)).toEqual({})
  })

  it('leave the default where something stored is no price', () => {
    const stored = { sttHour: 'free', twilioMinute: -1, gone: 3, telnyxMinute: 0.5 }
    expect(pricesInForce(DEFAULTS, stored)).toEqual({ ...DEFAULTS, telnyxMinute: 0.5 })
  })
})
