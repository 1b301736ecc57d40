/**
 * Speech: speaks the sentences of one agent turn, one after the other.
 *
 *   say() ─► [ sentences ≤ 100 ] ─► synthesize (one at a time) ─► playback.append
 *                                   at most one sentence, or 1.5 s, ahead of the one being played
 *
 * Synthesis is faster than speech, so the look-ahead is bounded: a barge-in throws away one sentence of paid
 * synthesis, not the whole answer. hold() keeps finished audio back while it is unclear whether the user goes on.
 *
 * Invariants: after abort() nothing is appended; segments are finished exactly once; never throws to the outside.
 */
import { BoundedQueue } from '../bounded-queue.ts'
import { errorText, ProviderError } from '../errors.ts'
import type { Playback } from '../media/playback.ts'
import type { TtsProvider, Voice } from '../providers/tts.ts'
import { PauseFinder } from './pauses.ts'
import type { HeardLedger, Segment } from './heard.ts'

/** A sentence of 1.5 s hides the first-audio latency of every voice we know (150…400 ms) with room for a hiccup. */
const LOOK_AHEAD_MS = 1_500
/** A model that runs away is cut here; maxTokens ends nearly every answer long before. */
export const SPEECH_QUEUE_LIMIT = 100

export interface SpeechDeps {
  callId: string
  tts: TtsProvider
  voice: Voice
  playback: Playback
  ledger: HeardLedger
  /** Silence between two sentences, ms. */
  pacingMs: number
  nextSegmentId(): number
}

export interface SpeechEvents {
  onAsked(): void
  onAudio(): void
  /** Audio goes to the playback. */
  onHandedOver(): void
  /** Synthesis failed; true = try the same sentence once more (it is dropped otherwise). */
  onFailed(error: ProviderError): boolean
  /** A sentence, or the turn, may have become finished without the playback's help. */
  onProgress(): void
}

interface HeldAudio {
  segment: Segment
  /** Null: the segment's end. */
  pcm: Int16Array | null
}

export class Speech {
  readonly #deps: SpeechDeps
  readonly #events: SpeechEvents
  readonly #abort = new AbortController()
  readonly #queue = new BoundedQueue<string>('speechSentences', SPEECH_QUEUE_LIMIT)
  #held: HeldAudio[] | null = null
  #ended = false
  #working = false
  #speaking = false
  #wake: (() => void) | null = null
  #spokeBefore = false

  constructor(deps: SpeechDeps, events: SpeechEvents) {
    this.#deps = deps
    this.#events = events
  }

  /** Sentences refused because the queue was full. */
  get dropped(): number {
    return this.#queue.stats().dropped
  }

  get aborted(): boolean {
    return this.#abort.signal.aborted
  }

  /** True once every sentence was synthesised (or given up) and no more will come. */
  get complete(): boolean {
    return this.#ended && !this.#working && this.#queue.length === 0 && this.#held === null
  }

  /** True while there is nothing to synthesise and nothing held back. */
  get idle(): boolean {
    return this.#queue.length === 0 && !this.#speaking && this.#held === null
  }

  /** Speaks `text` behind what was said before. */
  say(text: string): void {
    if (this.aborted || this.#ended) return
    if (!this.#queue.push(text)) return
    if (this.#working) this.#wake?.()
    else void this.#work()
  }

  /** No more sentences follow. */
  end(): void {
    this.#ended = true
    this.#wake?.()
  }

  /** A segment began to play: the next may be synthesised. */
  progressed(): void {
    this.#wake?.()
  }

  hold(): void {
    this.#held ??= []
  }

  release(): void {
    const held = this.#held
    this.#held = null
    for (const { segment, pcm } of held ?? []) this.#deliver(segment, pcm)
  }

  /** Stops synthesis and drops what was not appended. Idempotent. */
  abort(): void {
    this.#abort.abort()
    this.#queue.takeAll()
    this.#held = null
    this.#ended = true
    this.#wake?.()
  }

  async #work(): Promise<void> {
    this.#working = true
    for (let text = await this.#next(); text !== null; text = await this.#next()) {
      this.#speaking = true
      await this.#speak(text)
      this.#speaking = false
    }
    this.#working = false
    if (!this.aborted) this.#events.onProgress()
  }

  async #next(): Promise<string | null> {
    for (;;) {
      if (this.aborted) return null
      if (this.#queue.length === 0 && this.#ended) return null
      if (this.#queue.length > 0 && this.#deps.ledger.waitingMs < LOOK_AHEAD_MS)
        return this.#queue.shift() ?? null
      await new Promise<void>((resolve) => (this.#wake = resolve))
      this.#wake = null
    }
  }

  async #speak(text: string): Promise<void> {
    const segment = this.#deps.ledger.add(this.#deps.nextSegmentId(), text)
    const leadMs = this.#spokeBefore ? this.#deps.pacingMs : 0
    for (let again = true; again;) {
      again = false
      try {
        await this.#synthesize(segment, leadMs)
      } catch (error) {
        if (this.aborted) return
        again = this.#events.onFailed(providerError(error)) && segment.audioMs === 0
      }
      if (this.aborted) return
    }
    if (segment.audioMs === 0) {
      this.#deps.ledger.drop(segment.id)
      return
    }
    this.#spokeBefore = true
    segment.complete = true
    this.#deliver(segment, null)
  }

  async #synthesize(segment: Segment, leadMs: number): Promise<void> {
    const { tts, voice, callId } = this.#deps
    this.#events.onAsked()
    let startMs = segment.audioMs
    for await (const event of tts.synthesize(
      { callId, text: segment.text, voice },
      this.#abort.signal,
    )) {
      if (this.aborted) return
      if (event.kind === 'word') {
        if (event.textOffset >= 0) {
          segment.words.push({ textOffset: event.textOffset, offsetMs: startMs + event.offsetMs })
        }
        continue
      }
      if (event.pcm.length === 0) continue
      this.#events.onAudio()
      if (segment.audioMs === 0 && leadMs > 0) {
        startMs = leadMs
        for (const word of segment.words) word.offsetMs += leadMs
        this.#sound(segment, new Int16Array(Math.round((leadMs * tts.sampleRateHz) / 1_000)))
      }
      this.#sound(segment, event.pcm)
    }
  }

  #sound(segment: Segment, pcm: Int16Array): void {
    const rateHz = this.#deps.tts.sampleRateHz
    segment.audioMs += (pcm.length * 1_000) / rateHz
    segment.sound ??= new PauseFinder(rateHz)
    segment.sound.push(pcm)
    this.#deliver(segment, pcm)
  }

  #deliver(segment: Segment, pcm: Int16Array | null): void {
    if (this.#held) this.#held.push({ segment, pcm })
    else if (pcm) {
      this.#events.onHandedOver()
      this.#deps.playback.append(segment.id, pcm)
    } else this.#deps.playback.finish(segment.id)
  }
}

/** Providers promise ProviderError; whatever else they throw is wrapped, so that the call goes on. */
export function providerError(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error
  return new ProviderError('PROVIDER_BROKEN', errorText(error), { cause: error })
}
