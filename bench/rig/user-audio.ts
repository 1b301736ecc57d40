/**
 * The user's side of a simulated line: queued speech, else silence, cut into 20 ms frames of
 * base64.
 */
import { decodePcmu, SILENCE_BYTE } from './mulaw.ts'
import { FRAME_BYTES } from './twilio-messages.ts'
import { FRAME_MS } from './pacer.ts'

const SILENCE = new Uint8Array(FRAME_BYTES).fill(SILENCE_BYTE)
const SILENCE_BASE64 = Buffer.from(Buffer.from(SILENCE).toString('base64'), 'latin1')
/** 20 minutes of queued speech: more is a mistake in a scenario. */
const QUEUE_LIMIT_BYTES = 20 * 60 * 8_000

/** Where a piece of speech lies, ms since `start`: the time at which the user made the sound. */
export interface SpokenSpan {
  startMs: number
  endMs: number
}

interface Speech {
  payload: Uint8Array
  at: number
  startMs: number
  done: (span: SpokenSpan) => void
}

export class UserAudio {
  readonly #record: boolean
  readonly #queue: Speech[] = []
  readonly #base64 = Buffer.alloc(216)
  /** What was sent, with the stream time of its first sample. */
  readonly #sent: { atMs: number; payload: Uint8Array }[] = []
  #queuedBytes = 0

  constructor(options: { record: boolean }) {
    this.#record = options.record
  }

  /**
   * Says PCMU after what is queued already; resolves when its last frame was sent. @throws
   * RangeError over 20 min.
   */
  speak(payload: Uint8Array): Promise<SpokenSpan> {
    this.#queuedBytes += payload.length
    if (this.#queuedBytes > QUEUE_LIMIT_BYTES)
      throw new RangeError('more than 20 min of speech queued')
    return new Promise((done) => this.#queue.push({ payload, at: 0, startMs: -1, done }))
  }

  /**
   * The next frame as 216 ASCII bytes, valid until the next call. `nowMs`: end of the frame, ms
   * since start.
   */
  nextFrame(nowMs: number): Buffer {
    const speech = this.#queue[0]
    if (speech === undefined) return SILENCE_BASE64
    const startMs = Math.max(0, nowMs - FRAME_MS)
    if (speech.startMs < 0) speech.startMs = startMs
    let frame = speech.payload.subarray(speech.at, speech.at + FRAME_BYTES)
    if (frame.length < FRAME_BYTES) {
      const filled = SILENCE.slice()
      filled.set(frame)
      frame = filled
    }
    speech.at += FRAME_BYTES
    if (this.#record) this.#sent.push({ atMs: startMs, payload: frame })
    if (speech.at >= speech.payload.length) {
      this.#queue.shift()
      this.#queuedBytes -= speech.payload.length
      speech.done({ startMs: speech.startMs, endMs: nowMs })
    }
    this.#base64.write(Buffer.from(frame).toString('base64'), 'latin1')
    return this.#base64
  }

  /** The user's side from `start` on, 8 kHz; only with `record`. */
  recording(): Int16Array {
    const last = this.#sent.at(-1)
    const pcm = new Int16Array(last === undefined ? 0 : Math.ceil(last.atMs * 8) + FRAME_BYTES)
    // Frames are laid end to end while they follow each other within one frame: timers jitter,
    // speech does not.
    let next = 0
    for (const { atMs, payload } of this.#sent) {
      const at = Math.floor(atMs * 8)
      const from = Math.abs(at - next) < FRAME_BYTES ? next : at
      pcm.set(decodePcmu(payload).subarray(0, Math.max(0, pcm.length - from)), from)
      next = from + FRAME_BYTES
    }
    return pcm
  }
}
