/**
 * Audio for a browser that has none (no secure context, no AudioWorklet): sends silence, hears nothing, and still
 * answers every mark when it would have been played, so that the server's ledger of what was heard goes on.
 */
import type { AudioEvents, CallAudio } from './call-audio.ts'
import { PlaybackQueue } from './playback-queue.ts'

const FRAME_MS = 20
const FRAME_SAMPLES = 320
/** After a longer stall (a sleeping tab) the missed frames are skipped: the server has counted the gap already. */
const MAX_CATCH_UP_FRAMES = 50

export class SilentAudio implements CallAudio {
  readonly microphone = 'unsupported'
  readonly #events: AudioEvents
  readonly #queue = new PlaybackQueue({ capacitySamples: 30 * 16_000, leadSamples: 0 })
  readonly #frame = new Float32Array(FRAME_SAMPLES)
  readonly #timer: ReturnType<typeof setInterval>
  #nextAtMs = performance.now()

  constructor(events: AudioEvents) {
    this.#events = events
    this.#timer = setInterval(() => this.#tick(), FRAME_MS)
  }

  play(pcm: ArrayBuffer): void {
    this.#queue.push(new Int16Array(pcm))
  }

  mark(name: string): void {
    if (this.#queue.mark(name)) this.#events.onPlayed(name)
  }

  clear(): void {
    this.#queue.clear()
  }

  setMuted(): void {
    // Silence has nothing to mute.
  }

  levels(): { user: number; agent: number } {
    return { user: 0, agent: this.#queue.queuedSamples > 0 ? 0.2 : 0 }
  }

  close(): Promise<void> {
    clearInterval(this.#timer)
    return Promise.resolve()
  }

  #tick(): void {
    const nowMs = performance.now()
    this.#nextAtMs = Math.max(this.#nextAtMs, nowMs - MAX_CATCH_UP_FRAMES * FRAME_MS)
    while (this.#nextAtMs <= nowMs) {
      this.#nextAtMs += FRAME_MS
      this.#events.onFrame(new ArrayBuffer(FRAME_SAMPLES * 2))
      for (const mark of this.#queue.pull(this.#frame)) this.#events.onPlayed(mark)
    }
  }
}
