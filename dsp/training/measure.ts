/**
 * Measures detectors on the public test. Causal: the score of a frame is what a detector knew at
 * its end. One threshold for all conditions, each detector's own: 5 % of the silent frames above it.
 */
import { bindKernel, constant, createDspMemory } from '../host.ts'
import {
  MIX_SEC,
  SILENT_FRAMES,
  testMixes,
  type Condition,
  type TestSources,
} from './conditions.ts'
import { areaUnderCurve, falseRateThreshold, percentile, truePositives } from './score.ts'

/** What a detector made of a mix, frame by frame. */
export interface Track {
  scores: Float64Array
  /** Frames at which speech begins after hysteresis; for Andrea alone. */
  starts?: number[]
  /** For each frame, is it within speech after hysteresis. */
  speech?: Uint8Array
}

export interface Candidate {
  name: string
  /** `samples`: mu-law decoded, 8 kHz, −1…1. A new call each time. */
  run(samples: Float32Array): Promise<Track>
}

export interface CandidateFigures {
  name: string
  auc: number
  tprAt5Fpr: number
  /** At SNR ≤ 5 dB. */
  tprLowSnr: number
  falseTriggersPerMin: number
  /** The same at the threshold that finds 90 % of the speech frames. */
  falseTriggersAt90Tpr: number
  onsetP50Ms: number
  onsetP95Ms: number
  /** Onsets not found within 500 ms, share. */
  onsetsMissed: number
  /** Median over mixes of µs per 20 ms, in this process. */
  us: number
  threshold: number
  /** Only for a candidate with hysteresis: false starts per minute, by noise; onsets of speech. */
  starts?: {
    perMin: number
    byNoise: Record<string, number>
    p50Ms: number
    p95Ms: number
    missed: number
  }
}

interface Seen {
  condition: Condition
  labels: Int8Array
  onsets: number[]
  tracks: Track[]
}

const FRAMES = MIX_SEC * 50
const SILENT_MIN = (SILENT_FRAMES.to - SILENT_FRAMES.from) / 3_000
/** Crossings closer than this are one trigger. */
const MERGE_FRAMES = 10
const LATEST_ONSET_FRAMES = 25

export async function measure(
  candidates: readonly Candidate[],
  o: { from: TestSources; seed: number; progress?: (text: string) => void },
): Promise<CandidateFigures[]> {
  const coded = await throughMulaw()
  const seen: Seen[] = []
  const costs = candidates.map((): number[] => [])
  for (const mix of testMixes(o.from, o.seed)) {
    const samples = coded(mix.samples)
    const tracks: Track[] = []
    for (const [i, candidate] of candidates.entries()) {
      const startedMs = performance.now()
      tracks.push(await candidate.run(samples))
      costs[i]?.push(((performance.now() - startedMs) * 1_000) / FRAMES)
    }
    const { condition, labels, onsets } = mix
    seen.push({ condition, labels, onsets, tracks })
    o.progress?.(`${condition.noise} ${condition.snrDb ?? ''}`)
  }
  return candidates.map((candidate, i) => ({
    name: candidate.name,
    us: percentile(costs[i] ?? [], 0.5),
    ...figuresOf(seen, i),
  }))
}

function figuresOf(seen: readonly Seen[], i: number): Omit<CandidateFigures, 'name' | 'us'> {
  const all = pool(seen, i)
  const low = pool(
    seen.filter((s) => s.condition.snrDb !== null && s.condition.snrDb <= 5),
    i,
  )
  const threshold = falseRateThreshold(all.scores, all.labels, 0.05)
  const speech = all.scores.filter((_, n) => all.labels[n] === 1)
  const at90 = percentile([...speech], 0.1)
  const delays = seen.flatMap((s) => delaysOf(s, (f) => (s.tracks[i]?.scores[f] ?? 0) > threshold))
  const found = delays.filter((ms) => ms !== null)
  const figures = {
    auc: areaUnderCurve(all.scores, all.labels),
    tprAt5Fpr: truePositives(all.scores, all.labels, threshold),
    tprLowSnr: truePositives(low.scores, low.labels, threshold),
    falseTriggersPerMin: mean(seen.map((s) => triggers(s.tracks[i], threshold))) / SILENT_MIN,
    falseTriggersAt90Tpr: mean(seen.map((s) => triggers(s.tracks[i], at90))) / SILENT_MIN,
    onsetP50Ms: percentile(found, 0.5),
    onsetP95Ms: percentile(found, 0.95),
    onsetsMissed: 1 - found.length / delays.length,
    threshold,
  }
  return seen[0]?.tracks[i]?.starts === undefined
    ? figures
    : { ...figures, starts: startsOf(seen, i) }
}

function pool(seen: readonly Seen[], i: number): { scores: Float64Array; labels: Int8Array } {
  const scores = new Float64Array(seen.length * FRAMES)
  const labels = new Int8Array(seen.length * FRAMES)
  seen.forEach((s, n) => {
    scores.set(s.tracks[i]?.scores ?? [], n * FRAMES)
    labels.set(s.labels, n * FRAMES)
  })
  return { scores, labels }
}

/** From each onset to the end of the first frame found; null when later than 500 ms. */
function delaysOf(s: Seen, isFound: (frame: number) => boolean): (number | null)[] {
  return s.onsets.map((sample) => {
    const first = Math.floor(sample / 160)
    for (let f = first; f < first + LATEST_ONSET_FRAMES && f < FRAMES; f++) {
      if (isFound(f)) return ((f + 1) * 160 - sample) / 8
    }
    return null
  })
}

/** Times the score rises above the threshold while nobody speaks. */
function triggers(track: Track | undefined, threshold: number): number {
  let count = 0
  let last = -1_000
  for (let f = SILENT_FRAMES.from; f < SILENT_FRAMES.to; f++) {
    if ((track?.scores[f] ?? 0) <= threshold) continue
    if (f - last > MERGE_FRAMES) count++
    last = f
  }
  return count
}

function startsOf(seen: readonly Seen[], i: number): CandidateFigures['starts'] {
  const falseStarts = (s: Seen): number =>
    (s.tracks[i]?.starts ?? []).filter((f) => f >= SILENT_FRAMES.from && f < SILENT_FRAMES.to)
      .length
  const noisy = seen.filter((s) => s.condition.snrDb !== null)
  const byNoise: Record<string, number> = {}
  for (const { condition } of noisy) {
    const same = noisy.filter((s) => s.condition.noise === condition.noise)
    byNoise[condition.noise] = mean(same.map(falseStarts)) / SILENT_MIN
  }
  const delays = seen.flatMap((s) => delaysOf(s, (f) => s.tracks[i]?.speech?.[f] === 1))
  const found = delays.filter((ms) => ms !== null)
  return {
    perMin: mean(noisy.map(falseStarts)) / SILENT_MIN,
    byNoise,
    p50Ms: percentile(found, 0.5),
    p95Ms: percentile(found, 0.95),
    missed: 1 - found.length / delays.length,
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, v) => sum + v, 0) / values.length
}

/** Coder and decoder of the product, for all candidates alike. */
async function throughMulaw(): Promise<(samples: Float32Array) => Float32Array> {
  const dsp = await createDspMemory({ slots: 1, lists: 1 })
  bindKernel(dsp.share)
  const floats = new Float32Array(dsp.share.memory.buffer)
  const at = dsp.regions.scratch
  const payload = at + constant(dsp.layout, 'SCRATCH_FFT')
  return (samples) => {
    const out = new Float32Array(samples.length)
    for (let n = 0; n + 160 <= samples.length; n += 160) {
      floats.set(samples.subarray(n, n + 160), at >> 2)
      dsp.functions.encodeMulaw(at, payload, 160)
      dsp.functions.decodeMulaw(payload, at, 160)
      out.set(floats.subarray(at >> 2, (at >> 2) + 160), n)
    }
    return out
  }
}
