/** Runs the chains in this thread, through the same Slot and kernel as the pool does. */
import { bindKernel, createDspMemory, type DspMemory, type Kernel } from '../../dsp/host.ts'
import { Slot, type Detection, type SlotFormat, type SlotSettings } from '../../dsp/slot.ts'

export interface ChainRig {
  dsp: DspMemory
  kernel: Kernel
  slots: Slot[]
  /** One batch over these slots. */
  run(...indices: number[]): void
}

export async function chainRig(slots: number): Promise<ChainRig> {
  const dsp = await createDspMemory({ slots, lists: 1 })
  const kernel = bindKernel(dsp.share)
  return {
    dsp,
    kernel,
    slots: Array.from({ length: slots }, (_, i) => new Slot(dsp, i)),
    run(...indices) {
      dsp.writeList(0, indices)
      kernel.run(0, indices.length)
    },
  }
}

export function slotOf(rig: ChainRig, index: number): Slot {
  const slot = rig.slots[index]
  if (slot === undefined) throw new Error(`no slot ${index}`)
  return slot
}

export const PHONE: SlotFormat = { codec: 'PCMU', lineRateHz: 8_000, ttsRateHz: 16_000 }
export const LINEAR_8K: SlotFormat = { codec: 'L16', lineRateHz: 8_000, ttsRateHz: 8_000 }
export const QUIET: SlotSettings = { vadSensitivity: 0.5, bed: 'none', bedGain: 0 }

/**
 * Pushes the line's bytes frame by frame; returns every detection and the PCM for speech-to-text.
 */
export function hearUser(
  rig: ChainRig,
  index: number,
  line: Uint8Array,
  payloadBytes: number,
): { detections: Detection[]; pcm: Int16Array } {
  const slot = slotOf(rig, index)
  const detections: Detection[] = []
  const frames: Int16Array[] = []
  for (let at = 0; at + payloadBytes <= line.length; at += payloadBytes) {
    slot.pushPayload(line.subarray(at, at + payloadBytes))
    rig.run(index)
    slot.drain((detection, pcm16k) => {
      detections.push({ ...detection })
      frames.push(pcm16k.slice())
    })
  }
  const pcm = new Int16Array(frames.length * 320)
  frames.forEach((frame, i) => pcm.set(frame, i * 320))
  return { detections, pcm }
}

/**
 * Pushes agent PCM as it fits and takes every frame the chain prepares, until nothing more comes.
 */
export function speakAgent(rig: ChainRig, index: number, pcm: Int16Array): Uint8Array {
  const slot = slotOf(rig, index)
  const payloads: Uint8Array[] = []
  let from = 0
  for (let idle = 0; idle < 2;) {
    from += slot.pushPcm(pcm, from)
    if (from === pcm.length) slot.flushAgent()
    rig.run(index)
    let frame = slot.nextOutbound()
    idle = frame === null ? idle + 1 : 0
    while (frame !== null) {
      payloads.push(frame.payload.slice())
      frame = slot.nextOutbound()
    }
  }
  return Uint8Array.from(payloads.flatMap((payload) => [...payload]))
}
