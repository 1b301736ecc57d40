/** A telephone call as the desk knows it, from the first ring until its stream opens or it ends. */
import type { Profile, ProfileSettings } from '../agent-settings.ts'
import type { CarrierName } from '../carriers/carrier.ts'
import type { Agent } from '../store/agents.ts'
import type { PhoneReport } from './phone-reports.ts'

export type PhoneCarrier = Extract<CarrierName, 'twilio' | 'telnyx'>

export interface PhoneCall {
  id: string
  carrier: PhoneCarrier
  account: string | null
  carrierCallId: string | null
  direction: 'inbound' | 'outbound'
  from: string
  to: string
  agent: Agent
  profile: Profile
  settings: ProfileSettings
  variables: Record<string, string>
  /** Verdicts that came before the stream. */
  early: Extract<PhoneReport, { kind: 'party' }>[]
  streamTimer: NodeJS.Timeout | null
  invited: boolean
}

export interface DialRequest {
  carrier: PhoneCarrier
  account: string | null
  to: string
  from: string
  agentId: string | null
  profile: Profile
  variables: Record<string, string>
}

export type DialOutcome =
  | { ok: true; id: string; carrierCallId: string }
  | { ok: false; reason: 'full' | 'tooMany' | 'tooFast' | 'noAgent'; waitMs: number }
