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
export const N_2048: usize = NUMBERS + 8
export const N_EIGHTH: usize = NUMBERS + 12
export const N_SIXTEENTH_HALF: usize = NUMBERS + 16
export const N_QUARTER: usize = NUMBERS + 20
export const N_33: usize = NUMBERS + 24
/** PCMU's bias at a full scale of 1. */
export const N_33_UNITS: usize = NUMBERS + 28
export const N_PCM_ROUND: usize = NUMBERS + 32
export const N_32768: usize = NUMBERS + 36
export const N_PCM_UNIT: usize = NUMBERS + 40
export const N_CLIPPED: usize = NUMBERS + 44
export const N_KNEE: usize = NUMBERS + 48
export const N_ONE: usize = NUMBERS + 52
export const N_60: usize = NUMBERS + 56
export const N_MINUS_60: usize = NUMBERS + 60
export const N_MINUS_LOG2_E: usize = NUMBERS + 64
export const N_EXP_1: usize = NUMBERS + 68
export const N_EXP_2: usize = NUMBERS + 72
export const N_EXP_3: usize = NUMBERS + 76
export const N_EXP_4: usize = NUMBERS + 80
export const N_LOG_1: usize = NUMBERS + 84
export const N_LOG_2: usize = NUMBERS + 88
/** The bits of a mantissa. */
export const N_MANTISSA: usize = NUMBERS + 92
export const N_10: usize = NUMBERS + 96
export const N_FAR_ABOVE: usize = NUMBERS + 100
/** Smoothing before a band's minimum is taken; with it the minimum lies about 2 dB under the mean: the bias. */
export const N_SMOOTHING: usize = NUMBERS + 104
export const N_MINIMUM_BIAS: usize = NUMBERS + 108
/** 1, 2, 4 … 128, twice: a shift by a lane's own amount is a multiplication. */
export const POWERS_OF_TWO: usize = NUMBERS + 128

/** FFT of 256 real samples: Hann window, bit-reversed order of 128 pairs, twiddles. */
export const FFT_WINDOW: usize = NUMBERS + 192
export const FFT_ORDER: usize = FFT_WINDOW + 1024
/** Stage h = 4…64 has h cosines at + (h - 4) * 4, and as many sines. */
export const FFT_COS: usize = FFT_ORDER + 512
export const FFT_SIN: usize = FFT_COS + 512
/** cos and sin of 2πk/256, k = 0…127: takes the 128-point complex result apart. */
export const FFT_SPLIT_COS: usize = FFT_SIN + 512
export const FFT_SPLIT_SIN: usize = FFT_SPLIT_COS + 512
/** Twiddles of spectrum.ts: down the rows (8 · 3 pairs of cos and sin), then across the lanes (8 groups of 3 · 2 vectors). */
export const FFT_DOWN: usize = FFT_SPLIT_SIN + 512
export const FFT_ACROSS: usize = FFT_DOWN + 192

/** DTMF: 8 tones of 80 cosines and 80 sines, squared window, frequencies, phase steps (dtmf.ts). */
export const DTMF_TABLE: usize = FFT_ACROSS + 768
export const DTMF_TABLE_BYTES: usize = 8 * 640 + 320 + 64

/** First bin of each of the 18 bands, the end of the last, and 0. */
export const BAND_EDGES: usize = DTMF_TABLE + DTMF_TABLE_BYTES
/** Power of each of 20 bands below which there is no floor to compare with. */
export const BAND_QUIETEST: usize = BAND_EDGES + 80
/** Weight of each autocorrelation lag, 0…103, see tables.ts of the host. */
export const LAG_GAIN: usize = BAND_QUIETEST + 80
/** What is added to the power of each of 20 bands, so that there is a logarithm. */
export const BAND_LEAST: usize = LAG_GAIN + 416
/** For each of 20 bands, which of the 16 bins from its first are its own: 4 vectors of bits. */
export const BAND_MASKS: usize = BAND_LEAST + 80
/** Weights of the VAD's network, see vad-network.ts. */
export const VAD_WEIGHTS: usize = BAND_MASKS + 1280
export const VAD_WEIGHT_COUNT: i32 = 4897

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
export const SCRATCH_WORK: usize = SCRATCH_FFT + 6528
export const RESAMPLER_WORK_BYTES: usize = 8192
export const SCRATCH_BYTES: usize = SCRATCH_WORK + RESAMPLER_WORK_BYTES
