/**
 * The user's audio that no final has confirmed yet, kept to be heard again by another recogniser.
 *
 *   push ─► [ 0.2 s block ][ 0.2 s block ][ block being filled ] ─► replay(from) in frames of 20 ms, with its VAD hints
 *              └ let go: behind a final, or when nothing was said
 *
 * Invariants: at most KEPT_MS; blocks are used again, by all calls together; no overlap, in order.
 */
import { BoundedQueue } from '../bounded-queue.ts'
import { SpareMemory } from '../spare-memory.ts'
import type { SttRateHz } from './stt.ts'

const BLOCK_MS = 200
const FRAME_MS = 20
/** Speech that no final followed for so long is given up: the oldest goes. */
export const KEPT_MS = 20_000

/** 3.3 and 6.6 MB: three blocks for each of 340 calls. */
const spareBlocks: Readonly<Record<SttRateHz, SpareMemory>> = {
  8_000: new SpareMemory({ bytes: (BLOCK_MS * 8_000 * 2) / 1_000, most: 1_024 }),
  16_000: new SpareMemory({ bytes: (BLOCK_MS * 16_000 * 2) / 1_000, most: 1_024 }),
}

interface Block {
  pcm: Int16Array<ArrayBuffer>
  startMs: number
  length: number
}

export type Hint = { kind: 'started' | 'ended'; atMs: number }

export interface ReplayTarget {
  push(pcm: Int16Array, atMs: number): void
  speechStarted(atMs: number): void
  speechEnded(atMs: number): void
}

export class ReplayAudio {
  readonly #samplesPerMs: number
  readonly #blockSamples: number
  readonly #spare: SpareMemory
  #blocks: Block[] = []
  #hints: Hint[] = []
  #droppedMs = 0

  constructor(rateHz: SttRateHz) {
    this.#samplesPerMs = rateHz / 1_000
    this.#blockSamples = BLOCK_MS * this.#samplesPerMs
    this.#spare = spareBlocks[rateHz]
  }

  /** ms of unconfirmed audio that had to be let go. */
  get droppedMs(): number {
    return this.#droppedMs
  }

  get keptMs(): number {
    return this.#blocks.reduce((sum, { length }) => sum + length / this.#samplesPerMs, 0)
  }

  push(pcm: Int16Array, atMs: number): void {
    let at = 0
    while (at < pcm.length) {
      const block = this.#blockFor(atMs + at / this.#samplesPerMs)
      const room = this.#blockSamples - block.length
      const part = at === 0 && pcm.length <= room ? pcm : pcm.subarray(at, at + room)
      block.pcm.set(part, block.length)
      block.length += part.length
      at += part.length
    }
  }

  hint(hint: Hint): void {
    this.#hints.push(hint)
    if (this.#hints.length > 200) this.#hints.shift()
  }

  /** Lets go of everything before `atMs`, to the block. */
  forget(atMs: number): void {
    while (this.#blocks.length > 1 && this.#endOf(this.#blocks[0]!) <= atMs) this.#release()
    while (this.#hints.length > 0 && this.#hints[0]!.atMs < atMs) this.#hints.shift()
  }

  /** Gives everything from `fromMs` on to `target`, each hint before the audio that follows it. */
  replay(fromMs: number, target: ReplayTarget): void {
    const hints = this.#hints.filter(({ atMs }) => atMs >= fromMs)
    const tell = (untilMs: number): void => {
      while (hints.length > 0 && hints[0]!.atMs <= untilMs) {
        const { kind, atMs } = hints.shift()!
        if (kind === 'started') target.speechStarted(atMs)
        else target.speechEnded(atMs)
      }
    }
    const frameSamples = FRAME_MS * this.#samplesPerMs
    for (const { pcm, startMs, length } of this.#blocks) {
      const skipped = Math.max(0, Math.ceil((fromMs - startMs) * this.#samplesPerMs))
      for (let at = skipped; at < length; at += frameSamples) {
        const end = Math.min(length, at + frameSamples)
        target.push(pcm.subarray(at, end), startMs + at / this.#samplesPerMs)
        tell(startMs + end / this.#samplesPerMs)
      }
    }
    tell(Infinity)
  }

  clear(): void {
    while (this.#blocks.length > 0) this.#release()
    this.#hints = []
  }

  #blockFor(atMs: number): Block {
    const last = this.#blocks.at(-1)
    const follows = last !== undefined && Math.abs(this.#endOf(last) - atMs) < 1
    if (follows && last.length < this.#blockSamples) return last
    if (this.#blocks.length >= KEPT_MS / BLOCK_MS) {
      this.#droppedMs += this.#blocks[0]!.length / this.#samplesPerMs
      BoundedQueue.onDropped('sttReplayBlocks')
      this.#release()
    }
    const block = { pcm: new Int16Array(this.#spare.take()), startMs: atMs, length: 0 }
    this.#blocks.push(block)
    return block
  }

  #release(): void {
    const block = this.#blocks.shift()
    if (block !== undefined) this.#spare.give(block.pcm.buffer)
  }

  #endOf(block: Block): number {
    return block.startMs + block.length / this.#samplesPerMs
  }
}
