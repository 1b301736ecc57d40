/**
 * Speech: speaks the sentences of one agent turn, one after the other.
 *
 *   say() ──────┬─► [ sentences ≤ 100 ] ─► synthesize (one at a time) ─► playback.append
 *   grow() … finish() ┘                    at most one sentence, or 1.5 s, ahead of the one being played
 *
 * Synthesis is faster than speech, so the look-ahead is bounded: a barge-in throws away one sentence of paid
 * synthesis, not the whole answer. hold() keeps finished audio back while it is unclear whether the user goes on.
 *
 * A sentence may be begun before it is whole, where the voice takes that and the user would hear nothing otherwise: while another
 * sentence plays, the next is ready ahead of its turn anyway, and sounds better spoken as a whole.
 *
 * Invariants: after abort() nothing is appended; segments are finished exactly once; never throws to the outside.
 */
import { BoundedQueue } from '../bounded-queue.ts'
import { errorText, ProviderError } from '../errors.ts'
import { GrowingText } from '../growing-text.ts'
import type { Playback } from '../media/playback.ts'
import type { TtsEvent, LineVoice, Voice } from '../providers/tts.ts'
import { PauseFinder } from './pauses.ts'
import type { HeardLedger, Segment } from './heard.ts'

/** A sentence of 1.5 s hides the first-audio latency of every voice we know (150…400 ms) with room for a hiccup. */
const LOOK_AHEAD_MS = 1_500
/** A model that runs away is cut here; maxTokens ends nearly every answer long before. */
export const SPEECH_QUEUE_LIMIT = 100

export interface SpeechDeps {
  callId: string
  tts: LineVoice
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

/** A sentence to be spoken: whole, or still being written. */
interface Sentence {
  readonly text: string | GrowingText
  /** Gives up this one sentence; null where nobody will. */
  readonly abort: AbortController | null
  /** Once its synthesis was asked for. */
  segment: Segment | null
}

interface GrowingSentence extends Sentence {
  readonly text: GrowingText
  readonly abort: AbortController
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
  readonly #queue = new BoundedQueue<Sentence>('speechSentences', SPEECH_QUEUE_LIMIT)
  #held: HeldAudio[] | null = null
  #ended = false
  #working = false
  #speaking = false
  #wake: (() => void) | null = null
  #spokeBefore = false
  /** The sentence that is still being written. */
  #growing: GrowingSentence | null = null

  constructor(deps: SpeechDeps, events: SpeechEvents) {
    this.#deps = deps
    this.#events = events
    // Asked ahead of the first word: a voice that takes it written piece by piece gets its connection ready.
    deps.tts.streamsText?.(deps.voice)
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

  /**
   * True when grow() may begin a sentence: the voice takes a text that is being written, nothing sounds, nothing waits. What is
   * synthesised but held back counts as waiting.
   */
  get mayGrow(): boolean {
    if (this.aborted || this.#ended || this.#growing || this.#speaking) return false
    if (this.#queue.length > 0 || (this.#held?.length ?? 0) > 0) return false
    const { tts, voice, playback } = this.#deps
    return !playback.busy && tts.streamsText?.(voice) === true
  }

  /** What is given out of the sentence that is being written; null when there is none. */
  get growing(): string | null {
    return this.#growing?.text.text ?? null
  }

  /** Speaks `text` behind what was said before; finishes the sentence that is being written, which must begin it. */
  say(text: string): void {
    if (this.#growing) return this.#finishGrowing(text)
    this.#push({ text, abort: null, segment: null })
  }

  /**
   * The sentence that is being written begins with `prefix`: whole words, which never change. Begins one when mayGrow; must be
   * finished by say(), or taken back.
   */
  grow(prefix: string): void {
    if (this.aborted || this.#ended) return
    if (!this.#growing) {
      const sentence = { text: new GrowingText(), abort: new AbortController(), segment: null }
      sentence.text.grow(prefix)
      if (this.#push(sentence)) this.#growing = sentence
      return
    }
    this.#growing.text.grow(prefix)
    this.#growText(this.#growing)
  }

  /** False once audio of the sentence that is being written has come. */
  get mayTakeBack(): boolean {
    return (this.#growing?.segment?.audioMs ?? 0) === 0
  }

  /** Forgets the sentence that is being written, if any. @returns false, and nothing has changed, when that is too late */
  takeBack(): boolean {
    const growing = this.#growing
    if (!growing) return true
    if (!this.mayTakeBack) return false
    this.#growing = null
    this.#queue.remove(growing)
    growing.abort.abort()
    growing.text.abort()
    return true
  }

  /** No more sentences follow. */
  end(): void {
    if (this.#growing) this.#finishGrowing(this.#growing.text.text.trimEnd())
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
    this.#growing?.text.abort()
    this.#growing = null
    this.#queue.takeAll()
    this.#held = null
    this.#ended = true
    this.#wake?.()
  }

  #push(sentence: Sentence): boolean {
    if (this.aborted || this.#ended || !this.#queue.push(sentence)) return false
    if (this.#working) this.#wake?.()
    else void this.#work()
    return true
  }

  #finishGrowing(text: string): void {
    const growing = this.#growing!
    this.#growing = null
    growing.text.finish(text)
    this.#growText(growing)
  }

  #growText({ segment, text }: GrowingSentence): void {
    if (segment) segment.text = text.text.trimEnd()
  }

  async #work(): Promise<void> {
    this.#working = true
    for (let next = await this.#next(); next !== null; next = await this.#next()) {
      this.#speaking = true
      await this.#speak(next)
      this.#speaking = false
    }
    this.#working = false
    if (!this.aborted) this.#events.onProgress()
  }

  async #next(): Promise<Sentence | null> {
    for (;;) {
      if (this.aborted) return null
      if (this.#queue.length === 0 && this.#ended) return null
      if (this.#queue.length > 0 && this.#deps.ledger.waitingMs < LOOK_AHEAD_MS)
        return this.#queue.shift() ?? null
      await new Promise<void>((resolve) => (this.#wake = resolve))
      this.#wake = null
    }
  }

  async #speak(sentence: Sentence): Promise<void> {
    const { text } = sentence
    const segment = this.#deps.ledger.add(
      this.#deps.nextSegmentId(),
      typeof text === 'string' ? text : text.text.trimEnd(),
    )
    sentence.segment = segment
    const leadMs = this.#spokeBefore ? this.#deps.pacingMs : 0
    for (let again = true; again;) {
      again = false
      try {
        await this.#synthesize(sentence, segment, leadMs)
      } catch (error) {
        if (this.aborted || sentence.abort?.signal.aborted) break
        again = this.#events.onFailed(providerError(error)) && segment.audioMs === 0
      }
      if (this.aborted) return
    }
    // Also where the voice gave up: the heard words are counted in the whole sentence.
    if (typeof text !== 'string') await text.whole()
    if (this.aborted) return
    if (segment.audioMs === 0) {
      this.#deps.ledger.drop(segment.id)
      return
    }
    this.#spokeBefore = true
    segment.complete = true
    this.#deliver(segment, null)
  }

  async #synthesize(sentence: Sentence, segment: Segment, leadMs: number): Promise<void> {
    const { tts } = this.#deps
    this.#events.onAsked()
    let startMs = segment.audioMs
    for await (const event of this.#ask(sentence)) {
      if (this.aborted || sentence.abort?.signal.aborted) return
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

  #ask({ text, abort }: Sentence): AsyncIterable<TtsEvent> {
    const { tts, voice, callId } = this.#deps
    const all = this.#abort.signal
    const signal = abort === null ? all : AbortSignal.any([all, abort.signal])
    if (typeof text === 'string') return tts.synthesize({ callId, text, voice }, signal)
    return tts.synthesizeStream!({ callId, text, voice }, signal)
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
