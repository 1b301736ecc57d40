/** The phrase cache as people read it. */
import type { Prices } from '../prices.ts'
import type { PhraseCacheStats } from './phrase-cache.ts'

export function phraseFigures(stats: PhraseCacheStats, prices: Prices) {
  const { phrases, bytes, hits, misses } = stats
  const asked = hits + misses
  const savedUsd =
    (stats.savedCharacters * prices.ttsMillionCharacters +
      stats.savedHdCharacters * prices.ttsHdMillionCharacters) /
    1_000_000
  return {
    phrases,
    megabytes: Number((bytes / 1_048_576).toFixed(1)),
    hits,
    misses,
    hitRatePercent: asked === 0 ? 0 : Number(((100 * hits) / asked).toFixed(1)),
    savedCharacters: stats.savedCharacters + stats.savedHdCharacters,
    savedUsd: stats.isFree ? 0 : Number(savedUsd.toFixed(4)),
  }
}
