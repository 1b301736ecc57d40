/**
 * The user's line without a carrier: 8 kHz PCM → PCMU → the real user chain (WASM) → detections, as fast as the
 * processor goes. The chain, its memory and its kernel are those of the server's workers.
 */
import { bindKernel, createDspMemory, type DspMemory, type Kernel } from '../../dsp/host.ts'
import { Slot, type Detection } from '../../dsp/slot.ts'
import { encodePcmu } from '../rig/mulaw.ts'

export const FRAME_MS = 20
export const FRAME_SAMPLES = 160
export const SAMPLES_PER_MS = 8

export class UserLine {
  readonly #dsp: DspMemory
  readonly #kernel: Kernel
  readonly #slot: Slot

  private constructor(dsp: DspMemory) {
    this.#dsp = dsp
    this.#kernel = bindKernel(dsp.share)
    this.#slot = new Slot(dsp, 0)
  }

  static async create(): Promise<UserLine> {
    return new UserLine(await createDspMemory({ slots: 1, lists: 1 }))
  }

  /** A new call: what the chain learned of the last one is gone. */
  reset(vadSensitivity: number): void {
    this.#slot.open(
      { codec: 'PCMU', lineRateHz: 8_000, ttsRateHz: 16_000 },
      { vadSensitivity, bed: 'none', bedGain: 0 },
    )
  }

  /** One frame of 160 samples. @returns what the chain found, a copy. */
  hear(frame: Int16Array): Detection {
    let found: Detection | null = null
    this.#slot.pushPayload(encodePcmu(frame))
    this.#dsp.writeList(0, [0])
    this.#kernel.run(0, 1)
    this.#slot.drain((detection) => (found = { ...detection }))
    if (found === null) throw new Error('the user chain gave no detection for a frame')
    return found
  }
}
