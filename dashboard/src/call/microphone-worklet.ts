/**
 * Microphone worklet: sound card rate → 16 kHz frames of 20 ms, posted as ArrayBuffers of 640 bytes.
 *
 * It runs whether or not a microphone is connected: without input, and while muted, the frames are silence. The
 * server's clock for the call is the user's audio, so a call that is only typed needs them as well.
 */
import { Resampler, toPcm16 } from './resampler.ts'
import type { MicrophoneCommand } from './worklet-messages.ts'

const FRAME_SAMPLES = 320
const QUANTUM_SAMPLES = 128
const SILENCE = new Float32Array(QUANTUM_SAMPLES)

class Microphone extends AudioWorkletProcessor {
  readonly #resampler = new Resampler({ fromHz: sampleRate, toHz: 16_000 })
  readonly #frame = new Float32Array(FRAME_SAMPLES)
  #filled = 0
  #muted = false
  #stopped = false

  constructor() {
    super()
    this.port.onmessage = (event: MessageEvent<MicrophoneCommand>) => {
      if (event.data.kind === 'muted') this.#muted = event.data.muted
      else this.#stopped = true
    }
  }

  process(inputs: Float32Array[][]): boolean {
    const heard = inputs[0]?.[0]
    const samples = this.#resampler.process(heard && !this.#muted ? heard : SILENCE)
    let from = 0
    while (from < samples.length) {
      const take = Math.min(samples.length - from, FRAME_SAMPLES - this.#filled)
      this.#frame.set(samples.subarray(from, from + take), this.#filled)
      this.#filled += take
      from += take
      if (this.#filled === FRAME_SAMPLES) this.#post()
    }
    return !this.#stopped
  }

  #post(): void {
    const pcm = new Int16Array(FRAME_SAMPLES)
    toPcm16(this.#frame, pcm)
    this.port.postMessage(pcm.buffer, [pcm.buffer])
    this.#filled = 0
  }
}

registerProcessor('microphone', Microphone)
