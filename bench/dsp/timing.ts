/**
 * Timing of small functions beside each other: rounds in which every contender runs a few
 * milliseconds, so that a slow minute of the machine is slow for all of them, and the median of the
 * rounds.
 */

export interface Contender {
  name: string
  run(): void
}

const ROUNDS = 41
const ROUND_MS = 3

/** Median nanoseconds of one run, by name. */
export function medianNs(contenders: readonly Contender[]): ReadonlyMap<string, number> {
  const repeats = contenders.map(warmUp)
  const rounds = contenders.map(() => new Float64Array(ROUNDS))
  for (let round = 0; round < ROUNDS; round++) {
    contenders.forEach((contender, i) => {
      const times = repeats[i] ?? 1
      const startedMs = performance.now()
      for (let n = 0; n < times; n++) contender.run()
      rounds[i]![round] = ((performance.now() - startedMs) * 1e6) / times
    })
  }
  return new Map(
    contenders.map(({ name }, i) => [name, rounds[i]!.sort()[ROUNDS >> 1] ?? 0] as const),
  )
}

/** On a busy machine the optimising compiler's thread waits for its turn. */
const COMPILE_MS = 200
const COUNT_MS = 20

/** Runs until compiled, and returns how often it runs in a round. */
function warmUp(contender: Contender): number {
  const startedMs = performance.now()
  while (performance.now() - startedMs < COMPILE_MS) contender.run()
  const countedMs = performance.now()
  let runs = 0
  while (performance.now() - countedMs < COUNT_MS) {
    contender.run()
    runs++
  }
  return Math.max(1, Math.round((runs * ROUND_MS) / COUNT_MS))
}
