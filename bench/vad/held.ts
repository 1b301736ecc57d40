/**
 * What the quiet gate in front of a recogniser that is paid by the second holds back: of speech (it must be nothing), and of a call.
 *
 *   mix ─► the product's chain ─► detections ─► quiet-gate, pre-roll ─► which frames are sent ─ beside the truth ─► figures
 *
 * The mixes are those of the public test, and dialogues: somebody who speaks a fifth of the time, at seven levels and over five
 * noises, and who whispers: noise with the loudness of speech, of which the VAD finds nothing. Speech is counted as held when no later pre-roll brings it.
 */
import {
  testMixes,
  testNoise,
  type NoiseName,
  type TestSources,
} from '../../dsp/training/conditions.ts'
import { detector, type Detector } from '../../dsp/training/detector.ts'
import { labelsOf } from '../../dsp/training/labels.ts'
import { between, gauss, pick, seeded, type Random } from '../../dsp/training/random.ts'
import { addAt, gainOf, RATE_HZ, rms } from '../../dsp/training/signal.ts'
import { PRE_ROLL_MS } from '../../server/providers/pre-roll.ts'
import { QuietGate } from '../../server/providers/quiet-gate.ts'

const FRAME_MS = 20
const FRAME_SAMPLES = 160
const PRE_ROLL_FRAMES = PRE_ROLL_MS / FRAME_MS
/** A telephone profile's. */
const SEGMENTATION_MS = 700
const CALL_SEC = 300

interface Dialogue {
  speechDb: number
  floorDb: number
  noise: { name: NoiseName; snrDb: number } | null
  whispers?: true
}

const CALLS: readonly Dialogue[] = [
  ...[-26, -43, -50, -55, -60].map((speechDb) => ({ speechDb, floorDb: -76, noise: null })),
  { speechDb: -26, floorDb: -62, noise: null },
  { speechDb: -50, floorDb: -66, noise: null },
  ...(
    [
      ['white', 20],
      ['pink', 20],
      ['pink', 10],
      ['car', 15],
      ['babble', 20],
      ['music', 20],
    ] as const
  ).map(([name, snrDb]) => ({ speechDb: -26, floorDb: -76, noise: { name, snrDb } })),
]

const WHISPERS: readonly Dialogue[] = [-40, -50, -60].map((speechDb) => ({
  ...{ speechDb, floorDb: -76, noise: null, whispers: true as const },
}))

interface Sums {
  frames: number
  held: number
  speech: number
  speechHeld: number
  /** By the VAD. */
  speechFound: number
  openings: number
}

/** Percentages of frames, and how often a minute the gate opens. */
export async function heldFigures(
  from: TestSources,
  seed: number,
): Promise<Record<string, number>> {
  const chain = await detector()
  const test = none()
  for (const { samples, labels } of testMixes(from, seed)) listen(chain, { samples, labels }, test)
  const calls = none()
  const quietCalls = none()
  CALLS.forEach((dialogue, i) => {
    const mix = callMix(dialogue, from, seed * 1_000 + i)
    listen(chain, mix, calls)
    if (dialogue.noise === null) listen(chain, mix, quietCalls)
  })
  const whispers = none()
  WHISPERS.forEach((dialogue, i) => {
    listen(chain, callMix(dialogue, from, seed * 1_000 + 500 + i), whispers)
  })
  const minutes = (calls.frames * FRAME_MS) / 60_000
  return {
    testSpeechHeldPct: percent(test.speechHeld, test.speech),
    testHeldPct: percent(test.held, test.frames),
    callSpeechHeldPct: percent(calls.speechHeld, calls.speech),
    whisperHeldPct: percent(whispers.speechHeld, whispers.speech),
    whisperFoundByVadPct: percent(whispers.speechFound, whispers.speech),
    callHeldPct: percent(calls.held, calls.frames),
    quietCallHeldPct: percent(quietCalls.held, quietCalls.frames),
    gateOpeningsPerMin: calls.openings / minutes,
  }
}

function none(): Sums {
  return { frames: 0, held: 0, speech: 0, speechHeld: 0, speechFound: 0, openings: 0 }
}

function percent(part: number, whole: number): number {
  return (100 * part) / whole
}

/** Adds what becomes of one mix. */
function listen(
  chain: Detector,
  { samples, labels }: { samples: Float32Array; labels: Int8Array },
  sums: Sums,
): void {
  const gate = new QuietGate(SEGMENTATION_MS)
  const count = Math.min(labels.length, Math.floor(samples.length / FRAME_SAMPLES))
  const sent = new Uint8Array(count)
  chain.open('PCMU')
  for (let f = 0; f < count; f++) {
    const wasOpen = gate.isOpen
    const at = f * FRAME_SAMPLES
    const found = chain.hear(samples.subarray(at, at + FRAME_SAMPLES))
    if (found.speech && labels[f] === 1) sums.speechFound++
    if (!gate.frame(found, FRAME_MS)) continue
    if (!wasOpen) sums.openings++
    sent.fill(1, wasOpen ? f : Math.max(0, f - PRE_ROLL_FRAMES), f + 1)
  }
  sums.frames += count
  for (let f = 0; f < count; f++) {
    const isSpeech = labels[f] === 1
    if (isSpeech) sums.speech++
    if (sent[f] === 1) continue
    sums.held++
    if (isSpeech) sums.speechHeld++
  }
}

/** One or two prompts, then an answer of 5 to 11 s that the line does not carry. */
function callMix(
  { speechDb, floorDb, noise, whispers }: Dialogue,
  from: TestSources,
  seed: number,
): { samples: Float32Array; labels: Int8Array } {
  const random = seeded(seed)
  const length = CALL_SEC * RATE_HZ
  const samples = new Float32Array(length)
  for (let at = Math.floor(between(random, 3, 8) * RATE_HZ); at < length;) {
    const prompt = pick(random, random() < 0.5 ? from.es : from.en)
    const said = whispers ? whispered(prompt, random) : prompt
    addAt(samples, said, at, gainOf(speechDb + between(random, -3, 3)) / rms(said))
    const pauseSec = random() < 0.25 ? between(random, 0.4, 1) : between(random, 5, 11)
    at += said.length + Math.floor(pauseSec * RATE_HZ)
  }
  const labels = labelsOf(samples).frames
  if (noise !== null) {
    const made = testNoise(noise.name, length, { random, from })
    addAt(samples, made, 0, gainOf(speechDb - noise.snrDb))
  }
  const floor = gainOf(floorDb)
  for (let n = 0; n < length; n++) samples[n] = (samples[n] ?? 0) + floor * gauss(random)
  return { samples, labels }
}

/** Breath instead of a voice: noise that is as loud as the prompt in each 10 ms. */
function whispered(prompt: Float32Array, random: Random): Float32Array {
  const out = new Float32Array(prompt.length)
  let before = 0
  for (let at = 0; at < out.length; at += 80) {
    const loud = rms(prompt.subarray(at, at + 80))
    for (let n = at; n < Math.min(out.length, at + 80); n++) {
      const breath = gauss(random)
      out[n] = loud * (breath - 0.5 * before)
      before = breath
    }
  }
  return out
}
