/**
 * The user's audio: one payload of the line becomes 16 kHz PCM for speech-to-text and a detection.
 *
 *   payload ─► decode ─► high-pass ─► level ─┬─► [8 kHz] ─► VAD ─► detection
 *                                            └─► [16 kHz] ─► PCM
 *
 * No gain is applied: recognisers normalise for themselves, and the VAD works on SNR.
 */
import { decodeAlaw, decodeMulaw } from './g711'
import { highPass } from './high-pass'
import { levelDbfs } from './level'
import { floatToPcm, pcmToFloat } from './pcm'
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
  LINE_SAMPLES,
  PAYLOAD_BYTES,
  PCMU,
  PCM_FRAMES,
  PCM_FRAME_BYTES,
  PCM_READ,
  PCM_RING,
  PCM_WRITE,
  PCMA,
  TO_16K_PTR,
  TO_8K_PTR,
  USER_HISTORY,
} from './slot'
import { SCRATCH_INPUT, SCRATCH_NARROW, SCRATCH_OUTPUT } from './tables'
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
    if (frame - atomic.load<i32>(slot, PCM_READ) >= PCM_FRAMES) break
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
  const history = scratch + SCRATCH_INPUT
  const samples = history + HISTORY_BYTES
  const pcm = slot + PCM_RING + place * PCM_FRAME_BYTES
  const to8k = load<i32>(slot, TO_8K_PTR)
  const to16k = load<i32>(slot, TO_16K_PTR)

  decode(load<i32>(slot, CODEC), payload, samples, count)
  highPass(load<i32>(slot, HIGH_PASS_PTR), slot + HIGH_PASS_STATE, samples, count)
  const level = levelDbfs(samples, count)
  memory.copy(history, slot + USER_HISTORY, HISTORY_BYTES)
  if (to8k) resample(to8k, samples, scratch + SCRATCH_NARROW, 160)
  const narrow = to8k ? scratch + SCRATCH_NARROW : samples
  detect(slot, scratch, narrow, level, slot + DETECTION_RING + place * DETECTION_BYTES)
  if (to16k) resample(to16k, samples, scratch + SCRATCH_OUTPUT, 320)
  floatToPcm(to16k ? scratch + SCRATCH_OUTPUT : samples, pcm, 320)
  memory.copy(slot + USER_HISTORY, history + ((<usize>count) << 2), HISTORY_BYTES)
}

function decode(codec: i32, payload: usize, out: usize, count: i32): void {
  if (codec == PCMU) decodeMulaw(payload, out, count)
  else if (codec == PCMA) decodeAlaw(payload, out, count)
  else pcmToFloat(payload, out, count)
}
