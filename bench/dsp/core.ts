/** The audio core's own functions, as the bench calls them: in one thread, on its own memory. */
import { bindKernel, constant, createDspMemory, type DspMemory } from '../../dsp/host.ts'
import { planHistory } from '../../dsp/filters.ts'
import { Slot, type SlotFormat, type SlotSettings } from '../../dsp/slot.ts'
import type { ResamplerPeer } from './peers.ts'

export interface Core {
  dsp: DspMemory
  /** Scratch areas, addresses in bytes. */
  at: { samples: number; out: number; codes: number; work: number }
  floats: Float32Array
  bytes: Uint8Array
  words: Int16Array
}

const CALLS = 100

export async function openCore(): Promise<Core> {
  const dsp = await createDspMemory({ slots: CALLS, lists: 1 })
  const { buffer } = dsp.share.memory
  const { scratch } = dsp.regions
  return {
    dsp,
    at: {
      samples: scratch + constant(dsp.layout, 'HISTORY') * 4,
      out: scratch + constant(dsp.layout, 'SCRATCH_OUTPUT'),
      codes: scratch + constant(dsp.layout, 'SCRATCH_FFT'),
      work: scratch + constant(dsp.layout, 'SCRATCH_WORK'),
    },
    floats: new Float32Array(buffer),
    bytes: new Uint8Array(buffer),
    words: new Int16Array(buffer),
  }
}

/** Our resampler as its peers are called: a block in, a block out, copies included. */
export function coreResampler(
  core: Core,
  fromHz: number,
  toHz: number,
  kind: '' | '-strict' = '',
): ResamplerPeer {
  const plan = core.dsp.regions.filters.get(`${fromHz}-${toHz}${kind}`) ?? 0
  const keep = planHistory(`${fromHz}-${toHz}${kind}`)
  const history = new Float32Array(keep)
  const input = core.at.samples >> 2
  const out = core.at.out >> 2
  return {
    name: `Andrea${kind.replace('-', ' ')}`,
    convert(block) {
      const count = (block.length * toHz) / fromHz
      core.floats.set(history, input - keep)
      core.floats.set(block, input)
      core.dsp.functions.resample(plan, core.at.samples, core.at.out, count, core.at.work)
      history.set(core.floats.subarray(input + block.length - keep, input + block.length))
      return core.floats.subarray(out, out + count)
    },
  }
}

/** A call's 20 ms of both directions, over CALLS calls in turn: one user frame and one agent frame each. */
export function coreRound(
  core: Core,
  o: { ttsRateHz: number; sttRateHz?: number; bed: boolean },
): RoundOfCalls {
  const { ttsRateHz, sttRateHz } = o
  const format: SlotFormat = { codec: 'PCMU', lineRateHz: 8_000, ttsRateHz, sttRateHz }
  const settings: SlotSettings = {
    vadSensitivity: 0.5,
    bed: o.bed ? 'office' : 'none',
    bedGain: o.bed ? 0.3 : 0,
  }
  const kernel = bindKernel(core.dsp.share)
  const slots = Array.from({ length: CALLS }, (_, i) => new Slot(core.dsp, i))
  for (const slot of slots) slot.open(format, settings)
  core.dsp.writeList(
    0,
    slots.map((slot) => slot.index),
  )
  const speech = speechLike(core)
  const pcm = Int16Array.from({ length: o.ttsRateHz / 50 }, (_, n) => 6_000 * Math.sin(n * 0.2))
  let frame = 0
  return {
    prepare() {
      frame = (frame + 1) % (speech.length / 160)
      for (const slot of slots) {
        slot.drain(() => undefined)
        slot.nextOutbound()
        slot.pushPayload(speech.subarray(frame * 160, frame * 160 + 160))
        slot.pushPcm(pcm, 0)
      }
    },
    run: () => kernel.run(0, CALLS),
    calls: CALLS,
  }
}

export interface RoundOfCalls {
  /** Between rounds, not measured: what the main thread does. */
  prepare(): void
  run(): void
  calls: number
}

/** Median µs per call and round. */
export function roundUs(rounds: readonly RoundOfCalls[]): number[] {
  const times = rounds.map(() => [] as number[])
  for (let n = 0; n < 400; n++) {
    rounds.forEach((round, i) => {
      round.prepare()
      const startedMs = performance.now()
      round.run()
      if (n >= 100) times[i]!.push(((performance.now() - startedMs) * 1_000) / round.calls)
    })
  }
  return times.map((list) => list.sort((a, b) => a - b)[list.length >> 1] ?? 0)
}

/** Two seconds of buzz with pauses, PCMU: half of the frames loud, as in a call where somebody speaks. */
function speechLike(core: Core): Uint8Array {
  const codes = new Uint8Array(16_000)
  for (let from = 0; from < codes.length; from += 160) {
    for (let n = 0; n < 160; n++) {
      const t = (from + n) / 8_000
      const loud = t % 1 < 0.5 ? 1 : 0.01
      let x = 0
      for (let h = 1; h < 20; h++) x += Math.sin(2 * Math.PI * 130 * h * t + h * h) / (h + 2)
      core.floats[(core.at.samples >> 2) + n] = 0.25 * loud * x
    }
    core.dsp.functions.encodeMulaw(core.at.samples, core.at.codes, 160)
    codes.set(core.bytes.subarray(core.at.codes, core.at.codes + 160), from)
  }
  return codes
}
