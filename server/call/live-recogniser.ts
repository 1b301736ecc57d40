/**
 * Live recogniser: the session that hears the user, and another in its place when the call changes its language.
 *
 *   frames ─► session es-MX ──╳ switchTo('en-US')          a session has one language; words that the old one still owed
 *          └───────────────────► session en-US ─► …        are lost, and speech that goes on is announced to the new one
 *
 * Invariants: one session at a time, opened before the old one is closed; after close() nothing is opened or told.
 */
import type { Detection } from '../../workers/pool.ts'
import type { ProfileSettings } from '../agent-settings.ts'
import type { SttEvents, SttProvider, SttSession } from '../providers/stt.ts'
import { recogniserOptions } from './recogniser-options.ts'

export class LiveRecogniser {
  readonly #stt: Pick<SttProvider, 'open'>
  readonly #call: { id: string; settings: ProfileSettings }
  readonly #events: SttEvents
  #session: SttSession | null
  #isSpeech = false

  /** Opens a session in the profile's language. @throws ProviderError */
  constructor(
    stt: Pick<SttProvider, 'open'>,
    call: { id: string; settings: ProfileSettings },
    events: SttEvents,
  ) {
    this.#stt = stt
    this.#call = call
    this.#events = events
    this.#session = this.#open(call.settings.language)
  }

  frame(detection: Detection, pcm: Int16Array): void {
    this.#session?.push(pcm, detection.atMs, detection)
    this.#isSpeech = detection.speech
    if (detection.onset) this.#session?.speechStarted(detection.speechStartMs)
    if (detection.offset) this.#session?.speechEnded(detection.lastVoicedMs)
  }

  /** `atMs`: audio time. The old session stays when no other can be opened. @throws ProviderError */
  switchTo(language: string, atMs: number): void {
    const old = this.#session
    if (old === null) return
    this.#session = this.#open(language)
    old.close()
    if (this.#isSpeech) this.#session.speechStarted(atMs)
  }

  /** Idempotent. */
  close(): void {
    this.#session?.close()
    this.#session = null
  }

  #open(language: string): SttSession {
    const { id, settings } = this.#call
    return this.#stt.open({ callId: id, ...recogniserOptions(settings), language }, this.#events)
  }
}
