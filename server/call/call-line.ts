/**
 * Call line: what a call does with its carrier besides audio: hang up, transfer, press keys, record, and get its stream back.
 *
 *   keys at Twilio   REST ─► stream closes ─► another opens            broken at Telnyx   REST streaming_start ─► another opens
 *                            └────── away, at most 10 s ──────┘                           └── away, at most 10 s, 5 times ──┘
 *
 * Invariants: while the stream is away the call waits, and ends as streamLost when it stays away; the first reason stays.
 */
import type { ProfileSettings } from '../agent-settings.ts'
import {
  isCallGone,
  type LineControl,
  type RecordingAction,
  type StreamInvite,
  type StreamStart,
} from '../carriers/carrier.ts'
import { fillVariables } from '../conversation/prompt.ts'
import { errorText } from '../errors.ts'
import type { EndReason } from './call-state.ts'
import type { Party } from './phone-reports.ts'

/** Keys have been pressed and the socket opened by then. */
export const AWAY_MAX_MS = 10_000
/** A line that breaks again and again is no line. */
const REOPENINGS_MAX = 5

/** What a telephone call has besides its audio; the browser has none of it. */
export interface CallPhone {
  direction: 'inbound' | 'outbound'
  /** A new invitation for the carrier to open a stream of this call. */
  invite(): StreamInvite
  /** Verdicts that came before the stream. */
  early: readonly { party: Party; mayLeaveMessage: boolean }[]
  variables: Record<string, string>
}

export interface CallLineDeps {
  callId: string
  start: StreamStart
  settings: ProfileSettings
  line: LineControl
  phone: CallPhone | null
  /** The stream is away and another is expected. */
  onAway(): void
  hangup(reason: EndReason): void
  noted(name: string, data: unknown): void
  fault(what: string): void
}

export class CallLine {
  readonly #deps: CallLineDeps
  /** What it means when the carrier ends the stream. */
  #stopReason: EndReason = 'userHangup'
  #awaySinceMs: number | null = null
  /** We have made the carrier close the stream, and it will open another. */
  #awaited = false
  #reopenings = 0

  constructor(deps: CallLineDeps) {
    this.#deps = deps
  }

  /** Values for {{name}}: the numbers, what came with the stream, what the call was placed with. */
  get variables(): Record<string, string> {
    const { start, phone } = this.#deps
    const numbers = { from: start.from ?? '', to: start.to ?? '' }
    return { ...numbers, ...start.parameters, ...phone?.variables }
  }

  /** What the profile wants of the carrier from the start; a call without it is still a call. */
  opened(): void {
    const { settings, phone, line, start, fault } = this.#deps
    if (!phone) return
    const failed = (what: string) => (error: unknown) => fault(`${what}: ${errorText(error)}`)
    if (settings.carrierRecording) this.record('start').catch(failed('not recorded at the carrier'))
    if (settings.carrierNoiseSuppression) {
      line.suppressNoise(start.carrierCallId).catch(failed('noise is not suppressed'))
    }
  }

  /** The stream has ended: the call ends with it, unless another stream is coming. */
  streamStopped(cause: 'stop' | 'close' | 'error', nowMs: number): void {
    if (this.#awaited) return this.#away(nowMs)
    const { line, phone, hangup } = this.#deps
    const broke = cause !== 'stop' && this.#stopReason === 'userHangup'
    if (broke && line.openStream && phone && this.#reopenings < REOPENINGS_MAX) {
      this.#reopenings++
      this.#away(nowMs)
      void this.#reopen(line.openStream, phone.invite())
      return
    }
    hangup(cause === 'error' ? 'streamLost' : this.#stopReason)
  }

  /** Another stream has come. @returns how long there was none, ms */
  streamReplaced(nowMs: number): number {
    // The new one may come before the old one has said goodbye.
    if (this.#awaySinceMs === null) this.#away(nowMs)
    const awayMs = nowMs - (this.#awaySinceMs ?? nowMs)
    this.#awaySinceMs = null
    this.#awaited = false
    return awayMs
  }

  /** Wall time passes. */
  tick(nowMs: number): void {
    if (this.#awaySinceMs === null || nowMs - this.#awaySinceMs < AWAY_MAX_MS) return
    this.#deps.hangup('streamLost')
  }

  async transfer(to: string): Promise<void> {
    const { line, start, settings, phone, callId, hangup } = this.#deps
    const ours = phone?.direction === 'outbound' ? start.from : start.to
    const text = fillVariables(settings.transferAnnouncement, this.variables).trim()
    const announcement = text === '' ? null : { text, language: settings.language }
    // The carrier ends our stream as soon as it begins the transfer, perhaps before it answers us.
    this.#stopReason = 'transferred'
    try {
      await line.transfer(start.carrierCallId, { to, from: ours, announcement, callId })
    } catch (error) {
      this.#stopReason = 'userHangup'
      throw error
    }
    hangup('transferred')
  }

  async sendDigits(digits: string): Promise<void> {
    const { line, phone, start, hangup } = this.#deps
    this.#awaited = line.digitsReplaceStream && phone !== null
    try {
      await line.sendDigits(start.carrierCallId, digits, () => phone?.invite() ?? noInvitation())
    } catch (error) {
      this.#awaited = false
      // The old stream has ended although no new one will come.
      if (this.#awaySinceMs !== null) hangup('streamLost')
      throw error
    }
  }

  async record(action: RecordingAction): Promise<void> {
    await this.#deps.line.record(this.#deps.start.carrierCallId, action)
    this.#deps.noted('carrierRecordingAsked', { action })
  }

  /** At the end of the call: the carrier ends it too, unless it has already, or somebody else is talking on it. */
  async close(reason: EndReason): Promise<void> {
    if (reason === 'userHangup' || reason === 'transferred') return
    try {
      await this.#deps.line.hangup(this.#deps.start.carrierCallId)
    } catch (error) {
      this.#deps.fault(`carrier refused to hang up: ${errorText(error)}`)
    }
  }

  #away(nowMs: number): void {
    this.#awaySinceMs ??= nowMs
    this.#deps.onAway()
  }

  async #reopen(
    openStream: NonNullable<LineControl['openStream']>,
    invite: StreamInvite,
  ): Promise<void> {
    try {
      await openStream(this.#deps.start.carrierCallId, invite)
      this.#deps.noted('streamReopened', { times: this.#reopenings })
    } catch (error) {
      this.#deps.hangup(isCallGone(error) ? 'userHangup' : 'streamLost')
    }
  }
}

function noInvitation(): never {
  throw new Error('this call has no stream that could be opened again')
}
