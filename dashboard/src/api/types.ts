/**
 * What the server's API answers, as the dashboard reads it. Shapes that the server already names are its own types;
 * the others are written here once. Times are ms since 1970, durations ms.
 */
import type { AgentSettings, ProfileSettings } from '../../../server/agent-settings.ts'
import type { CallState, EndReason } from '../../../server/call/call-state.ts'
import type { CallCost } from '../../../server/call/call-cost.ts'
import type { CarrierName } from '../../../server/carriers/carrier.ts'
import type { Turn } from '../../../server/conversation/conversation-events.ts'

export type { AgentSettings, Profile, ProfileSettings } from '../../../server/agent-settings.ts'
export type { ModelPrice, Prices, PriceSheet } from '../../../server/prices.ts'
export type { CallState, EndReason } from '../../../server/call/call-state.ts'
export type { CarrierName } from '../../../server/carriers/carrier.ts'
export type {
  ConversationEvent,
  ConversationState,
  Turn,
  TurnLatency,
} from '../../../server/conversation/conversation-events.ts'
export type { VoiceInfo } from '../../../server/providers/tts.ts'

export interface ProviderStatus {
  name: string
  label: string
  /** False for what is meant for demonstration and evaluation. */
  production: boolean
  /** A line the provider's licence asks to show, e.g. "Powered by Moonshine AI". */
  notice?: string | null
  /** True for the demo brain: answers are scripted, there is no language model. */
  scripted?: boolean
  /** What the last answer said of the account's limits. */
  rateLimits?: {
    remainingRequests: number | null
    remainingTokens: number | null
    resetTokens: string | null
  } | null
}

export interface Quantiles {
  p50: number
  p99: number
  max: number
}

export type StatValue = number | string | boolean | null | Partial<Quantiles>

export interface ServerStatus {
  version: string
  commit: string | null
  uptimeSec: number
  providers: { stt: ProviderStatus; llm: ProviderStatus; tts: ProviderStatus }
  calls: { live: number; max: number }
  audio: Record<string, StatValue>
  journal: Record<string, StatValue>
  phrases: Record<string, StatValue> | null
}

/** A background sound. */
export interface Bed {
  name: string
  builtIn: boolean
  durationMs: number
}

export interface BedList {
  items: Bed[]
  memory: { usedBytes: number; limitBytes: number }
}

/** What `/voices/preview` speaks, as the settings name it. */
export type VoiceSample = { text: string } & Pick<
  ProfileSettings,
  | 'voiceName'
  | 'language'
  | 'voiceStyle'
  | 'voiceSpeed'
  | 'voiceStyleDegree'
  | 'voicePitch'
  | 'voiceVolume'
>

export interface MediaToken {
  token: string
  url: string
  expiresInSec: number
}

export interface AgentSummary {
  id: string
  name: string
  version: number
  publishedAt: number | null
  updatedAt: number
}

export interface Agent extends AgentSummary {
  settings: AgentSettings
}

export interface CallRow {
  id: string
  agentId: string | null
  agentName: string | null
  agentVersion: number | null
  direction: 'inbound' | 'outbound'
  carrier: CarrierName
  carrierCallId: string | null
  from: string | null
  to: string | null
  status: CallState
  endReason: EndReason | null
  startedAt: number
  answeredAt: number | null
  endedAt: number | null
  durationMs: number | null
  providers: { stt?: string | null; llm?: string | null; tts?: string | null }
  turnCount: number
  cost?: CallCost | null
  recordingId: string | null
}

export interface CallEvent {
  atMs: number
  name: string
  data: unknown
}

export interface CallDetail {
  call: CallRow
  turns: Turn[]
  events: CallEvent[]
  recording: { durationMs: number; channels: number; url: string } | null
  analysis: CallAnalysis | null
}

export interface CallAnalysis {
  status: 'done' | 'noModel' | 'failed'
  summary: string | null
  outcome: string | null
  sentiment: string | null
  fields: Record<string, unknown>
  note: string | null
}

export interface CallPage {
  items: CallRow[]
  total: number
  page: number
  limit: number
}

export interface CallQuery {
  page: number
  limit: number
  carrier: string
  status: string
  search: string
}
