/** What the HTTP side needs from the rest of Andrea, as small interfaces; main.ts fills them, tests fill them by hand. */
import type { BedLibrary } from '../beds/bed-library.ts'
import type { LoadState } from '../call/load.ts'
import type { PhoneDesk } from '../call/phone-desk.ts'
import type { RecordingAction } from '../carriers/carrier.ts'
import type { LegReport } from '../carriers/telnyx-transfer.ts'
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { PriceList } from '../price-list.ts'
import type { ProvidersStatus } from '../providers/select.ts'
import type { Voice, VoiceInfo } from '../providers/tts.ts'
import type { Agent } from '../store/agents.ts'
import type { SecretBox } from '../secret-box.ts'
import type { Database } from '../store/database.ts'
import type { MediaTokens } from './media-tokens.ts'

export type Admission = { ok: true } | { ok: false; reason: string }

/** The calls that are alive in this process. */
export interface CallDirectory {
  live(): number
  readonly max: number
  /** Begins the hang-up of a live call; false when there is none with this id. */
  hangup(callId: string): boolean
  /** Whether one more call may begin now. Decides only; the media stream's start takes the place. */
  admit(): Admission
}

export type { ProvidersStatus }

export interface PhraseFigures {
  phrases: number
  megabytes: number
  hits: number
  misses: number
  hitRatePercent: number
  savedCharacters: number
  savedUsd: number
}

/** The telephone calls, as the webhooks and the API see them (call/phone-desk.ts). */
export interface PhoneApi extends Pick<
  PhoneDesk,
  'incoming' | 'answer' | 'refuse' | 'invite' | 'get' | 'recall' | 'report' | 'dial'
> {
  /** What Telnyx tells of a leg that a transfer dialled. */
  legReported(account: string | null, report: LegReport): void
  /** Null when no such call is live. @throws CarrierError */
  record(callId: string, action: RecordingAction): Promise<void> | null
}

export interface AppDeps {
  config: Config
  log: Log
  metrics: Metrics
  db: Database
  priceList: Pick<PriceList, 'sheet' | 'save' | 'reset'>
  calls: CallDirectory
  tokens: MediaTokens
  phone: PhoneApi
  /** Signs session cookies; see loadSessionSecret(). */
  sessionSecret: Uint8Array
  /** Seals what agents' settings keep secret. */
  secrets: SecretBox
  providersStatus(): ProvidersStatus
  voices(): Promise<VoiceInfo[]>
  /** Language models to choose from, preferred first. Default: none are known. */
  models?(): string[]
  audioStats(): Record<string, unknown>
  journalStats(): Record<string, unknown>
  /** How busy the process is and what it gives up for it. */
  loadState(): LoadState & { ringingCalls: number; control: boolean }
  /** The phrase cache, and what it saved. Default: none. */
  phraseStats?(): PhraseFigures
  /** Speaks a sample: 16-bit mono PCM. Default: there is no preview. @throws ProviderError */
  previewVoice?(text: string, voice: Voice): Promise<{ pcm: Int16Array; sampleRateHz: number }>
  /** Background sounds. Default: there is no address for them. */
  beds?: Pick<BedLibrary, 'list' | 'memory' | 'has' | 'pcm' | 'add' | 'remove'>
  /** An agent was saved: what it says by itself may be prepared. */
  onAgentSaved?(agent: Agent): void
  /** False while starting and while draining. */
  ready(): boolean
  /** Where the built dashboard lies. Default: dashboard/dist. */
  dashboardDir?: string
  /** Wall clock in ms. Default: Date.now. */
  nowMs?(): number
}
