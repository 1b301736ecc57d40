/**
 * The ABI: the only exports of the DSP core, and the layout as constants so that the host never
 * repeats a number. Nothing here traps on what a stranger sent: lengths are checked on the main
 * thread before bytes enter a slot. A trap means a damaged slot; the worker catches it and ends
 * that call alone.
 */
import { processAgentAudio } from './agent-chain'
import { LIVE } from './slot'
import { processUserAudio } from './user-chain'

export * from './slot'
export * from './tables'
export { PREPARED_FRAMES } from './agent-chain'
export { FEATURES, FEATURE_COUNT, VAD_NETWORK_STATE } from './vad-features'
export { detect } from './vad'
export { scoreFeatures } from './vad-network'
export { suppressNoise } from './suppressor'
export {
  decodeAlaw,
  decodeMulaw,
  decodeMulawPcm,
  encodeAlaw,
  encodeMulaw,
  encodeMulawPcm,
} from './g711'
export {
  KIND_DOUBLE,
  KIND_HALVE,
  KIND_POLYPHASE,
  KIND_SIXFOLD,
  KIND_SIXTH,
  KIND_STRICT_DOUBLE,
  KIND_STRICT_HALVE,
  KIND_THIRD,
  KIND_TRIPLE,
  resample,
} from './resampler'
export { autocorrelation, windowedPower } from './spectrum'
export { floatToPcm, pcmToFloat } from './pcm'
export { measureLevel } from './level'
export {
  decodeBase64,
  frameMedia,
  scanMedia,
  unmask,
  WIRE_OWN_TEXT_BYTES,
  WIRE_TEXT_BYTES,
} from './wire'
export { addBed, addComfortNoise, limit, ramp } from './mixer'

/**
 * Runs both chains of one call. [in/out] slot and scratch pointers → frames done: user in the low
 * 16 bits, agent in the high ones; −1 when the slot is not live.
 */
export function processSlot(slot: usize, scratch: usize): i32 {
  if (!load<i32>(slot, LIVE)) return -1
  const user = processUserAudio(slot, scratch)
  const agent = processAgentAudio(slot, scratch)
  return (agent << 16) | user
}
