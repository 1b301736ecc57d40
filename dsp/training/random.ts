/** Random numbers from a seed; the same on every machine, so that a corpus can be made again. */

export type Random = () => number

/** mulberry32: 0 ≤ x < 1. */
export function seeded(seed: number): Random {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export function between(random: Random, low: number, high: number): number {
  return low + (high - low) * random()
}

export function pick<T>(random: Random, list: readonly T[]): T {
  const item = list[Math.floor(random() * list.length)]
  if (item === undefined) throw new RangeError('an empty list has nothing to pick from')
  return item
}

/** Gaussian enough: four uniform numbers, standard deviation 1. */
export function gauss(random: Random): number {
  return (random() + random() + random() + random() - 2) * 1.732
}

/** Fisher and Yates, in place. */
export function shuffle(random: Random, list: Uint32Array): void {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const kept = list[i] ?? 0
    list[i] = list[j] ?? 0
    list[j] = kept
  }
}
