/**
 * Endpointing: decides when the user's turn is over.
 *
 *   speech ──► last voiced sample ──► wait(completeness) ──► transcript there? ──► commit
 *                                     min … max               else ≤ 2.5 s
 *
 * The wait is counted from the last voiced sample, so the VAD's hangover is part of it. Complete sentences wait
 * 0.6 × silenceTimeoutMs, those that could end here the setting itself, those that hang in the air 3 × (at most 2.5 s).
 * The minimum follows the user: somebody who pauses for long inside sentences gets a higher floor. Pure: all times are
 * audio time in ms and come in as arguments.
 *
 * Rules (changed): the minimum was 0.4 ×, which took pauses inside a turn for its end. A partial counts only when it
 * reaches the last voiced sample within 250 ms: recognisers that run again on the growing utterance report its first
 * part only. A final counts as the answer to the last speech only when it reaches into it, not because it came after it.
 *
 * Invariants: never commits while speech goes on (except when the VAD hangs on noise, see STUCK_MS) or before the
 * transcript covers the last speech (except after NO_TRANSCRIPT_MS).
 */
import { completeness } from './completeness.ts'
import { Prosody, withProsody, type VoicedFrame } from './prosody.ts'
import { NO_TRANSCRIPT_MS, waitBounds, waitMs, type WaitBounds } from './turn-wait.ts'

export { NO_TRANSCRIPT_MS, waitBounds, waitMs } from './turn-wait.ts'

/** A partial that has not changed for this long and sounds complete is as good as a final. */
const STABLE_PARTIAL_MS = 20
const STABLE_PARTIAL_COMPLETENESS = 0.55

/** Silence that is more than the closure of a consonant, though the VAD's hangover (200 ms) still bridges it. */
const EARLY_SILENCE_MS = 140
const EARLY_COMPLETENESS = 0.55

/** The VAD says "speech" but no new word came for this long after a final: it is a lorry, not the user. */
const STUCK_MS = 2_500

/** A sound shorter than this (cough, click) after the transcript is not waited for. */
const BLIP_MS = 250

/** A final that ends this close to the end of speech covers it. */
const COVER_MS = 400
/** A partial must come closer: more of it is always to come. */
const PARTIAL_COVER_MS = 160

/** Weight of the newest pause in the running mean of the user's pauses. */
const PAUSE_WEIGHT = 0.4
/** The floor stands a little above the mean pause. */
const PAUSE_MARGIN = 1.15
const LONGEST_PAUSE_MS = 3_000

export interface EndpointingSettings {
  language: string
  /** The profile's setting: the wait for a sentence of which nothing is known. */
  silenceTimeoutMs: number
  /** The shortest and the longest wait, ms; 0 or absent: derived from silenceTimeoutMs. */
  endpointingMinMs?: number
  endpointingMaxMs?: number
}

export interface Words {
  /** Everything the user has said since the last turn. */
  text: string
  /** False while the newest words are a partial. */
  isFinal: boolean
  /** Audio time at which the newest words end. */
  endMs: number
  /** Up to where no partial waits for its final behind newer words; `endMs` when left out. */
  knownToMs?: number
}

export type EndpointDecision =
  | { kind: 'wait' }
  /** `startMs`: where the turn's first speech began. A commit after `dueMs` means that we waited for the recogniser. */
  | { kind: 'commit'; startMs: number; speechEndMs: number; dueMs: number }
  /** There was sound, but no words came. */
  | { kind: 'abandon' }

const WAIT: EndpointDecision = { kind: 'wait' }

export class Endpointing {
  readonly #settings: EndpointingSettings
  readonly #speculates: () => boolean
  readonly #bounds: WaitBounds
  readonly #prosody = new Prosody()
  #floorMs: number
  #speaking = false
  #speechStartMs = 0
  #turnStartMs: number | null = null
  #speechEndMs: number | null = null
  /** The last voiced sample while speech goes on; null until a frame of it was seen. */
  #lastVoicedMs: number | null = null
  /** The turn was committed within the hangover behind this sample, and nothing was voiced since. */
  #closedAtMs: number | null = null
  #words: Words = { text: '', isFinal: true, endMs: 0 }
  #completeness = 0.5
  #changedMs = 0
  /** When the last final came that reaches into the last speech. */
  #answeredMs = 0
  #pauseMs: number | null = null

  /** `speculates`: false while only finals may end a turn. */
  constructor(settings: EndpointingSettings, speculates: () => boolean = () => true) {
    this.#speculates = speculates
    this.#settings = settings
    this.#bounds = waitBounds(settings)
    this.#floorMs = this.#bounds.minMs
  }

  /** The learned minimum of the wait, ms. */
  get floorMs(): number {
    return this.#floorMs
  }

  get speaking(): boolean {
    return this.#speaking && this.#closedAtMs === null
  }

  /** True while there is something to wait for: sound that may be words, or words that may go on. */
  get pending(): boolean {
    return this.speaking || this.#speechEndMs !== null || this.#words.text !== ''
  }

  /** Where the last speech began. */
  get speechStartMs(): number {
    return this.#speechStartMs
  }

  speechStarted(startMs: number): void {
    if (this.#speechEndMs !== null && this.#words.text !== '')
      this.#pauseMs = startMs - this.#speechEndMs
    this.#speaking = true
    this.#speechStartMs = startMs
    this.#prosody.reset()
    this.#lastVoicedMs = null
    this.#closedAtMs = null
    this.#turnStartMs ??= startMs
  }

  /**
   * A frame of the user while speech goes on: its melody tells whether the speaker sounds finished, and its last voiced
   * sample how long the silence is that the VAD's hangover still hides.
   * @returns true when the voice goes on after a commit within the hangover: a new start that the VAD does not report.
   */
  frame(frame: VoicedFrame & { lastVoicedMs: number }): boolean {
    if (!this.#speaking) return false
    this.#lastVoicedMs = frame.lastVoicedMs
    if (frame.pitchHz > 0) this.#prosody.frame(frame)
    return this.#closedAtMs !== null && frame.lastVoicedMs > this.#closedAtMs
  }

  speechEnded(lastVoicedMs: number): void {
    this.#speaking = false
    if (this.#closedAtMs === null) this.#speechEndMs = lastVoicedMs
    this.#closedAtMs = null
  }

  /** Feeds a pause after which the user went on, also one that we had taken for the end of the turn. */
  learnPause(pauseMs: number): void {
    if (pauseMs <= 0 || pauseMs > LONGEST_PAUSE_MS) return
    const { minMs } = this.#bounds
    const next = this.#floorMs + (pauseMs * PAUSE_MARGIN - this.#floorMs) * PAUSE_WEIGHT
    this.#floorMs = Math.min(Math.max(next, minMs), Math.max(minMs, this.#bounds.midMs))
  }

  /**
   * The recogniser spoke: `words` (copied) is the whole open turn, `heard` the transcript that just came, when it is not
   * its end. An empty final still answers "nothing was said".
   */
  transcript(words: Words, atMs: number, heard: Pick<Words, 'isFinal' | 'endMs'> = words): void {
    if (words.text !== this.#words.text) {
      this.#changedMs = atMs
      // Judged once per change: decide() runs with every frame of every call.
      this.#completeness = completeness(words.text, this.#settings.language)
      // The pause counts once words have followed it: a cough teaches nothing.
      if (this.#pauseMs !== null) this.learnPause(this.#pauseMs)
      this.#pauseMs = null
    }
    const answers = heard.isFinal && heard.endMs > this.#speechStartMs
    if (answers) this.#answeredMs = atMs
    const { text, isFinal, endMs, knownToMs } = words
    this.#words = { text, isFinal, endMs, knownToMs: knownToMs ?? endMs }
    if (words.text === '' && words.isFinal && answers && !this.speaking) this.#abandon()
    // Speech that the VAD missed: the recogniser's own end of the words stands in for it.
    if (!this.speaking && this.#speechEndMs === null && words.text !== '') {
      this.#speechStartMs = Math.min(words.endMs, atMs)
      this.#speechEndMs = Math.min(words.endMs, atMs)
    }
  }

  decide(atMs: number): EndpointDecision {
    if (this.speaking) {
      const early = this.#decideWithin(this.#lastVoicedMs, atMs)
      return early.kind === 'commit' ? early : this.#decideWhileSpeaking(atMs)
    }
    const endMs = this.#speechEndMs
    if (endMs === null) return WAIT
    if (this.#words.text !== '') return this.#decideAt(endMs, atMs)
    return atMs - endMs >= NO_TRANSCRIPT_MS ? this.#abandon() : WAIT
  }

  /** Within the hangover: only when the words are complete, and reach the silence. */
  #decideWithin(endMs: number | null, atMs: number): EndpointDecision {
    const isSilent = endMs !== null && atMs - endMs >= EARLY_SILENCE_MS
    if (!isSilent || this.#words.text === '' || this.#completeness < EARLY_COMPLETENESS) return WAIT
    const decision = this.#decideAt(endMs, atMs)
    if (decision.kind === 'commit') this.#closedAtMs = endMs
    return decision
  }

  #decideAt(endMs: number, atMs: number): EndpointDecision {
    const sinceEndMs = atMs - endMs
    const probability = withProsody(this.#completeness, this.#prosody.finality)
    const wait = waitMs(probability, this.#bounds, this.#floorMs)
    if (sinceEndMs < wait) return WAIT
    const ready = this.#words.isFinal
      ? this.#covered(endMs)
      : this.#speculates() &&
        probability >= STABLE_PARTIAL_COMPLETENESS &&
        this.#stable(atMs, endMs)
    if (!ready && sinceEndMs < Math.max(wait, NO_TRANSCRIPT_MS)) return WAIT
    return this.#commit(endMs, endMs + wait)
  }

  /** Forgets the open turn; the learned floor stays. */
  reset(): void {
    this.#speechEndMs = null
    this.#pauseMs = null
    this.#turnStartMs = this.speaking ? this.#speechStartMs : null
    this.#words = { text: '', isFinal: true, endMs: 0 }
  }

  #decideWhileSpeaking(atMs: number): EndpointDecision {
    const stuck =
      this.#words.text !== '' &&
      this.#words.isFinal &&
      atMs - this.#changedMs >= STUCK_MS &&
      atMs - this.#speechStartMs >= STUCK_MS
    if (!stuck) return WAIT
    return this.#commit(this.#words.endMs, this.#words.endMs + STUCK_MS)
  }

  #commit(speechEndMs: number, dueMs: number): EndpointDecision {
    return {
      kind: 'commit',
      startMs: Math.min(this.#turnStartMs ?? speechEndMs, speechEndMs),
      speechEndMs,
      dueMs,
    }
  }

  #abandon(): EndpointDecision {
    this.#speechEndMs = null
    this.#turnStartMs = null
    return { kind: 'abandon' }
  }

  #covered(endMs: number): boolean {
    if (this.#words.endMs >= endMs - COVER_MS || this.#answeredMs >= endMs) return true
    return endMs - this.#speechStartMs < BLIP_MS
  }

  #stable(atMs: number, endMs: number): boolean {
    const knownToMs = this.#words.knownToMs ?? this.#words.endMs
    if (knownToMs < endMs - PARTIAL_COVER_MS) return false
    return atMs - this.#changedMs >= STABLE_PARTIAL_MS && this.#changedMs >= this.#speechStartMs
  }
}
