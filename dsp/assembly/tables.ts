/**
 * Where the constant tables lie. The host computes them once (dsp/tables.ts) before the first
 * worker starts; after that nobody writes here, so every instance of the module may read them
 * without a thought.
 */
import { HISTORY } from './slot'

export const TABLES: usize = 1024

/** 256 f32 each: code → sample in −1…1. */
export const MULAW_DECODE: usize = TABLES
export const ALAW_DECODE: usize = MULAW_DECODE + 1024

/** FFT of 256 real samples: Hann window, bit-reversed order of 128 pairs, twiddles. */
export const FFT_WINDOW: usize = ALAW_DECODE + 1024
export const FFT_ORDER: usize = FFT_WINDOW + 1024
/** Stage h = 4…64 has h cosines at + (h - 4) * 4, and as many sines. */
export const FFT_COS: usize = FFT_ORDER + 512
export const FFT_SIN: usize = FFT_COS + 512
/** cos and sin of 2πk/256, k = 0…127: takes the 128-point complex result apart. */
export const FFT_SPLIT_COS: usize = FFT_SIN + 512
export const FFT_SPLIT_SIN: usize = FFT_SPLIT_COS + 512

/** First bin of each of the 18 bands, and the end of the last. */
export const BAND_EDGES: usize = FFT_SPLIT_SIN + 512
/** Power of each of 20 bands below which there is no floor to compare with. */
export const BAND_QUIETEST: usize = BAND_EDGES + 80
/** Weight of each autocorrelation lag, 0…103, see tables.ts of the host. */
export const LAG_GAIN: usize = BAND_QUIETEST + 80
/** Weights of the VAD's network, see vad-network.ts. */
export const VAD_WEIGHTS: usize = LAG_GAIN + 416
export const VAD_WEIGHT_COUNT: i32 = 4705

export const TABLES_END: usize = VAD_WEIGHTS + VAD_WEIGHT_COUNT * 4

/**
 * Scratch of one batch: two input areas with room for filter history in front, and room for the
 * FFT.
 */
export const SCRATCH_INPUT: usize = 0
export const SCRATCH_OUTPUT: usize = SCRATCH_INPUT + (HISTORY + 480) * 4
export const SCRATCH_NARROW: usize = SCRATCH_OUTPUT + 480 * 4
export const SCRATCH_FFT: usize = SCRATCH_NARROW + 160 * 4
export const SCRATCH_BYTES: usize = SCRATCH_FFT + 6144
