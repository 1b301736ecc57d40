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
import { STT_RATE_HZ } from './stt.ts'

const SAMPLES_PER_MS = STT_RATE_HZ / 1_000
const BLOCK_MS = 200
const BLOCK_SAMPLES = BLOCK_MS * SAMPLES_PER_MS
const FRAME_SAMPLES = 20 * SAMPLES_PER_MS
/** Speech that no final followed for so long is given up: the oldest goes. */
export const KEPT_MS = 20_000

/** 6.6 MB: three blocks for each of 340 calls. */
const spareBlocks = new SpareMemory({ bytes: 2 * BLOCK_SAMPLES, most: 1_024 })

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
  #blocks: Block[] = []
  #hints: Hint[] = []
  #droppedMs = 0

  /** ms of unconfirmed audio that had to be let go. */
  get droppedMs(): number {
    return this.#droppedMs
  }

  get keptMs(): number {
    return this.#blocks.reduce((sum, { length }) => sum + length / SAMPLES_PER_MS, 0)
  }

  push(pcm: Int16Array, atMs: number): void {
    let at = 0
    while (at < pcm.length) {
      const block = this.#blockFor(atMs + at / SAMPLES_PER_MS)
      const room = BLOCK_SAMPLES - block.length
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
    while (this.#blocks.length > 1 && endOf(this.#blocks[0]!) <= atMs) this.#release()
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
    for (const { pcm, startMs, length } of this.#blocks) {
      const skipped = Math.max(0, Math.ceil((fromMs - startMs) * SAMPLES_PER_MS))
      for (let at = skipped; at < length; at += FRAME_SAMPLES) {
        const end = Math.min(length, at + FRAME_SAMPLES)
        target.push(pcm.subarray(at, end), startMs + at / SAMPLES_PER_MS)
        tell(startMs + end / SAMPLES_PER_MS)
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
    const follows = last !== undefined && Math.abs(endOf(last) - atMs) < 1
    if (follows && last.length < BLOCK_SAMPLES) return last
    if (this.#blocks.length >= KEPT_MS / BLOCK_MS) {
      this.#droppedMs += this.#blocks[0]!.length / SAMPLES_PER_MS
      BoundedQueue.onDropped('sttReplayBlocks')
      this.#release()
    }
    const block = { pcm: new Int16Array(spareBlocks.take()), startMs: atMs, length: 0 }
    this.#blocks.push(block)
    return block
  }

  #release(): void {
    const block = this.#blocks.shift()
    if (block !== undefined) spareBlocks.give(block.pcm.buffer)
  }
}

function endOf(block: Block): number {
  return block.startMs + block.length / SAMPLES_PER_MS
}
