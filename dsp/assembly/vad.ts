/**
 * VAD: is there speech in this 20 ms of 8 kHz audio, and since when.
 *
 *   samples ─► 52 features ─► network ─► probability ─► onset, hangover ─► detection
 *              vad-features   vad-network              └─► pitch and voiced level
 *                   └─► tones that stand still, over 7 s ─► music on the line ─► a higher threshold
 *
 * The probability is causal: the window looks back 12 ms and never ahead, and the network keeps
 * what it remembers in the slot.
 */
import {
  DETECTION_FLAGS,
  DETECTION_FRAME,
  DETECTION_LEVEL,
  DETECTION_PITCH,
  DETECTION_PROBABILITY,
  DETECTION_START,
  DETECTION_VOICED,
  DETECTION_VOICED_LEVEL,
  FLAG_OFFSET,
  FLAG_ONSET,
  FLAG_SPEECH,
  VAD_OFF,
  VAD_ON,
  VAD_STATE,
} from './slot'
import { SCRATCH_FFT } from './tables'
import { F_LONG, F_PERIODICITY, LAG, measure } from './vad-features'
import { scoreFeatures } from './vad-network'

/**
 * Evidence that makes speech: what frames in a row lie above the threshold, each at most 1, summed.
 * A clear voice needs one or two frames, a doubtful one more; a click is over by then.
 */
const ENOUGH: f32 = 0.5
/**
 * Music is on the line where tones stand still for long: the persistence of the spectrum's peaks over
 * 7 s is 0.6 and more in music, 0.3 to 0.4 in babble, less in talk. Then speech takes more evidence,
 * each frame of it nearer to certainty; from the first of these values on, in full at the second.
 */
const MUSIC_FROM: f32 = 0.55
const MUSIC_FULL: f32 = 0.65
const MUSIC_SHARE: f32 = 0.003
/** Hum persists too, but has no pitch of a voice or of an instrument: it counts as nothing. */
const MUSIC_PERIODICITY: f32 = 0.15
/** Of what is left between the threshold and 1; and evidence that is wanted on top. */
const MUSIC_RAISE: f32 = 0.8
const MUSIC_MORE: f32 = 0.5
/** 200 ms: spans the stop gaps inside words (≤ 150 ms), not a pause between phrases. */
const HANGOVER_FRAMES: i32 = 10
/** Periodicity of a frame whose pitch can be trusted. */
const VOICED: f32 = 0.45

// State, from VAD_STATE; the frame count comes first, vad-features.ts looks at it.
const FRAME: usize = 0
const SPEAKING: usize = 4
const EVIDENCE: usize = 8
const START: usize = 12
const LAST: usize = 16
const RUN: usize = 20
const MUSIC: usize = 24

/**
 * [in] 160 f32 at `samples`, high-passed; level in dBFS. [out] a detection record at `detection`.
 */
export function detect(
  slot: usize,
  scratch: usize,
  samples: usize,
  level: f32,
  detection: usize,
): void {
  const state = slot + VAD_STATE
  measure(slot, scratch, samples, level)
  if (load<i32>(state, FRAME) == 0) {
    store<i32>(state, -1, START)
    store<i32>(state, -HANGOVER_FRAMES - 1, LAST)
  }
  const probability = scoreFeatures(slot, scratch)
  store<f32>(detection, probability, DETECTION_PROBABILITY)
  store<f32>(detection, level, DETECTION_LEVEL)
  const work = scratch + SCRATCH_FFT
  const isVoiced =
    probability >= load<f32>(slot, VAD_OFF) && load<f32>(work, F_PERIODICITY) >= VOICED
  store<f32>(detection, isVoiced ? <f32>8000 / load<f32>(work, LAG) : 0, DETECTION_PITCH)
  store<f32>(detection, isVoiced ? level : <f32>-90, DETECTION_VOICED_LEVEL)
  decide(slot, state, probability, likenessToMusic(state, work), detection)
}

/** 0…1: is there music on the line, from what the last seconds were like. */
function likenessToMusic(state: usize, work: usize): f32 {
  const isPitched = load<f32>(work, F_LONG + 4) >= MUSIC_PERIODICITY
  const persistence: f32 = isPitched ? load<f32>(work, F_LONG) : 0
  const before = load<f32>(state, MUSIC)
  const music = before + MUSIC_SHARE * (persistence - before)
  store<f32>(state, music, MUSIC)
  return min(max((music - MUSIC_FROM) / (MUSIC_FULL - MUSIC_FROM), <f32>0), <f32>1)
}

/** Onset, hangover, and the times a turn-taker needs. */
function decide(slot: usize, state: usize, probability: f32, music: f32, detection: usize): void {
  const frame = load<i32>(state, FRAME)
  let speaking = load<i32>(state, SPEAKING)
  let run = load<i32>(state, RUN)
  let evidence = load<f32>(state, EVIDENCE)
  let last = load<i32>(state, LAST)
  let flags = 0
  const asked = load<f32>(slot, VAD_ON)
  const on = asked + MUSIC_RAISE * music * (1 - asked)
  run = probability >= on ? run + 1 : 0
  evidence = run > 0 ? evidence + (probability - on) / (1 - on) : 0
  if (speaking) {
    if (probability >= (load<f32>(slot, VAD_OFF) * on) / asked) last = frame
    if (frame - last >= HANGOVER_FRAMES) {
      speaking = 0
      flags |= FLAG_OFFSET
    }
  } else if (evidence >= ENOUGH + MUSIC_MORE * music) {
    speaking = 1
    flags |= FLAG_ONSET
    last = frame
    store<i32>(state, frame - run + 1, START)
  }
  if (speaking) flags |= FLAG_SPEECH
  store<i32>(state, frame + 1, FRAME)
  store<i32>(state, speaking, SPEAKING)
  store<i32>(state, run, RUN)
  store<f32>(state, evidence, EVIDENCE)
  store<i32>(state, last, LAST)
  store<i32>(detection, frame, DETECTION_FRAME)
  store<i32>(detection, flags, DETECTION_FLAGS)
  store<i32>(detection, load<i32>(state, START), DETECTION_START)
  store<i32>(detection, last, DETECTION_VOICED)
}
