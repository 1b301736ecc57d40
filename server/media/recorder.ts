/**
 * Recorder: a stereo WAV of the call, user left, agent right, in the line's own codec (no decoding, no loss).
 *
 *   user audio, 20 ms at a time ───┬─► interleave ─► block of 2 s ─► file ─► the block goes to the next recording
 *   agent payloads as sent ─► FIFO ┘   the FIFO plays like the carrier's buffer: one payload per 20 ms, emptied by clear
 *
 * The user's audio time is the clock, so a position in the file is a position in the transcript. Nothing waits for the
 * disk: blocks that it does not take in time are dropped and counted. A file that was never finished (kill -9) has a data
 * length of 0 in its header, which players read as "up to the end of the file".
 * Decision: docs/adr/0006.
 */
import { createWriteStream, type WriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { finished } from 'node:stream/promises'
import { SpareMemory } from '../spare-memory.ts'
import { FRAME_MS, payloadBytes, silentPayload, type AudioFormat } from './audio-format.ts'

const BLOCK_FRAMES = 100
/** Blocks kept for whoever needs one next: as many as half a thousand calls have under way at the disk. */
const SPARE_BLOCKS_MAX = 64
/** About 60 s of a telephone call: a disk that stalls longer loses audio, not the call. */
const BACKLOG_MAX_BYTES = 1_048_576
/** 10 s: the pacer sends 4 payloads ahead of the user's clock, a stalled user stream lets some more gather. */
const AGENT_FIFO_MAX = 500
const AGENT_FIFO_FIRST = 16
/** WAVE_FORMAT_* tags of mmreg.h. */
const WAV_TAG = { L16: 1, PCMA: 6, PCMU: 7 } as const

/** By size: a telephone's and a browser's blocks differ. */
const spareBlocks = new Map<number, SpareMemory>()

/** Blocks that wait for recordings in this format. */
export function spareBlocksOf(format: AudioFormat): SpareMemory {
  const bytes = BLOCK_FRAMES * payloadBytes(format) * 2
  const known = spareBlocks.get(bytes)
  if (known !== undefined) return known
  const spare = new SpareMemory({ bytes, most: SPARE_BLOCKS_MAX })
  spareBlocks.set(bytes, spare)
  return spare
}

export interface RecordingFacts {
  path: string
  durationMs: number
  channels: 2
  sampleRateHz: number
  bytes: number
}

export class Recorder {
  readonly #path: string
  readonly #format: AudioFormat
  readonly #file: WriteStream
  readonly #sampleBytes: number
  readonly #frameBytes: number
  readonly #agentFifo: FrameFifo
  readonly #silence: Uint8Array
  readonly #spare: SpareMemory
  /** Null while nothing waits to be written: whoever ends has none left over. */
  #block: Buffer<ArrayBuffer> | null = null
  #blockFrames = 0
  #failed: Error | null = null
  /** Blocks of 2 s that the disk did not take. */
  droppedBlocks = 0
  /** Agent payloads beyond the FIFO's limit. */
  droppedAgentPayloads = 0

  /** Opens `path` for writing; its folder must exist. A disk error ends the recording, never the call. */
  constructor(path: string, format: AudioFormat) {
    this.#path = path
    this.#format = format
    this.#sampleBytes = format.codec === 'L16' ? 2 : 1
    this.#frameBytes = payloadBytes(format)
    this.#spare = spareBlocksOf(format)
    this.#silence = silentPayload(format)
    this.#agentFifo = new FrameFifo(this.#frameBytes, AGENT_FIFO_MAX)
    this.#file = createWriteStream(path)
    this.#file.on('error', (error) => {
      this.#failed = error
    })
    this.#file.write(wavHeader(format, 0))
  }

  /** Audio of the user; moves the recording on by its length, in steps of 20 ms (a rest is filled with silence). */
  user(payload: Uint8Array): void {
    for (let at = 0; at < payload.length; at += this.#frameBytes) {
      const isWhole = payload.length === this.#frameBytes
      let frame = isWhole ? payload : payload.subarray(at, at + this.#frameBytes)
      if (frame.length < this.#frameBytes) {
        const rest = frame
        frame = this.#silence.slice()
        frame.set(rest)
      }
      this.#interleave(frame, this.#agentFifo.shift() ?? this.#silence)
      if (++this.#blockFrames === BLOCK_FRAMES) this.#writeBlock()
    }
  }

  /** Line time without audio time: what the agent said meanwhile was played, but has no place in the recording. */
  skipped(ms: number): void {
    this.#agentFifo.drop(Math.round(ms / FRAME_MS))
  }

  /** A payload that went to the line; copied. */
  agent(payload: Uint8Array): void {
    if (!this.#agentFifo.push(payload)) this.droppedAgentPayloads++
  }

  /** The carrier's buffer was cleared: what was not played is not in the recording. */
  cleared(): void {
    this.#agentFifo.drop(AGENT_FIFO_MAX)
  }

  /** Writes the rest and the header. @throws the disk's error when any write failed. */
  async finish(): Promise<RecordingFacts> {
    if (this.#blockFrames > 0) this.#writeBlock()
    // One that could not be written never was at the disk.
    if (this.#block !== null) this.#spare.give(this.#block.buffer)
    this.#block = null
    this.#file.end()
    await finished(this.#file)
    const headerBytes = wavHeader(this.#format, 0).length
    const dataBytes = this.#file.bytesWritten - headerBytes
    const handle = await open(this.#path, 'r+')
    try {
      await handle.write(wavHeader(this.#format, dataBytes), 0, headerBytes, 0)
    } finally {
      await handle.close()
    }
    return {
      path: this.#path,
      durationMs: (dataBytes / (2 * this.#frameBytes)) * FRAME_MS,
      channels: 2,
      sampleRateHz: this.#format.sampleRateHz,
      bytes: headerBytes + dataBytes,
    }
  }

  #interleave(user: Uint8Array, agent: Uint8Array): void {
    const out = (this.#block ??= Buffer.from(this.#spare.take()))
    let at = this.#blockFrames * this.#frameBytes * 2
    if (this.#sampleBytes === 1) {
      for (let i = 0; i < this.#frameBytes; i++, at += 2) {
        out[at] = user[i]!
        out[at + 1] = agent[i]!
      }
      return
    }
    // WAV is little-endian, whatever the line is.
    const low = this.#format.byteOrder === 'big' ? 1 : 0
    for (let i = 0; i < this.#frameBytes; i += 2, at += 4) {
      out[at] = user[i + low]!
      out[at + 1] = user[i + 1 - low]!
      out[at + 2] = agent[i + low]!
      out[at + 3] = agent[i + 1 - low]!
    }
  }

  #writeBlock(): void {
    const block = this.#block
    const bytes = this.#blockFrames * this.#frameBytes * 2
    this.#blockFrames = 0
    if (block === null) return
    if (this.#failed || this.#file.writableLength > BACKLOG_MAX_BYTES) {
      this.droppedBlocks++
      return
    }
    // Only a block that the disk has taken is used again; after an error nobody knows who still reads it.
    this.#file.write(block.subarray(0, bytes), (error) => {
      if (!error) this.#spare.give(block.buffer)
    })
    this.#block = null
  }
}

/** Frames of one size, first in, first out, copied into a ring that grows up to its limit. */
class FrameFifo {
  readonly #frameBytes: number
  readonly #limit: number
  #ring: Buffer
  #capacity = AGENT_FIFO_FIRST
  #first = 0
  #count = 0

  constructor(frameBytes: number, limit: number) {
    this.#frameBytes = frameBytes
    this.#limit = limit
    this.#ring = Buffer.alloc(this.#capacity * frameBytes)
  }

  /** False when it is full. */
  push(frame: Uint8Array): boolean {
    if (this.#count === this.#limit) return false
    if (this.#count === this.#capacity) this.#grow()
    this.#ring.set(frame, ((this.#first + this.#count) % this.#capacity) * this.#frameBytes)
    this.#count++
    return true
  }

  /** The oldest frame, valid until the next push; undefined when there is none. */
  shift(): Uint8Array | undefined {
    if (this.#count === 0) return undefined
    const at = this.#first * this.#frameBytes
    this.drop(1)
    return this.#ring.subarray(at, at + this.#frameBytes)
  }

  drop(frames: number): void {
    const dropped = Math.min(frames, this.#count)
    this.#first = (this.#first + dropped) % this.#capacity
    this.#count -= dropped
  }

  #grow(): void {
    const capacity = Math.min(this.#capacity * 2, this.#limit)
    const ring = Buffer.alloc(capacity * this.#frameBytes)
    const split = this.#first * this.#frameBytes
    this.#ring.copy(ring, 0, split)
    this.#ring.copy(ring, this.#ring.length - split, 0, split)
    this.#ring = ring
    this.#capacity = capacity
    this.#first = 0
  }
}

/**
 * A RIFF/WAVE header for two channels in the line's codec: 44 bytes for L16, 58 for G.711, because every format but plain
 * PCM has an (empty) extension and a `fact` chunk with the number of samples per channel. `dataBytes` must be even.
 */
export function wavHeader(format: AudioFormat, dataBytes: number): Buffer {
  const pcm = format.codec === 'L16'
  const sampleBytes = pcm ? 2 : 1
  const formatBytes = pcm ? 16 : 18
  const header = Buffer.alloc(pcm ? 44 : 58)
  header.write('RIFF', 0, 'latin1')
  header.writeUInt32LE(header.length - 8 + dataBytes, 4)
  header.write('WAVEfmt ', 8, 'latin1')
  header.writeUInt32LE(formatBytes, 16)
  header.writeUInt16LE(WAV_TAG[format.codec], 20)
  header.writeUInt16LE(2, 22)
  header.writeUInt32LE(format.sampleRateHz, 24)
  header.writeUInt32LE(format.sampleRateHz * 2 * sampleBytes, 28)
  header.writeUInt16LE(2 * sampleBytes, 32)
  header.writeUInt16LE(8 * sampleBytes, 34)
  if (!pcm) {
    header.write('fact', 38, 'latin1')
    header.writeUInt32LE(4, 42)
    header.writeUInt32LE(dataBytes / 2, 46)
  }
  header.write('data', header.length - 8, 'latin1')
  header.writeUInt32LE(dataBytes, header.length - 4)
  return header
}
