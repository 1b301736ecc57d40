/**
 * The agent's sentences on their way to the line: chunks that wait in the JS heap, where each segment begins and ends in
 * the agent audio of the current epoch, and which marks are out. Pure bookkeeping: no clock, no socket.
 *
 *   epoch: |—— segment 7 ——|—— segment 8 ——|…      positions in ms of agent audio since the last clear()
 *
 * Sentences may be synthesised side by side: audio of segment 8 waits here until segment 7 is finished and has gone.
 */
import type { AudioLane } from '../../workers/pool.ts'

/** Audio one call may keep waiting: a synthesiser that runs away must not eat the machine. */
export const QUEUE_LIMIT_MS = 120_000
/** Segments whose heard position stays known after they are gone. */
const REMEMBERED_SEGMENTS = 64

/** The lane counts agent audio in whole samples of the line; a segment may end this much earlier in its own rate. */
const ROUNDING_MS = 0.5

/** Audio kept after it went into the lane, so that rewind() can play it again: the lane's rings and the line hold less. */
const REWIND_MS = 800

/** So many chunks that were let go of are taken out at once: taking out each would move all that are kept, 50 times a second. */
const FORGOTTEN_MAX = 64
const FORGOTTEN = new Int16Array(0)

export interface Segment {
  readonly id: number
  /** New in each epoch. */
  mark: string
  /** Position where it goes on in this epoch, ms; null until everything before it is known. */
  fromMs: number | null
  /** Appended in all. */
  samples: number
  /** Heard in earlier epochs: this one begins behind them. */
  heardSamples: number
  /** Gone into the lane. */
  fedSamples: number
  /** End to end; what stands before `kept` was let go of. */
  readonly chunks: Int16Array[]
  /** Samples of each: asked for at every frame, long after the chunk itself was last touched. */
  readonly lengths: number[]
  /** Index of the oldest chunk that may still be fed, and of its first sample in the segment. */
  kept: number
  keptAt: number
  /** Index of the chunk that holds sample `fedSamples`, and of its first sample in the segment. */
  next: number
  nextAt: number
  finished: boolean
  /** Finished, and all of it is in the lane. */
  fed: boolean
  started: boolean
  marked: boolean
  /** Wall time at which we stop waiting for the mark; set when it is sent. */
  markDeadlineMs: number
}

const NONE: readonly Segment[] = []

export class SegmentQueue {
  readonly #rateHz: number
  readonly #onDropped: (samples: number) => void
  /** Segments not yet confirmed as heard, oldest first. */
  #segments: Segment[] = []
  #waitingSamples = 0
  #epoch = 1
  /** Where the last fed segment ends, ms. */
  #fedEndMs = 0
  /** Final heard positions of segments that are confirmed or cut. */
  readonly #heard = new Map<number, number>()
  /** Segments from before the last clear(): whatever still arrives for them is dropped. */
  #lastClearedId = -1

  constructor(rateHz: number, onDropped: (samples: number) => void) {
    this.#rateHz = rateHz
    this.#onDropped = onDropped
  }

  /** True when no audio waits here: all of it is in the lane. */
  get drained(): boolean {
    return this.#waitingSamples === 0
  }

  get busy(): boolean {
    return this.#segments.length > 0
  }

  /** Audio for a segment that is finished, cut or confirmed already, or beyond the limit, is dropped and counted. */
  append(id: number, pcm: Int16Array): void {
    if (pcm.length === 0) return
    const limit = (QUEUE_LIMIT_MS * this.#rateHz) / 1_000
    const segment = this.#segmentOf(id)
    if (!segment || segment.finished || this.#waitingSamples + pcm.length > limit) {
      this.#onDropped(pcm.length)
      return
    }
    segment.chunks.push(pcm)
    segment.lengths.push(pcm.length)
    segment.samples += pcm.length
    this.#waitingSamples += pcm.length
  }

  finish(id: number): void {
    const segment = this.#segmentOf(id)
    if (segment) segment.finished = true
  }

  /** Moves waiting audio into the lane as far as it has room, one segment after the other. */
  pump(lane: Pick<AudioLane, 'pushAgentPcm' | 'agentSpaceSamples'>): void {
    for (const segment of this.#segments) {
      if (segment.fed) continue
      segment.fromMs ??= this.#fedEndMs
      if (!this.#feed(segment, lane) || !segment.finished) return
      segment.fed = true
      this.#fedEndMs = segment.fromMs + this.#restMs(segment)
    }
  }

  /**
   * Begins a new epoch in which everything unheard is played again, from `heardAgentMs` on. Returns the segments that were
   * heard whole and only waited for their mark; they are over.
   */
  rewind(heardAgentMs: number): Segment[] {
    const isHeard = (segment: Segment) => this.#isSent(segment, heardAgentMs)
    const over = this.#segments.filter(isHeard)
    for (const segment of over) this.#remember(segment.id, this.#lengthMs(segment))
    this.#segments = this.#segments.filter((segment) => !over.includes(segment))
    this.#epoch++
    this.#fedEndMs = 0
    for (const segment of this.#segments) {
      const heardMs = this.#heardOf(segment, heardAgentMs)
      segment.heardSamples = Math.max(segment.keptAt, Math.round((heardMs * this.#rateHz) / 1_000))
      this.#waitingSamples += segment.fedSamples - segment.heardSamples
      segment.fedSamples = segment.heardSamples
      seek(segment)
      segment.mark = this.#markOf(segment.id)
      segment.fromMs = null
      segment.fed = false
      segment.marked = false
    }
    return over
  }

  /** Drops everything; `heardAgentMs` is the epoch's position that the user has heard. */
  clear(heardAgentMs: number): void {
    for (const segment of this.#segments) {
      this.#remember(segment.id, this.#heardOf(segment, heardAgentMs))
      this.#lastClearedId = Math.max(this.#lastClearedId, segment.id)
    }
    this.#segments = []
    this.#waitingSamples = 0
    this.#epoch++
    this.#fedEndMs = 0
  }

  heardMs(id: number, heardAgentMs: number): number {
    const known = this.#heard.get(id)
    if (known !== undefined) return known
    const segment = this.#segments.find((candidate) => candidate.id === id)
    return segment ? this.#heardOf(segment, heardAgentMs) : 0
  }

  /** Segments whose first frame has just gone out, each once. */
  startedBefore(sentAgentMs: number): readonly Segment[] {
    // Asked for every frame, and nearly always without an answer: no array for nothing.
    let started: Segment[] | null = null
    for (const segment of this.#segments) {
      if (segment.fromMs === null || segment.fromMs >= sentAgentMs) break
      if (segment.started || segment.samples === 0) continue
      segment.started = true
      started ??= []
      started.push(segment)
    }
    return started ?? NONE
  }

  /** The next finished segment that has been sent whole and has no mark yet. */
  nextToMark(sentAgentMs: number): Segment | null {
    for (const segment of this.#segments) {
      if (segment.marked) continue
      if (!this.#isSent(segment, sentAgentMs)) return null
      segment.marked = true
      return segment
    }
    return null
  }

  /** True when the position lies inside a segment that has begun and is not whole yet. */
  insideSegment(sentAgentMs: number): boolean {
    return this.#segments.some((segment) => segment.started && !this.#isSent(segment, sentAgentMs))
  }

  /**
   * The segments this mark proves, oldest first, removed and remembered as heard whole: its own and, since a line plays in
   * order, every one before it. Empty for old or unknown marks.
   */
  confirm(mark: string): Segment[] {
    const index = this.#segments.findIndex((segment) => segment.marked && segment.mark === mark)
    const proven = this.#segments.splice(0, index + 1)
    for (const segment of proven) this.#remember(segment.id, this.#lengthMs(segment))
    return proven
  }

  overdue(nowMs: number): Segment | null {
    const first = this.#segments[0]
    return first && first.marked && nowMs > first.markDeadlineMs ? first : null
  }

  /** The segment with this id, opened when it is new; null when it is over. */
  #segmentOf(id: number): Segment | null {
    for (const segment of this.#segments) if (segment.id === id) return segment
    if (id <= this.#lastClearedId || this.#heard.has(id)) return null
    const segment: Segment = {
      id,
      mark: this.#markOf(id),
      fromMs: null,
      samples: 0,
      heardSamples: 0,
      fedSamples: 0,
      chunks: [],
      lengths: [],
      kept: 0,
      keptAt: 0,
      next: 0,
      nextAt: 0,
      finished: false,
      fed: false,
      started: false,
      marked: false,
      markDeadlineMs: 0,
    }
    this.#segments.push(segment)
    return segment
  }

  /** True when all of the segment's audio so far is in the lane. */
  #feed(segment: Segment, lane: Pick<AudioLane, 'pushAgentPcm' | 'agentSpaceSamples'>): boolean {
    const { chunks, lengths } = segment
    while (segment.next < chunks.length) {
      // A full ring is the ordinary state of a long sentence, nothing to be counted.
      if (lane.agentSpaceSamples <= 0) break
      const accepted = lane.pushAgentPcm(chunks[segment.next]!, segment.fedSamples - segment.nextAt)
      this.#waitingSamples -= accepted
      segment.fedSamples += accepted
      if (segment.fedSamples < segment.nextAt + lengths[segment.next]!) break
      segment.nextAt += lengths[segment.next]!
      segment.next++
      this.#forget(segment)
    }
    return segment.fedSamples === segment.samples
  }

  /** Lets go of audio that can no longer be asked for again. */
  #forget(segment: Segment): void {
    const { chunks, lengths } = segment
    const keptFrom = segment.fedSamples - (REWIND_MS * this.#rateHz) / 1_000
    while (segment.kept < segment.next && segment.keptAt + lengths[segment.kept]! <= keptFrom) {
      segment.keptAt += lengths[segment.kept]!
      chunks[segment.kept] = FORGOTTEN
      segment.kept++
    }
    if (segment.kept < FORGOTTEN_MAX) return
    chunks.splice(0, segment.kept)
    lengths.splice(0, segment.kept)
    segment.next -= segment.kept
    segment.kept = 0
  }

  #markOf(id: number): string {
    return `${this.#epoch}.${id}`
  }

  #isSent(segment: Segment, sentAgentMs: number): boolean {
    if (!segment.fed || segment.fromMs === null) return false
    return segment.fromMs + this.#restMs(segment) <= sentAgentMs + ROUNDING_MS
  }

  #lengthMs(segment: Segment): number {
    return (segment.samples * 1_000) / this.#rateHz
  }

  /** What this epoch has to play of it. */
  #restMs(segment: Segment): number {
    return ((segment.samples - segment.heardSamples) * 1_000) / this.#rateHz
  }

  #heardOf(segment: Segment, heardAgentMs: number): number {
    const beforeMs = (segment.heardSamples * 1_000) / this.#rateHz
    if (segment.fromMs === null) return beforeMs
    const nowMs = Math.max(0, heardAgentMs - segment.fromMs)
    return Math.min(this.#lengthMs(segment), beforeMs + nowMs)
  }

  #remember(id: number, heardMs: number): void {
    this.#heard.set(id, heardMs)
    if (this.#heard.size > REMEMBERED_SEGMENTS) {
      for (const oldest of this.#heard.keys()) {
        this.#heard.delete(oldest)
        break
      }
    }
  }
}

/** Makes `next` the chunk that holds sample `fedSamples`: one that is kept, or the one behind the last. */
function seek(segment: Segment): void {
  segment.next = segment.kept
  segment.nextAt = segment.keptAt
  const { lengths } = segment
  while (segment.next < lengths.length) {
    const behind = segment.nextAt + lengths[segment.next]!
    if (behind > segment.fedSamples) return
    segment.nextAt = behind
    segment.next++
  }
}
