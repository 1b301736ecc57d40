/**
 * Latency: where the time of one answer went, from the user's last voiced sample to the agent's first audio.
 *
 *   last voiced ─ endpointing ─┬─ stt ─┬─ commit ─ queue ─ llm first token ─ first sentence ─ tts first audio ─ dsp ─ pacing ─ line
 *       audio time of the call │waited │            monotonic clock of the machine              carrier: until a mark comes back
 *
 * The parts are durations and add up to responseMs; what no provider explains is our own share. The carrier's is known later
 * and comes on top. Pure.
 */
import type { TurnLatency } from './conversation-events.ts'

export interface CommitTimes {
  /** Audio time at which the turn began. */
  startMs: number
  /** Audio time of the last voiced sample; null for turns without speech (typed, digits). */
  speechEndMs: number | null
  /** Audio time at which the endpointing wait was over. */
  dueMs: number
  /** Audio time at which the turn was committed. */
  committedMs: number
}

type Station =
  | 'committed'
  | 'llmAsked'
  | 'llmToken'
  | 'sentence'
  | 'ttsAsked'
  | 'ttsAudio'
  /** The first audio went to the audio core, and the first frame of it was ready. */
  | 'handedOver'
  | 'prepared'

export class LatencyLedger {
  readonly #endpointingMs: number
  readonly #sttMs: number | null
  readonly #at = new Map<Station, number>()
  #result: TurnLatency | null = null

  /** `nowMs` here and below: the monotonic clock. */
  constructor(times: CommitTimes, nowMs: number) {
    if (times.speechEndMs === null) {
      this.#endpointingMs = 0
      this.#sttMs = null
    } else {
      const dueMs = Math.min(times.dueMs, times.committedMs)
      this.#endpointingMs = Math.max(0, dueMs - times.speechEndMs)
      this.#sttMs = Math.max(0, times.committedMs - dueMs)
    }
    this.#at.set('committed', nowMs)
  }

  /** Notes the first time a station is passed; later passes are ignored. */
  pass(station: Exclude<Station, 'committed'>, nowMs: number): void {
    if (!this.#at.has(station)) this.#at.set(station, nowMs)
  }

  /** The first audio goes to the line: closes the ledger. */
  firstAudioSent(nowMs: number): void {
    if (this.#result) return
    const llmFirstTokenMs = this.#between('llmAsked', 'llmToken')
    const firstSentenceMs = this.#between('llmToken', 'sentence')
    const ttsFirstAudioMs = this.#between('ttsAsked', 'ttsAudio')
    const afterCommitMs = nowMs - (this.#at.get('committed') ?? nowMs)
    const queueMs = this.#between('committed', 'llmAsked')
    const firstAudioAt = this.#at.get('ttsAudio')
    const dspMs = this.#between('handedOver', 'prepared')
    const pacingMs = firstAudioAt === undefined ? null : round(nowMs - firstAudioAt - (dspMs ?? 0))
    const providersMs = (llmFirstTokenMs ?? 0) + (firstSentenceMs ?? 0) + (ttsFirstAudioMs ?? 0)
    this.#result = {
      endpointingMs: round(this.#endpointingMs),
      sttMs: this.#sttMs === null ? null : round(this.#sttMs),
      llmFirstTokenMs,
      firstSentenceMs,
      ttsFirstAudioMs,
      queueMs,
      dspMs,
      pacingMs,
      responseMs: round(this.#endpointingMs + (this.#sttMs ?? 0) + afterCommitMs),
      ownMs: round(Math.max(0, afterCommitMs - providersMs)),
    }
  }

  /** What a mark of the carrier told, or was told before; the first that is not null stays. */
  carrier(carrierMs: number | null): void {
    if (this.#result) this.#result.carrierMs ??= carrierMs === null ? null : round(carrierMs)
  }

  /** Null until the first audio was sent. */
  get result(): TurnLatency | null {
    return this.#result
  }

  #between(from: Station, to: Station): number | null {
    const start = this.#at.get(from)
    const end = this.#at.get(to)
    return start === undefined || end === undefined ? null : round(end - start)
  }
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10
}
