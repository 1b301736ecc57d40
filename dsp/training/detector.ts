/**
 * Runs audio through the product's own user chain, so that training sees exactly what a call sees.
 */
import { bindKernel, constant, createDspMemory } from '../host.ts'
import { Slot, type Detection } from '../slot.ts'

export interface Detector {
  /** Starts a new call. */
  open(law: 'PCMU' | 'PCMA'): void
  /** One frame of 160 samples, −1…1, encoded by the law and put through the chain. */
  hear(samples: Float32Array): Detection
  /** The features of the frame heard last; a view, valid until the next. */
  features: Float32Array
  /** Replaces the network's weights. */
  load(weights: Float32Array): void
}

export async function detector(sensitivity = 0.5): Promise<Detector> {
  const dsp = await createDspMemory({ slots: 1, lists: 1 })
  const kernel = bindKernel(dsp.share)
  const slot = new Slot(dsp, 0)
  const { buffer } = dsp.share.memory
  const floats = new Float32Array(buffer)
  const scratch = dsp.regions.scratch
  const encoded = new Uint8Array(buffer, scratch + 1_024, 160)
  const payload = new Uint8Array(160)
  const at = (name: string): number => constant(dsp.layout, name)
  const featuresAt = scratch + at('SCRATCH_FFT') + at('FEATURES')
  let found: Detection | null = null
  let encode = dsp.functions.encodeMulaw
  dsp.writeList(0, [0])
  return {
    features: new Float32Array(buffer, featuresAt, at('FEATURE_COUNT')),
    load: (weights) => floats.set(weights, at('VAD_WEIGHTS') >> 2),
    open(law) {
      encode = law === 'PCMU' ? dsp.functions.encodeMulaw : dsp.functions.encodeAlaw
      slot.open(
        { codec: law, lineRateHz: 8_000, ttsRateHz: 8_000 },
        { vadSensitivity: sensitivity, bed: 'none', bedGain: 0 },
      )
    },
    hear(samples) {
      floats.set(samples, scratch >> 2)
      encode(scratch, scratch + 1_024, 160)
      payload.set(encoded)
      slot.pushPayload(payload)
      kernel.run(0, 1)
      slot.drain((detection) => (found = detection))
      if (found === null) throw new Error('the chain gave no detection')
      return found
    },
  }
}
