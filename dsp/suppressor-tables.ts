/**
 * Windows of the noise suppressor (assembly/suppressor.ts): 256 samples, of which the last hop and
 * overlap come out.
 *
 *   8 kHz    ╱‾╲   analysis rises over 176 samples and falls over 80: a spectrum of 32 ms
 *             ╱╲   analysis · synthesis is a Hann window of the last 160: hop 80, late by 80 = 10 ms
 *   16 kHz  ╱▔▔╲   both rise and fall over 96 samples: hop 160, late by 96 = 6 ms
 *
 * Invariant: analysis · synthesis of one hop and the next add up to 1 where they overlap, so a gain
 * of 1 gives back what came in.
 */
export interface SuppressorWindows {
  hop: number
  overlap: number
  analysis: Float32Array
  synthesis: Float32Array
}

const SIZE = 256

/**
 * The noise of a bin is at most so many times its lowest power of 1 to 2 s. At 8 kHz neighbouring windows share more samples,
 * so the power swings more and its lowest lies lower.
 */
const MOST_OVER_LOWEST = { 8_000: 8, 16_000: 4 } as const

/** Of a rise over `length` samples: 0…1, a quarter of a sine. */
function rise(n: number, length: number): number {
  return Math.sin((Math.PI / 2) * Math.min(1, Math.max(0, (n + 0.5) / length)))
}

export function suppressorWindows(rateHz: 8_000 | 16_000): SuppressorWindows {
  const [hop, overlap] = rateHz === 8_000 ? [80, 80] : [160, 96]
  const start = SIZE - hop - overlap
  const slow = hop + start
  const fall = (n: number): number => rise(SIZE - 1 - n, overlap)
  const analysis = Float32Array.from({ length: SIZE }, (_, n) =>
    n >= SIZE - overlap ? fall(n) : rise(n, start > 0 ? slow : overlap),
  )
  const synthesis = Float32Array.from({ length: SIZE }, (_, n) => {
    if (n < start) return 0
    if (n >= SIZE - overlap) return fall(n)
    return rise(n - start, overlap) ** 2 / (analysis[n] ?? 1)
  })
  return { hop, overlap, analysis, synthesis }
}

/** The table that assembly/suppressor.ts reads. */
export function suppressorTable(rateHz: 8_000 | 16_000): Uint8Array {
  const { hop, overlap, analysis, synthesis } = suppressorWindows(rateHz)
  const bytes = new Uint8Array(16 + 2 * 4 * SIZE)
  new Int32Array(bytes.buffer, 0, 2).set([hop, overlap])
  new Float32Array(bytes.buffer, 8, 1)[0] = MOST_OVER_LOWEST[rateHz]
  new Float32Array(bytes.buffer, 16).set(analysis)
  new Float32Array(bytes.buffer, 16 + 4 * SIZE).set(synthesis)
  return bytes
}
