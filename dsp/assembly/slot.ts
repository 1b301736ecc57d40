/**
 * The slot: everything one call owns in the shared memory, and the memory map around it.
 *
 *   0 ── TABLES ──────── BEDS ──────── SCRATCH ────────── LISTS ──────── SLOTS
 *       filters, FFT,    read-only     one per batch in   slot lists,    slot * SLOT_BYTES
 *       G.711 (constant) loops         flight             one per batch
 *
 * Only TABLES has fixed addresses; the host places the rest and passes pointers. A field has one
 * writer: the main thread (M) or the worker that holds the slot (W). Ring positions are
 * free-running counts; the writer publishes one by an atomic store after the bytes it covers, so no
 * lock is needed between one writer and one reader.
 *
 * Invariant: no mutable global and no static data in this module; instantiating it again on a live
 * memory must change nothing (docs/adr/0001).
 */

// --- M: written by the main thread when the slot is opened, constant afterwards
// -------------------------------
export const LIVE: i32 = 0
export const CODEC: i32 = 4
/** Samples of one 20 ms frame at the line's rate: 160, 320, 480 or 960. */
export const LINE_SAMPLES: i32 = 8
/** Bytes of one 20 ms payload. */
export const PAYLOAD_BYTES: i32 = 12
/** Samples of one 20 ms frame at the rate of the TTS provider: 160, 320, 441, 480 or 960. */
export const TTS_SAMPLES: i32 = 16
export const HIGH_PASS_PTR: i32 = 20
/**
 * Resampling plans for line → speech-to-text, line → 8 kHz (VAD) and TTS → line; 0 when the rates
 * are the same.
 */
export const TO_STT_PTR: i32 = 24
export const TO_8K_PTR: i32 = 28
export const TO_LINE_PTR: i32 = 32
/** Bed loop, i16 at the line's rate, a multiple of 8 samples; 0 for none. */
export const BED_PTR: i32 = 36
export const BED_SAMPLES: i32 = 40
export const BED_GAIN: i32 = 44
/** Speech begins at this probability, and holds above the second one. */
export const VAD_ON: i32 = 48
export const VAD_OFF: i32 = 52
/** Samples of one 20 ms frame for speech-to-text: 160 or 320. */
export const STT_SAMPLES: i32 = 56
/** Samples of history that the plans of the user's and of the agent's chain need. */
export const USER_KEEP: i32 = 60
export const AGENT_KEEP: i32 = 64
/** RMS of the comfort noise in every outbound frame, 0 for none. */
export const COMFORT_RMS: i32 = 68
/** 1 to look for DTMF and call-progress tones. */
export const TONES_WANTED: i32 = 72
/** Windows of the noise suppressor for the rate it works at; 0 to leave the noise in. */
export const SUPPRESSOR_PTR: i32 = 76
/** 1 to send the user's own voice back; then STT_SAMPLES and TTS_SAMPLES are the same. */
export const LOOPBACK: i32 = 80

// --- M: written during the call
// -------------------------------------------------------------------------------
/** Bytes of payload written. */
export const IN_WRITE: i32 = 128
/** Frames of 16 kHz PCM taken. */
export const PCM_READ: i32 = 132
/** Samples of agent audio written; W in loopback. */
export const TTS_WRITE: i32 = 136
/** Outbound frames taken. */
export const OUT_READ: i32 = 140
export const AGENT_GAIN: i32 = 144
export const WANT_FRAMES: i32 = 148
/**
 * Agent audio up to this count is complete: a tail that does not fill a frame is padded with
 * silence.
 */
export const FLUSH_TO: i32 = 152
/**
 * clear(): the epoch counts up; agent audio before CLEAR_TO and prepared frames from CLEAR_FROM on
 * are void.
 */
export const CLEAR_EPOCH: i32 = 156
export const CLEAR_TO: i32 = 160
export const CLEAR_FROM: i32 = 164
/** Agent audio at this count follows a pause. */
export const SPURT_FROM: i32 = 168

// --- W: written by the worker (another cache line, so that the two threads do not contend)
// ----------------------
export const IN_READ: i32 = 192
export const PCM_WRITE: i32 = 196
export const TTS_READ: i32 = 200
export const OUT_WRITE: i32 = 204
export const EPOCH_SEEN: i32 = 208
/** Samples of agent audio consumed since open or the last clear. */
export const AGENT_CONSUMED: i32 = 212
/** Not 0 when processing this slot trapped; set by the worker's loop, final. */
export const FAULT: i32 = 216
export const BED_POSITION: i32 = 220
/**
 * The bed's present gain; follows BED_GAIN, ducked while the agent speaks. Starts at 0: the bed
 * fades in.
 */
export const BED_LEVEL: i32 = 224
/** The agent's present gain minus 1, so that a zeroed slot starts at unity. */
export const AGENT_GAIN_OFFSET: i32 = 228

export const HIGH_PASS_STATE: i32 = 240
export const VAD_STATE: i32 = 256
export const VAD_STATE_BYTES: i32 = 2560
/**
 * Input the resamplers still need, f32 at the line's and at the TTS provider's rate: what the
 * longest plan (48 → 8 kHz) has as history.
 */
export const HISTORY: i32 = 272
export const USER_HISTORY: i32 = VAD_STATE + VAD_STATE_BYTES
export const AGENT_HISTORY: i32 = USER_HISTORY + HISTORY * 4

/** Four words of the comfort noise's generator; xored with constants, so that a zeroed slot works. */
export const COMFORT_STATE: i32 = AGENT_HISTORY + HISTORY * 4
/** DTMF and call progress: assembly/dtmf.ts, assembly/tones.ts. */
export const DTMF_STATE: i32 = COMFORT_STATE + 16
export const DTMF_STATE_BYTES: i32 = 1536
export const TONE_STATE: i32 = DTMF_STATE + DTMF_STATE_BYTES
export const TONE_STATE_BYTES: i32 = 128
/** Noise suppressor: assembly/suppressor.ts. */
export const SUPPRESSOR_STATE: i32 = TONE_STATE + TONE_STATE_BYTES
export const SUPPRESSOR_STATE_BYTES: i32 = 3664
// --- rings ---------------------------------------------------------------------------------------
// -------------
/**
 * Payload bytes, M → W. A multiple of every payload size (160, 320, 480, 640, 960, 1920), so a
 * frame never wraps; 160 ms in the densest format, 1.9 s in PCMU.
 */
export const IN_RING: i32 = SUPPRESSOR_STATE + SUPPRESSOR_STATE_BYTES
export const IN_RING_BYTES: i32 = 15360

/** Frames for speech-to-text, each with its detection, W → M. 16 frames = 320 ms. */
export const PCM_FRAMES: i32 = 16
export const PCM_FRAME_BYTES: i32 = 640
export const PCM_RING: i32 = IN_RING + IN_RING_BYTES
export const DETECTION_BYTES: i32 = 64
export const DETECTION_RING: i32 = PCM_RING + PCM_FRAMES * PCM_FRAME_BYTES

/**
 * Agent audio at the TTS provider's rate, i16, M → W. 16 frames = 320 ms; the used length is 16 *
 * TTS_SAMPLES.
 */
export const TTS_FRAMES: i32 = 16
export const TTS_RING: i32 = DETECTION_RING + PCM_FRAMES * DETECTION_BYTES
export const TTS_RING_BYTES: i32 = TTS_FRAMES * 960 * 2

/** Encoded frames for the line, W → M: a record of OUT_HEADER_BYTES, then the payload. */
export const OUT_FRAMES: i32 = 4
export const OUT_HEADER_BYTES: i32 = 32
export const OUT_RECORD_BYTES: i32 = OUT_HEADER_BYTES + 1920
export const OUT_RING: i32 = TTS_RING + TTS_RING_BYTES

/**
 * Rounded up to an odd number of 64-byte lines: with a stride of a power of two the hot headers of
 * all slots would fall into the same few cache sets.
 */
export const SLOT_BYTES: i32 = (((OUT_RING + OUT_FRAMES * OUT_RECORD_BYTES + 63) >> 6) | 1) << 6

// --- records -------------------------------------------------------------------------------------
// -------------
export const DETECTION_FRAME: i32 = 0
export const DETECTION_FLAGS: i32 = 4
export const DETECTION_PROBABILITY: i32 = 8
export const DETECTION_LEVEL: i32 = 12
export const DETECTION_START: i32 = 16
export const DETECTION_VOICED: i32 = 20
/** Pitch in Hz or 0, level of the voiced part in dBFS. */
export const DETECTION_PITCH: i32 = 24
export const DETECTION_VOICED_LEVEL: i32 = 28
/** Peak of the frame, 0…1; samples at full scale; digit (its character) and tone that begin here. */
export const DETECTION_PEAK: i32 = 32
export const DETECTION_CLIPPED: i32 = 36
export const DETECTION_DIGIT: i32 = 40
export const DETECTION_TONE: i32 = 44
export const FLAG_SPEECH: i32 = 1
export const FLAG_ONSET: i32 = 2
export const FLAG_OFFSET: i32 = 4

export const OUT_EPOCH: i32 = 0
export const OUT_HAS_AGENT: i32 = 4
export const OUT_CONSUMED: i32 = 8
/** The bed's state at the frame's start: where to take it up again when the frame is dropped. */
export const OUT_BED_POSITION: i32 = 12
export const OUT_BED_LEVEL: i32 = 16

// --- codecs --------------------------------------------------------------------------------------
// -------------
export const PCMU: i32 = 0
export const PCMA: i32 = 1
export const L16: i32 = 2
export const L16_BIG_ENDIAN: i32 = 3
