/** What a call cost: its use of providers and carrier times the prices. Pure; US dollars. */
import type { CarrierName } from '../carriers/carrier.ts'
import type { Prices } from '../config.ts'
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

/** They run inside the server, or on a machine of the operator. */
const FREE = new Set(['embedded', 'scripted', 'openai'])

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
  const spoken = paid(usage.ttsCharacters) + paid(usage.ttsHdCharacters)
  const ttsUsd = (spoken / 1_000_000) * prices.ttsMillionCharacters
  const llmUsd =
    (paid(usage.promptTokens) * prices.llmMillionInputTokens +
      paid(usage.completionTokens) * prices.llmMillionOutputTokens) /
    1_000_000
  const carrierUsd = carrierMinutes * prices.carrierMinute
  return {
    sttSeconds: rounded(all(usage.sttSeconds), 1),
    ttsCharacters: all(usage.ttsCharacters) + all(usage.ttsHdCharacters),
    cachedCharacters: usage.cachedCharacters,
    promptTokens: all(usage.promptTokens),
    completionTokens: all(usage.completionTokens),
    carrierMinutes: rounded(carrierMinutes, 3),
    sttUsd: rounded(sttUsd, 6),
    ttsUsd: rounded(ttsUsd, 6),
    llmUsd: rounded(llmUsd, 6),
    carrierUsd: rounded(carrierUsd, 6),
    totalUsd: rounded(sttUsd + ttsUsd + llmUsd + carrierUsd, 6),
  }
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
