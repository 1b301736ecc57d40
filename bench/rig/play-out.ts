/**
 * Play-out: what the user of a simulated call hears, and when.
 *
 *   agent payload ─► queue, played at 8 000 samples/s from its arrival on ─► heard timeline (samples since `start`)
 *                    marks are echoed when everything before them was played; clear drops the rest and echoes them all
 *
 * No timer moves the audio: a payload's place in the timeline follows from its arrival and from
 * what was queued then. Audio that arrives while the queue is empty is heard at once (no jitter
 * buffer: the hardest case for the server).
 *
 * Invariants: the timeline never overlaps itself; nothing after a clear, or after the end, was
 * heard.
 */
import { DECODED } from './mulaw.ts'
import { VoiceActivity } from './voice-activity.ts'

export const LINE_RATE_HZ = 8_000
const SAMPLES_PER_MS = LINE_RATE_HZ / 1_000
/** Twilio refuses to queue more than 10 minutes (31931). */
const QUEUE_LIMIT_SAMPLES = 600_000 * SAMPLES_PER_MS
/**
 * A hole shorter than this inside the agent's speech is an underrun; a longer one is a pause. Behind a clear it is no hole inside
 * anything: the agent was cut, and what came back so soon is the next sentence, or the same one when the agent cannot make up its mind.
 */
const UNDERRUN_MAX_MS = 200

interface PendingMark {
  name: string
  atSample: number
}

export interface PlayOutOptions {
  /** When the stream started, on the scale of `performance.now`. */
  startMs: number
  /** False keeps only counters: for load. */
  record: boolean
  /** False where time is the caller's: marks are echoed by echoDue(). Default true. */
  ownTimer?: boolean
  onMark(name: string): void
  onQueueFull?(): void
}

export class PlayOut {
  /** Voice activity of what was heard so far; only with `record`. */
  readonly heard = new VoiceActivity()
  /** When the agent's queue was cleared, ms since start. */
  readonly clearsMs: number[] = []
  underruns = 0
  underrunMs = 0
  /** Times that the agent was heard again so soon after a clear. */
  quickReturns = 0
  queueOverflows = 0
  readonly #options: PlayOutOptions
  #timeline: Int16Array
  #endSample = 0
  /** Queued and never cut. */
  #takenSamples = 0
  #marks: PendingMark[] = []
  #markTimer: NodeJS.Timeout | null = null
  #finished = false
  /** Nothing was heard since the last clear. */
  #isCleared = false

  constructor(options: PlayOutOptions) {
    this.#options = options
    this.#timeline = new Int16Array(options.record ? 60 * LINE_RATE_HZ : 0)
  }

  /** Queues one payload of any length. */
  push(payload: Uint8Array, nowMs: number): void {
    if (this.#finished) return
    const now = this.#sampleAt(nowMs)
    if (this.#endSample - now > QUEUE_LIMIT_SAMPLES) {
      if (this.queueOverflows++ === 0) this.#options.onQueueFull?.()
      return
    }
    const holeMs = (now - this.#endSample) / SAMPLES_PER_MS
    if (holeMs > 0 && holeMs < UNDERRUN_MAX_MS && this.#endSample > 0) this.#note(holeMs)
    this.#isCleared = false
    const from = Math.max(now, this.#endSample)
    this.#endSample = from + payload.length
    this.#takenSamples += payload.length
    if (!this.#options.record) return
    this.#grow(this.#endSample)
    for (let i = 0; i < payload.length; i++) {
      this.#timeline[from + i] = DECODED[payload[i] ?? 0xff] ?? 0
    }
  }

  /** Echoes the mark when everything queued before it was played, at once when nothing is. */
  mark(name: string, nowMs: number): void {
    if (this.#finished) return
    this.#marks.push({ name, atSample: this.#endSample })
    this.echoDue(nowMs)
  }

  /** Drops what was not yet played and echoes every pending mark right away, as Twilio does. */
  clear(nowMs: number): void {
    if (this.#finished) return
    this.clearsMs.push(nowMs - this.#options.startMs)
    this.#cut(nowMs)
    this.#isCleared = true
    const marks = this.#marks
    this.#dropMarks()
    for (const mark of marks) this.#options.onMark(mark.name)
  }

  /**
   * The call is over: the rest of the queue is never heard, no mark is echoed any more. Idempotent.
   */
  finish(nowMs: number): void {
    if (this.#finished) return
    this.listen(nowMs)
    this.#cut(nowMs)
    this.#finished = true
    this.#dropMarks()
  }

  /** Brings `heard` up to now. Cheap; call as often as you like. */
  listen(nowMs: number): void {
    if (!this.#options.record || this.#finished) return
    this.heard.advance(this.#timeline, this.#sampleAt(nowMs))
  }

  /** What was heard from one moment to another, both in the past; only with `record`. */
  between(fromMs: number, toMs: number): Int16Array {
    const heard = new Int16Array(this.#sampleAt(toMs) - this.#sampleAt(fromMs))
    heard.set(this.#timeline.subarray(this.#sampleAt(fromMs), this.#sampleAt(toMs)))
    return heard
  }

  /** Everything heard since start, silence included. */
  recording(): Int16Array {
    return this.#timeline.slice(0, this.#endSample)
  }

  /** Audio queued and not yet played, ms. */
  queuedMs(nowMs: number): number {
    return Math.max(0, this.#endSample - this.#sampleAt(nowMs)) / SAMPLES_PER_MS
  }

  /** Audio that was played by now, silence between payloads not counted, ms. */
  playedMs(nowMs: number): number {
    return this.#takenSamples / SAMPLES_PER_MS - this.queuedMs(nowMs)
  }

  #note(holeMs: number): void {
    if (this.#isCleared) {
      this.quickReturns++
      return
    }
    this.underruns++
    this.underrunMs += holeMs
  }

  #sampleAt(nowMs: number): number {
    return Math.max(0, Math.floor((nowMs - this.#options.startMs) * SAMPLES_PER_MS))
  }

  #cut(nowMs: number): void {
    const now = this.#sampleAt(nowMs)
    if (this.#endSample <= now) return
    if (this.#options.record) this.#timeline.fill(0, now, this.#endSample)
    this.#takenSamples -= this.#endSample - now
    this.#endSample = now
  }

  #dropMarks(): void {
    this.#marks = []
    if (this.#markTimer !== null) clearTimeout(this.#markTimer)
    this.#markTimer = null
  }

  /** Echoes the marks behind which everything was played by now. */
  echoDue(nowMs: number): void {
    const now = this.#sampleAt(nowMs)
    while (this.#marks[0] !== undefined && this.#marks[0].atSample <= now) {
      const mark = this.#marks.shift()
      if (mark !== undefined) this.#options.onMark(mark.name)
    }
    const next = this.#marks[0]
    if (next === undefined || this.#markTimer !== null) return
    if (this.#options.ownTimer === false) return
    const waitMs = (next.atSample - now) / SAMPLES_PER_MS
    this.#markTimer = setTimeout(() => {
      this.#markTimer = null
      this.echoDue(performance.now())
    }, Math.ceil(waitMs))
  }

  #grow(samples: number): void {
    if (samples <= this.#timeline.length) return
    const larger = new Int16Array(Math.max(samples, this.#timeline.length * 2))
    larger.set(this.#timeline)
    this.#timeline = larger
  }
}
