/**
 * The user's audio: one payload of the line becomes PCM for speech-to-text and a detection.
 *
 *   payload ─► decode ─► high-pass ─► level ─┬─► [8 kHz] ─► VAD ─► detection
 *                                            └─► [16 or 8 kHz] ─► [less noise] ─► PCM ─► [loopback]
 *
 * No gain is applied: recognisers normalise for themselves, and the VAD works on SNR. Noise is
 * suppressed at the lower of the line's and speech-to-text's rates, so before a resampler that
 * raises it; the VAD hears the noise, which it has learnt, and loses no time.
 */
import { findDigit } from './dtmf'
import { decodeAlaw, decodeMulaw } from './g711'
import { highPass } from './high-pass'
import { measureLevel } from './level'
import { loopBack, mayLoopBack } from './loopback'
import { floatToPcm, moveSamples, pcmToFloat, swapBytes } from './pcm'
import { resample } from './resampler'
import {
  CODEC,
  DETECTION_BYTES,
  DETECTION_RING,
  HIGH_PASS_PTR,
  HIGH_PASS_STATE,
  HISTORY,
  IN_READ,
  IN_RING,
  IN_RING_BYTES,
  IN_WRITE,
  L16_BIG_ENDIAN,
  LINE_SAMPLES,
  PAYLOAD_BYTES,
  PCMU,
  PCM_FRAMES,
  PCM_FRAME_BYTES,
  PCM_READ,
  PCM_RING,
  PCM_WRITE,
  PCMA,
  STT_SAMPLES,
  SUPPRESSOR_PTR,
  TONES_WANTED,
  TO_8K_PTR,
  TO_STT_PTR,
  USER_HISTORY,
  USER_KEEP,
} from './slot'
import { suppressNoise } from './suppressor'
import { SCRATCH_INPUT, SCRATCH_NARROW, SCRATCH_OUTPUT, SCRATCH_WORK } from './tables'
import { findTone } from './tones'
import { detect } from './vad'

const HISTORY_BYTES: usize = HISTORY * 4

/**
 * Processes every whole frame that waits and has room in the PCM ring (≤ 16). Returns their number.
 */
export function processUserAudio(slot: usize, scratch: usize): i32 {
  const payloadBytes = load<i32>(slot, PAYLOAD_BYTES)
  const written = atomic.load<i32>(slot, IN_WRITE)
  let read = load<i32>(slot, IN_READ)
  let frame = load<i32>(slot, PCM_WRITE)
  let done = 0
  while (written - read >= payloadBytes) {
    if (frame - atomic.load<i32>(slot, PCM_READ) >= PCM_FRAMES || !mayLoopBack(slot)) break
    const place: usize = frame & (PCM_FRAMES - 1)
    processFrame(slot, scratch, slot + IN_RING + (<u32>read % IN_RING_BYTES), place)
    read += payloadBytes
    frame++
    done++
    atomic.store<i32>(slot, read, IN_READ)
    atomic.store<i32>(slot, frame, PCM_WRITE)
  }
  return done
}

function processFrame(slot: usize, scratch: usize, payload: usize, place: usize): void {
  const count = load<i32>(slot, LINE_SAMPLES)
  const samples = scratch + SCRATCH_INPUT + HISTORY_BYTES
  const keep: usize = (<usize>load<i32>(slot, USER_KEEP)) << 2
  const detection = slot + DETECTION_RING + place * DETECTION_BYTES

  decode(load<i32>(slot, CODEC), payload, samples, count)
  highPass(load<i32>(slot, HIGH_PASS_PTR), slot + HIGH_PASS_STATE, samples, count)
  const level = measureLevel(samples, count, detection)
  moveSamples(samples - keep, slot + USER_HISTORY, keep)
  const narrow = convert(load<i32>(slot, TO_8K_PTR), samples, scratch, 160)
  detect(slot, scratch, narrow, level, detection)
  if (load<i32>(slot, TONES_WANTED)) {
    findDigit(slot, narrow, level, detection)
    findTone(slot, scratch, level, detection)
  }
  const sttSamples = load<i32>(slot, STT_SAMPLES)
  const suppressor = load<i32>(slot, SUPPRESSOR_PTR)
  const isRaised = sttSamples > count
  if (suppressor && isRaised) suppressNoise(slot, suppressor, samples, scratch + SCRATCH_WORK)
  const wide = convert(load<i32>(slot, TO_STT_PTR), samples, scratch, sttSamples)
  moveSamples(slot + USER_HISTORY, samples + ((<usize>count) << 2) - keep, keep)
  if (suppressor && !isRaised) suppressNoise(slot, suppressor, wide, scratch + SCRATCH_WORK)
  const pcm = slot + PCM_RING + place * PCM_FRAME_BYTES
  floatToPcm(wide, pcm, sttSamples)
  loopBack(slot, pcm, detection)
}

/** `samples` at another rate, or as they are when there is no plan. */
function convert(plan: usize, samples: usize, scratch: usize, count: i32): usize {
  if (!plan) return samples
  const out = scratch + (count == 160 ? SCRATCH_NARROW : SCRATCH_OUTPUT)
  resample(plan, samples, out, count, scratch + SCRATCH_WORK)
  return out
}

function decode(codec: i32, payload: usize, out: usize, count: i32): void {
  if (codec == PCMU) {
    decodeMulaw(payload, out, count)
    return
  }
  if (codec == PCMA) {
    decodeAlaw(payload, out, count)
    return
  }
  // The ring's bytes have been read when its position moves on: they may be turned where they lie.
  if (codec == L16_BIG_ENDIAN) swapBytes(payload, payload, count)
  pcmToFloat(payload, out, count)
}
