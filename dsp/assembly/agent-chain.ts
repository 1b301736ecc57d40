/**
 * The agent's audio: what TTS delivered becomes payloads of the line, at most PREPARED_FRAMES
 * ahead.
 *
 *   TTS ring ─► [line rate] ─► gain ─► + comfort noise ─► + bed (ducked) ─► limiter ─► encode ─► outbound ring
 *
 * Few frames ahead, so that a clear() costs little; dropped frames also carried bed, hence each
 * record remembers where the bed stood, and after a clear the bed resumes at the first frame that
 * was not sent.
 */
import { encodeAlaw, encodeMulaw } from './g711'
import { addBed, addComfortNoise, limit, ramp } from './mixer'
import { floatToPcm, moveSamples, pcmToFloat, swapBytes } from './pcm'
import { resample } from './resampler'
import {
  AGENT_CONSUMED,
  AGENT_GAIN,
  AGENT_GAIN_OFFSET,
  AGENT_HISTORY,
  AGENT_KEEP,
  BED_GAIN,
  BED_LEVEL,
  BED_POSITION,
  BED_PTR,
  BED_SAMPLES,
  CLEAR_EPOCH,
  CLEAR_FROM,
  CLEAR_TO,
  CODEC,
  COMFORT_RMS,
  COMFORT_STATE,
  EPOCH_SEEN,
  FLUSH_TO,
  HISTORY,
  L16_BIG_ENDIAN,
  LINE_SAMPLES,
  OUT_BED_LEVEL,
  OUT_BED_POSITION,
  OUT_CONSUMED,
  OUT_EPOCH,
  OUT_FRAMES,
  OUT_HAS_AGENT,
  OUT_HEADER_BYTES,
  OUT_READ,
  OUT_RECORD_BYTES,
  OUT_RING,
  OUT_WRITE,
  PCMA,
  PCMU,
  SPURT_FROM,
  TO_LINE_PTR,
  TTS_FRAMES,
  TTS_READ,
  TTS_RING,
  TTS_SAMPLES,
  TTS_WRITE,
  WANT_FRAMES,
} from './slot'
import { SCRATCH_INPUT, SCRATCH_OUTPUT, SCRATCH_WORK } from './tables'

/** 40 ms ahead of the pacer: covers one late batch, and is all that a clear() can waste. */
export const PREPARED_FRAMES: i32 = 2
/** −6 dB: the bed stays audible under the voice without masking it. */
const DUCKED: f32 = 0.5
/**
 * Share of the full gain the bed may move in one frame: down within 100 ms, up again within 300 ms.
 */
const DUCK_DOWN: f32 = 0.1
const DUCK_UP: f32 = 0.034
/** −54 dB of a bed that is itself in the background. */
const BED_SILENT: f32 = 0.002
const HISTORY_BYTES: usize = HISTORY * 4

/** Prepares frames until PREPARED_FRAMES wait or there is nothing to say. Returns their number. */
export function processAgentAudio(slot: usize, scratch: usize): i32 {
  let done = 0
  while (prepareNext(slot, scratch)) done++
  return done
}

function prepareNext(slot: usize, scratch: usize): bool {
  if (atomic.load<i32>(slot, CLEAR_EPOCH) != load<i32>(slot, EPOCH_SEEN)) applyClear(slot)
  const prepared = load<i32>(slot, OUT_WRITE) - atomic.load<i32>(slot, OUT_READ)
  if (prepared >= PREPARED_FRAMES) return false
  const agentSamples = agentSamplesForFrame(slot)
  if (agentSamples == 0 && !hasBed(slot) && !load<i32>(slot, WANT_FRAMES)) return false
  prepareFrame(slot, scratch, agentSamples)
  return true
}

function applyClear(slot: usize): void {
  const epoch = atomic.load<i32>(slot, CLEAR_EPOCH)
  const from = load<i32>(slot, CLEAR_FROM)
  if (load<i32>(slot, OUT_WRITE) - from > 0) {
    const record = outRecord(slot, from)
    store<i32>(slot, load<i32>(record, OUT_BED_POSITION), BED_POSITION)
    store<f32>(slot, load<f32>(record, OUT_BED_LEVEL), BED_LEVEL)
  }
  store<i32>(slot, 0, AGENT_CONSUMED)
  memory.fill(slot + AGENT_HISTORY, 0, HISTORY_BYTES)
  atomic.store<i32>(slot, load<i32>(slot, CLEAR_TO), TTS_READ)
  atomic.store<i32>(slot, epoch, EPOCH_SEEN)
}

/** A whole frame of agent audio, or the tail of a finished one, or 0. */
function agentSamplesForFrame(slot: usize): i32 {
  const whole = load<i32>(slot, TTS_SAMPLES)
  const written = atomic.load<i32>(slot, TTS_WRITE)
  const waiting = written - load<i32>(slot, TTS_READ)
  if (waiting >= whole) return whole
  const finished = atomic.load<i32>(slot, FLUSH_TO) - load<i32>(slot, TTS_READ)
  return finished > 0 ? min(finished, waiting) : 0
}

function prepareFrame(slot: usize, scratch: usize, agentSamples: i32): void {
  const count = load<i32>(slot, LINE_SAMPLES)
  const record = outRecord(slot, load<i32>(slot, OUT_WRITE))
  store<i32>(record, load<i32>(slot, EPOCH_SEEN), OUT_EPOCH)
  store<i32>(record, agentSamples > 0 ? 1 : 0, OUT_HAS_AGENT)
  store<i32>(record, load<i32>(slot, BED_POSITION), OUT_BED_POSITION)
  store<f32>(record, load<f32>(slot, BED_LEVEL), OUT_BED_LEVEL)

  const samples = takeAgentAudio(slot, scratch, agentSamples)
  applyGain(slot, samples, count)
  const comfort = load<f32>(slot, COMFORT_RMS)
  if (comfort > 0) addComfortNoise(samples, count, comfort, slot + COMFORT_STATE)
  if (hasBed(slot)) mixBed(slot, samples, count, agentSamples > 0)
  else limit(samples, count)
  encode(load<i32>(slot, CODEC), samples, record + OUT_HEADER_BYTES, count)

  store<i32>(record, load<i32>(slot, AGENT_CONSUMED), OUT_CONSUMED)
  atomic.store<i32>(slot, load<i32>(slot, OUT_WRITE) + 1, OUT_WRITE)
}

/** Moves `agentSamples` out of the TTS ring, padded with silence to a frame, to the line's rate. */
function takeAgentAudio(slot: usize, scratch: usize, agentSamples: i32): usize {
  const whole = load<i32>(slot, TTS_SAMPLES)
  const input = scratch + SCRATCH_INPUT + HISTORY_BYTES
  const ring = slot + TTS_RING
  const ringSamples = whole * TTS_FRAMES
  const read = load<i32>(slot, TTS_READ)
  const at: i32 = <i32>(<u32>read % <u32>ringSamples)
  const first = min(agentSamples, ringSamples - at)
  pcmToFloat(ring + ((<usize>at) << 1), input, first)
  if (agentSamples > first) {
    pcmToFloat(ring, input + ((<usize>first) << 2), agentSamples - first)
  }
  const silence = (<usize>(whole - agentSamples)) << 2
  if (silence > 0) memory.fill(input + ((<usize>agentSamples) << 2), 0, silence)
  store<i32>(slot, load<i32>(slot, AGENT_CONSUMED) + agentSamples, AGENT_CONSUMED)
  atomic.store<i32>(slot, read + agentSamples, TTS_READ)

  const toLine = load<i32>(slot, TO_LINE_PTR)
  if (!toLine) return input
  const keep: usize = (<usize>load<i32>(slot, AGENT_KEEP)) << 2
  // After a pause, what the filter still holds belongs to an earlier sentence.
  if (read == load<i32>(slot, SPURT_FROM)) memory.fill(input - keep, 0, keep)
  else moveSamples(input - keep, slot + AGENT_HISTORY, keep)
  const count = load<i32>(slot, LINE_SAMPLES)
  resample(toLine, input, scratch + SCRATCH_OUTPUT, count, scratch + SCRATCH_WORK)
  moveSamples(slot + AGENT_HISTORY, input + ((<usize>whole) << 2) - keep, keep)
  return scratch + SCRATCH_OUTPUT
}

function applyGain(slot: usize, samples: usize, count: i32): void {
  const from: f32 = load<f32>(slot, AGENT_GAIN_OFFSET) + 1
  const to = load<f32>(slot, AGENT_GAIN)
  ramp(samples, count, from, to)
  store<f32>(slot, to - 1, AGENT_GAIN_OFFSET)
}

/** A bed whose gain was set to 0 fades out and then costs nothing. */
function hasBed(slot: usize): bool {
  if (!load<i32>(slot, BED_PTR)) return false
  return load<f32>(slot, BED_GAIN) > 0 || load<f32>(slot, BED_LEVEL) > BED_SILENT
}

function mixBed(slot: usize, samples: usize, count: i32, agentSpeaks: bool): void {
  const full = load<f32>(slot, BED_GAIN)
  const level = load<f32>(slot, BED_LEVEL)
  const target = agentSpeaks ? full * DUCKED : full
  const fall = max(full, level) * DUCK_DOWN
  const next = min(max(target, level - fall), level + full * DUCK_UP)
  const position = addBed(
    samples,
    count,
    load<i32>(slot, BED_PTR),
    load<i32>(slot, BED_SAMPLES),
    load<i32>(slot, BED_POSITION),
    level,
    next,
  )
  store<i32>(slot, position, BED_POSITION)
  store<f32>(slot, next, BED_LEVEL)
}

function encode(codec: i32, samples: usize, out: usize, count: i32): void {
  if (codec == PCMU) {
    encodeMulaw(samples, out, count)
  } else if (codec == PCMA) {
    encodeAlaw(samples, out, count)
  } else {
    floatToPcm(samples, out, count)
    if (codec == L16_BIG_ENDIAN) swapBytes(out, out, count)
  }
}

function outRecord(slot: usize, frame: i32): usize {
  return slot + OUT_RING + <usize>(frame & (OUT_FRAMES - 1)) * OUT_RECORD_BYTES
}
