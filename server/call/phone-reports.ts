/** What a carrier tells of a call outside its audio, already checked and in our own words; the webhooks make these. */
import type { CarrierName } from '../carriers/carrier.ts'
import type { EndReason } from './call-state.ts'

export type Party = 'human' | 'machine' | 'fax' | 'unknown'

interface About {
  carrier: CarrierName
  /** The account whose key signed it; null where nothing is signed. */
  account: string | null
  carrierCallId: string
  /** Ours, where the carrier gave it back. */
  callId: string | null
}

export type PhoneReport = About &
  (
    | { kind: 'ringing' }
    | { kind: 'answered' }
    | { kind: 'ended'; reason: EndReason }
    /** `mayLeaveMessage`: the machine has finished its own; speak now. */
    | { kind: 'party'; party: Party; mayLeaveMessage: boolean }
    | { kind: 'recording'; facts: Record<string, unknown> }
    | { kind: 'transferEnded'; connected: boolean; detail: string }
    | { kind: 'streamFailed'; detail: string }
  )

/** A call that rings at our door. */
export interface Ring extends About {
  from: string
  to: string
}
