/**
 * Where the constant tables lie. The host computes them once (dsp/tables.ts) before the first
 * worker starts; after that nobody writes here, so every instance of the module may read them
 * without a thought.
 */
import { HISTORY } from './slot'

export const TABLES: usize = 1024

/**
 * Numbers that inner loops keep in registers, one f32 each: NUMBERS in dsp/tables.ts. A literal
 * vector in a loop would be built anew in every round.
 */
export const NUMBERS: usize = TABLES
export const N_ZERO: usize = NUMBERS
export const N_8192: usize = NUMBERS + 4
export const N_MULAW_ROUND: usize = NUMBERS + 8
export const N_EIGHTH: usize = NUMBERS + 12
export const N_MULAW_BIAS: usize = NUMBERS + 16
export const N_MULAW_MAX: usize = NUMBERS + 20
export const N_2048: usize = NUMBERS + 24
export const N_ALAW_ROUND: usize = NUMBERS + 28
export const N_SIXTEENTH_HALF: usize = NUMBERS + 32
export const N_ALAW_MAX: usize = NUMBERS + 36
export const N_16: usize = NUMBERS + 40
export const N_33: usize = NUMBERS + 44
export const N_PCM_ROUND: usize = NUMBERS + 48
export const N_32768: usize = NUMBERS + 52
export const N_PCM_UNIT: usize = NUMBERS + 56
export const N_CLIPPED: usize = NUMBERS + 60
export const N_KNEE: usize = NUMBERS + 64
export const N_QUARTER: usize = NUMBERS + 68
/** 1, 2, 4 … 128, twice: a shift by a lane's own amount is a multiplication. */
export const POWERS_OF_TWO: usize = NUMBERS + 96

/** FFT of 256 real samples: Hann window, bit-reversed order of 128 pairs, twiddles. */
export const FFT_WINDOW: usize = NUMBERS + 128
export const FFT_ORDER: usize = FFT_WINDOW + 1024
/** Stage h = 4…64 has h cosines at + (h - 4) * 4, and as many sines. */
export const FFT_COS: usize = FFT_ORDER + 512
export const FFT_SIN: usize = FFT_COS + 512
/** cos and sin of 2πk/256, k = 0…127: takes the 128-point complex result apart. */
export const FFT_SPLIT_COS: usize = FFT_SIN + 512
export const FFT_SPLIT_SIN: usize = FFT_SPLIT_COS + 512

/** DTMF: 8 tones of 80 cosines and 80 sines, squared window, frequencies, phase steps (dtmf.ts). */
export const DTMF_TABLE: usize = FFT_SPLIT_SIN + 512
export const DTMF_TABLE_BYTES: usize = 8 * 640 + 320 + 64

/** First bin of each of the 18 bands, and the end of the last. */
export const BAND_EDGES: usize = DTMF_TABLE + DTMF_TABLE_BYTES
/** Power of each of 20 bands below which there is no floor to compare with. */
export const BAND_QUIETEST: usize = BAND_EDGES + 80
/** Weight of each autocorrelation lag, 0…103, see tables.ts of the host. */
export const LAG_GAIN: usize = BAND_QUIETEST + 80
/** Weights of the VAD's network, see vad-network.ts. */
export const VAD_WEIGHTS: usize = LAG_GAIN + 416
export const VAD_WEIGHT_COUNT: i32 = 4705

/** Windows of the noise suppressor at 8 and at 16 kHz, see suppressor.ts. */
export const SUPPRESSOR_8K: usize = (VAD_WEIGHTS + VAD_WEIGHT_COUNT * 4 + 15) & ~15
export const SUPPRESSOR_TABLE_BYTES: usize = 16 + 2048
export const SUPPRESSOR_16K: usize = SUPPRESSOR_8K + SUPPRESSOR_TABLE_BYTES

export const TABLES_END: usize = SUPPRESSOR_16K + SUPPRESSOR_TABLE_BYTES

/**
 * Scratch of one batch: an input area with room for filter history in front, an output area and
 * 8 kHz audio (a resampler may write 60 samples too many), room for the FFT, and for resamplers.
 */
export const SCRATCH_INPUT: usize = 0
export const SCRATCH_OUTPUT: usize = SCRATCH_INPUT + (HISTORY + 960 + 32) * 4
export const SCRATCH_NARROW: usize = SCRATCH_OUTPUT + (960 + 64) * 4
export const SCRATCH_FFT: usize = SCRATCH_NARROW + (160 + 64) * 4
export const SCRATCH_WORK: usize = SCRATCH_FFT + 6144
export const RESAMPLER_WORK_BYTES: usize = 8192
export const SCRATCH_BYTES: usize = SCRATCH_WORK + RESAMPLER_WORK_BYTES
