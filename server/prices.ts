/**
 * Prices: what providers and carriers charge, in US dollars. Shape, defaults, and what was changed of them. Pure.
 *
 *   PRICE_* of the environment, bundled models ─► defaults ─┐
 *   changes saved in the dashboard ─────────────────────────┴─► prices in force ─► cost of a call, at its end
 *
 * Only what differs from the defaults is stored: a new default reaches every price that nobody has changed.
 * The list of models counts as one price.
 */
import { z } from 'zod'

const PRICE_MAX = 100_000

const usd = (description: string) =>
  z.number('a price in US dollars').min(0).max(PRICE_MAX).meta({ description })

const modelPrice = z.strictObject({
  model: z.string().trim().min(1, 'the id of a model').max(200),
  millionInputTokens: usd('1 000 000 tokens of the prompt'),
  millionOutputTokens: usd('1 000 000 tokens of the answer'),
})

export const prices = z.strictObject({
  sttHour: usd('An hour of audio sent to a recogniser'),
  secondHearingHour: usd('An hour of audio heard once more; at least 10 s an utterance'),
  ttsMillionCharacters: usd('1 000 000 characters charged, standard voices'),
  ttsHdMillionCharacters: usd('1 000 000 characters charged, HD voices'),
  llmModels: z
    .array(modelPrice)
    .max(100)
    .superRefine((models, context) => {
      for (const [i, { model }] of models.entries()) {
        if (models.findIndex((one) => one.model === model) === i) continue
        context.addIssue({
          code: 'custom',
          path: [i, 'model'],
          message: 'this model is there twice',
        })
      }
    })
    .meta({ description: 'Language models by their id' }),
  llmMillionInputTokens: usd('1 000 000 tokens of the prompt, of a model that is not listed'),
  llmMillionOutputTokens: usd('1 000 000 tokens of the answer, of a model that is not listed'),
  twilioMinute: usd('A minute of a call at Twilio'),
  telnyxMinute: usd('A minute of a call at Telnyx'),
})
export type Prices = z.infer<typeof prices>
export type ModelPrice = z.infer<typeof modelPrice>

export interface PriceSheet {
  prices: Prices
  /** Of the environment, and the bundled models. */
  defaults: Prices
  /** 0 while nothing was ever changed. */
  version: number
  author: string | null
  /** Unix time, ms. */
  updatedAt: number | null
}

/** Groq's list prices, by its own model pages, November 2026; the two Llamas for contracts that still have them. */
const GROQ_MODELS: ModelPrice[] = [
  listed('openai/gpt-oss-120b', 0.15, 0.6),
  listed('openai/gpt-oss-20b', 0.075, 0.3),
  listed('qwen/qwen3.6-27b', 0.6, 3),
  listed('llama-3.3-70b-versatile', 0.59, 0.79),
  listed('llama-3.1-8b-instant', 0.05, 0.08),
]

function listed(model: string, millionInputTokens: number, millionOutputTokens: number) {
  return { model, millionInputTokens, millionOutputTokens }
}

const variable = z.coerce.number('a price in US dollars').min(0).max(PRICE_MAX)

export const priceVariables = {
  PRICE_STT_HOUR: variable.default(1),
  PRICE_SECOND_HEARING_HOUR: variable.default(0.04),
  PRICE_TTS_MILLION_CHARACTERS: variable.default(15),
  PRICE_TTS_HD_MILLION_CHARACTERS: variable.default(30),
  PRICE_LLM_MILLION_INPUT_TOKENS: variable.default(0.59),
  PRICE_LLM_MILLION_OUTPUT_TOKENS: variable.default(0.79),
  PRICE_CARRIER_MINUTE: variable.default(0.0085),
  PRICE_TWILIO_MINUTE: variable.optional(),
  PRICE_TELNYX_MINUTE: variable.optional(),
}
type PriceValues = z.infer<z.ZodObject<typeof priceVariables>>

/** The defaults, from the environment. */
export function pricesOf(values: PriceValues): Prices {
  return {
    sttHour: values.PRICE_STT_HOUR,
    secondHearingHour: values.PRICE_SECOND_HEARING_HOUR,
    ttsMillionCharacters: values.PRICE_TTS_MILLION_CHARACTERS,
    ttsHdMillionCharacters: values.PRICE_TTS_HD_MILLION_CHARACTERS,
    llmModels: GROQ_MODELS,
    llmMillionInputTokens: values.PRICE_LLM_MILLION_INPUT_TOKENS,
    llmMillionOutputTokens: values.PRICE_LLM_MILLION_OUTPUT_TOKENS,
    twilioMinute: values.PRICE_TWILIO_MINUTE ?? values.PRICE_CARRIER_MINUTE,
    telnyxMinute: values.PRICE_TELNYX_MINUTE ?? values.PRICE_CARRIER_MINUTE,
  }
}

/** What differs from the defaults: all that is stored. */
export function priceChanges(wanted: Prices, defaults: Prices): Partial<Prices> {
  return Object.fromEntries(
    Object.entries(wanted).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(defaults[name as keyof Prices]),
    ),
  )
}

/** The prices in force. What is stored and is no price (any more) leaves the default in its place. */
export function pricesInForce(defaults: Prices, changes: Record<string, unknown>): Prices {
  const known = Object.entries(prices.shape).flatMap(([name, shape]) => {
    const parsed = shape.safeParse(changes[name])
    return parsed.success ? [[name, parsed.data]] : []
  })
  return { ...defaults, ...Object.fromEntries(known) }
}

/** The price of a model; null when it is not listed. */
export function priceOfModel({ llmModels }: Prices, model: string): ModelPrice | null {
  return llmModels.find((one) => one.model === model) ?? null
}
