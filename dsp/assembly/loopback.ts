/**
 * Media loopback (RFC 6849): what the user said becomes the agent's audio, in the batch that decoded it.
 *
 *   PCM for speech-to-text ─► TTS ring ─► agent chain
 *
 * The worker then writes TTS_WRITE, which is the main thread's elsewhere: a slot has one of the two as its writer from open to close.
 */
import { moveSamples } from './pcm'
import {
  DETECTION_PEAK,
  LOOPBACK,
  OUT_READ,
  OUT_WRITE,
  TTS_FRAMES,
  TTS_READ,
  TTS_RING,
  TTS_SAMPLES,
  TTS_WRITE,
} from './slot'

/**
 * Frames that may wait, 60 ms. Beyond it silence is left out, as a jitter buffer shrinks in silence: without, one stall while calls
 * are being set up would delay every later frame of them.
 */
const BACKLOG_FRAMES: i32 = 3
/** Loudest sample of a silent frame; the code of a PCMU line has none between 0 and 8. */
const SILENT_PEAK: f32 = 8.0 / 32768.0

/** False while the user's next frame would have no room: it stays where it is. Always true without loopback. */
export function mayLoopBack(slot: usize): bool {
  if (!load<i32>(slot, LOOPBACK)) return true
  return waitingFrames(slot) < TTS_FRAMES
}

/** Appends the frame at `pcm` (TTS_SAMPLES i16), whose detection record is given, to the agent's audio. Nothing without loopback. */
export function loopBack(slot: usize, pcm: usize, detection: usize): void {
  if (!load<i32>(slot, LOOPBACK)) return
  if (load<f32>(detection, DETECTION_PEAK) <= SILENT_PEAK) {
    const prepared = load<i32>(slot, OUT_WRITE) - atomic.load<i32>(slot, OUT_READ)
    if (waitingFrames(slot) + prepared >= BACKLOG_FRAMES) return
  }
  const samples = load<i32>(slot, TTS_SAMPLES)
  const written = load<i32>(slot, TTS_WRITE)
  // Only whole frames are ever written here, so none wraps.
  const at: usize = <u32>written % <u32>(samples * TTS_FRAMES)
  moveSamples(slot + TTS_RING + (at << 1), pcm, (<usize>samples) << 1)
  atomic.store<i32>(slot, written + samples, TTS_WRITE)
}

function waitingFrames(slot: usize): i32 {
  return (load<i32>(slot, TTS_WRITE) - load<i32>(slot, TTS_READ)) / load<i32>(slot, TTS_SAMPLES)
}
