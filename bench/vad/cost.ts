/** What one 20 ms frame costs in the detector alone: features, network, decision. */
import { constant, createDspMemory } from '../../dsp/host.ts'
import { Slot } from '../../dsp/slot.ts'

const BLOCKS = 60
const FRAMES_PER_BLOCK = 1_000

/** Median over blocks of 1 000 frames, in µs. The first blocks compile and are left out. */
export async function detectorCostUs(): Promise<number> {
  const dsp = await createDspMemory({ slots: 1, lists: 1 })
  new Slot(dsp, 0).open(
    { codec: 'PCMU', lineRateHz: 8_000, ttsRateHz: 8_000 },
    { vadSensitivity: 0.5, bed: 'none', bedGain: 0 },
  )
  const slot = dsp.slotAddress(0)
  const scratch = dsp.regions.scratch
  const samples = scratch + constant(dsp.layout, 'SCRATCH_OUTPUT')
  const detection = slot + constant(dsp.layout, 'DETECTION_RING')
  const floats = new Float32Array(dsp.share.memory.buffer, samples, 160)
  for (let n = 0; n < 160; n++) floats[n] = 0.1 * Math.sin(n * 0.1) + 0.02 * Math.sin(n * n)
  const blocks: number[] = []
  for (let block = 0; block < BLOCKS; block++) {
    const startedMs = performance.now()
    for (let f = 0; f < FRAMES_PER_BLOCK; f++) {
      dsp.functions.detect(slot, scratch, samples, -23, detection)
    }
    blocks.push(((performance.now() - startedMs) * 1_000) / FRAMES_PER_BLOCK)
  }
  const warm = blocks.slice(BLOCKS / 3).sort((a, b) => a - b)
  return warm[Math.floor(warm.length / 2)] ?? NaN
}
