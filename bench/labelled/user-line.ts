/**
 * A call's slot without a server: 8 kHz PCM → PCMU → the real user chain (WASM) → detections, and agent audio through the real
 * agent chain, as fast as the processor goes. The chains, their memory and their kernel are those of the server's workers.
 */
import { bindKernel, createDspMemory, type DspMemory, type Kernel } from '../../dsp/host.ts'
import { Slot, type Detection } from '../../dsp/slot.ts'
import { AudioLane } from '../../workers/audio-lane.ts'
import { encodePcmu } from '../rig/mulaw.ts'

export const FRAME_MS = 20
export const FRAME_SAMPLES = 160
export const SAMPLES_PER_MS = 8
/** The agent's voice comes at the line's rate. */
export const TTS_RATE_HZ = 8_000

export class UserLine {
  readonly #dsp: DspMemory
  readonly #kernel: Kernel
  readonly #slot: Slot
  /** The agent's side, as the playout uses it. */
  readonly lane: AudioLane

  private constructor(dsp: DspMemory) {
    this.#dsp = dsp
    this.#kernel = bindKernel(dsp.share)
    const slot = new Slot(dsp, 0)
    this.#slot = slot
    const events = { onUserFrame: () => undefined, onFault: () => undefined }
    this.lane = new AudioLane(slot, events, {
      counters: {
        ...{ framesOut: 0, inboundOverflows: 0, agentOverflows: 0 },
        ...{ badPayloads: 0, deadPushes: 0, faults: 0 },
      },
      hasStarving: false,
      release: () => undefined,
      // The bench looks at its only slot in every turn.
      wake: () => undefined,
    })
  }

  static async create(): Promise<UserLine> {
    return new UserLine(await createDspMemory({ slots: 1, lists: 1 }))
  }

  /** A new call: what the chain learned of the last one is gone. */
  reset(vadSensitivity: number): void {
    this.#slot.open(
      { codec: 'PCMU', lineRateHz: 8_000, ttsRateHz: TTS_RATE_HZ },
      { vadSensitivity, bed: 'none', bedGain: 0 },
    )
  }

  /** One frame of 160 samples. @returns what the chain found, a copy. */
  hear(frame: Int16Array): Detection {
    let found: Detection | null = null
    this.#slot.pushPayload(encodePcmu(frame))
    this.#run()
    this.#slot.drain((detection) => (found = { ...detection }))
    if (found === null) throw new Error('the user chain gave no detection for a frame')
    return found
  }

  /** What a worker does for the agent's audio. @returns frames that are ready for the line */
  prepare(): number {
    if (this.#slot.hasWork()) this.#run()
    return this.#slot.preparedFrames
  }

  #run(): void {
    this.#dsp.writeList(0, [0])
    this.#kernel.run(0, 1)
  }
}
