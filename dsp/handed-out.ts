/** What the main thread's views of all slots hand out their frames in. */
import { noDetection, type Detection } from './detection.ts'

/** A frame for the line. One object for all calls: copy or send it before the next call, whichever slot's. */
export interface OutboundFrame {
  payload: Uint8Array
  hasAgent: boolean
  /** Agent audio consumed up to this frame's end, since the slot was opened or last cleared. */
  agentMs: number
}

/**
 * What all slots hand out their frames in, one at a time: `frame`, `detection`, and memory for one frame's bytes by its length. Objects
 * of each slot's own would be a third of all that this thread has to fetch from far memory for a frame of one call among a thousand.
 */
export class HandedOut {
  readonly frame: OutboundFrame = { payload: new Uint8Array(0), hasAgent: false, agentMs: 0 }
  readonly detection: Detection = noDetection()
  readonly #memories = new Map<string, FrameMemory>()

  /** `kind` tells the ways apart: a payload may be read while PCM of the same length is. */
  memoryOf(kind: 'pcm' | 'payload', bytes: number): FrameMemory {
    const key = `${kind} ${bytes}`
    const known = this.#memories.get(key)
    if (known !== undefined) return known
    const words = new Int32Array(bytes / 4)
    const memory = {
      words,
      bytes: new Uint8Array(words.buffer),
      samples: new Int16Array(words.buffer),
    }
    this.#memories.set(key, memory)
    return memory
  }
}

/** One frame's bytes, in three shapes. */
export interface FrameMemory {
  words: Int32Array
  bytes: Uint8Array
  samples: Int16Array
}
