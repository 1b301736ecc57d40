/** What a call cost: its use of providers and carrier times the prices. Pure; US dollars. */
import type { CarrierName } from '../carriers/carrier.ts'
import { priceOfModel, type Prices } from '../prices.ts'
import type { CallUsage } from '../providers/select.ts'

export interface CallCost {
  sttSeconds: number
  /** As they are charged: Azure counts most of the markup. */
  ttsCharacters: number
  /** Characters that came from the phrase cache and cost nothing. */
  cachedCharacters: number
  promptTokens: number
  completionTokens: number
  carrierMinutes: number
  sttUsd: number
  ttsUsd: number
  llmUsd: number
  carrierUsd: number
  totalUsd: number
}

/** They run inside the server. */
const FREE = new Set(['embedded', 'scripted'])
/** Mostly on a machine of the operator: a model that no price names costs nothing. */
const OWN_MODELS = 'openai'

/** Has a price of its own. */
const SECOND_HEARING = 'groq-whisper'

export function costOf(
  usage: CallUsage,
  call: { carrier: CarrierName; minutes: number; prices: Prices },
): CallCost {
  const { prices } = call
  const carrierMinutes = call.carrier === 'browser' ? 0 : Math.max(0, call.minutes)
  const { [SECOND_HEARING]: secondSeconds = 0, ...sttSeconds } = usage.sttSeconds
  const sttUsd =
    (paid(sttSeconds) * prices.sttHour + secondSeconds * prices.secondHearingHour) / 3_600
  const ttsUsd =
    (paid(usage.ttsCharacters) * prices.ttsMillionCharacters +
      paid(usage.ttsHdCharacters) * prices.ttsHdMillionCharacters) /
    1_000_000
  const llmUsd = usage.tokens.reduce((sum, use) => sum + modelUsd(use, prices), 0)
  const minuteUsd = { twilio: prices.twilioMinute, telnyx: prices.telnyxMinute, browser: 0 }
  const carrierUsd = carrierMinutes * minuteUsd[call.carrier]
  return {
    sttSeconds: rounded(all(usage.sttSeconds), 1),
    ttsCharacters: all(usage.ttsCharacters) + all(usage.ttsHdCharacters),
    cachedCharacters: usage.cachedCharacters,
    promptTokens: usage.tokens.reduce((sum, use) => sum + use.promptTokens, 0),
    completionTokens: usage.tokens.reduce((sum, use) => sum + use.completionTokens, 0),
    carrierMinutes: rounded(carrierMinutes, 3),
    sttUsd: rounded(sttUsd, 6),
    ttsUsd: rounded(ttsUsd, 6),
    llmUsd: rounded(llmUsd, 6),
    carrierUsd: rounded(carrierUsd, 6),
    totalUsd: rounded(sttUsd + ttsUsd + llmUsd + carrierUsd, 6),
  }
}

function modelUsd(use: CallUsage['tokens'][number], prices: Prices): number {
  if (FREE.has(use.provider)) return 0
  const listed = priceOfModel(prices, use.model)
  if (listed === null && use.provider === OWN_MODELS) return 0
  const { millionInputTokens, millionOutputTokens } = listed ?? {
    millionInputTokens: prices.llmMillionInputTokens,
    millionOutputTokens: prices.llmMillionOutputTokens,
  }
  const { promptTokens, completionTokens } = use
  return (promptTokens * millionInputTokens + completionTokens * millionOutputTokens) / 1_000_000
}

function all(sums: Record<string, number>): number {
  return Object.values(sums).reduce((sum, amount) => sum + amount, 0)
}

function paid(sums: Record<string, number>): number {
  return Object.entries(sums).reduce((sum, [name, n]) => (FREE.has(name) ? sum : sum + n), 0)
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
