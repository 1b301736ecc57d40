/**
 * Playback worklet: queued 16 kHz frames → the sound card, and the names of the marks that were passed.
 *
 *   port ─► PlaybackQueue ─► 2 ms pieces ─► Resampler ─► output
 *
 * A mark is reported within 2 ms of the moment its last sample is handed to the card. After clear() the last level
 * fades within 2 ms instead of jumping to zero, which would click.
 */
import { PlaybackQueue } from './playback-queue.ts'
import { Resampler } from './resampler.ts'
import type { PlaybackCommand } from './worklet-messages.ts'

const PIECE_SAMPLES = 32
/** Room for one piece at 192 kHz. */
const READY_SAMPLES = 512
const FADE_PER_SAMPLE = Math.exp(-5 / (0.002 * sampleRate))

class Playback extends AudioWorkletProcessor {
  readonly #queue = new PlaybackQueue({ capacitySamples: 30 * 16_000, leadSamples: 640 })
  readonly #resampler = new Resampler({ fromHz: 16_000, toHz: sampleRate })
  readonly #piece = new Float32Array(PIECE_SAMPLES)
  readonly #ready = new Float32Array(READY_SAMPLES)
  #readyFrom = 0
  #readyTo = 0
  #last = 0
  #fade = 0
  #stopped = false

  constructor() {
    super()
    this.port.onmessage = (event: MessageEvent<PlaybackCommand>) => this.#obey(event.data)
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const out = outputs[0]?.[0]
    if (!out) return !this.#stopped
    for (let i = 0; i < out.length; i++) {
      while (this.#readyFrom === this.#readyTo) this.#refill()
      this.#last = (this.#ready[this.#readyFrom++] ?? 0) + this.#fade
      this.#fade *= FADE_PER_SAMPLE
      out[i] = this.#last
    }
    if (Math.abs(this.#fade) < 1e-5) this.#fade = 0
    return !this.#stopped
  }

  #obey(command: PlaybackCommand): void {
    if (command.kind === 'audio') this.#queue.push(new Int16Array(command.pcm))
    else if (command.kind === 'mark') this.#mark(command.name)
    else if (command.kind === 'clear') this.#clear()
    else this.#stopped = true
  }

  #mark(name: string): void {
    if (this.#queue.mark(name)) this.port.postMessage(name)
  }

  #clear(): void {
    this.#queue.clear()
    this.#resampler.reset()
    this.#readyFrom = this.#readyTo = 0
    this.#fade = this.#last
  }

  #refill(): void {
    for (const name of this.#queue.pull(this.#piece)) this.port.postMessage(name)
    const samples = this.#resampler.process(this.#piece)
    this.#ready.set(samples, 0)
    this.#readyFrom = 0
    this.#readyTo = samples.length
  }
}

registerProcessor('playback', Playback)
