/** Figures of a detector over labelled frames: 1 speech, 0 none, anything else is left out. */

/** Highest threshold at which at most `rate` of the silent frames lie at or above it. */
export function falseRateThreshold(scores: Float64Array, labels: Int8Array, rate: number): number {
  const silent = scores.filter((_, i) => labels[i] === 0).sort()
  const allowed = Math.floor(silent.length * rate)
  return silent[silent.length - 1 - allowed] ?? 1
}

/** Share of the speech frames above the threshold. */
export function truePositives(scores: Float64Array, labels: Int8Array, threshold: number): number {
  let found = 0
  let all = 0
  for (let i = 0; i < scores.length; i++) {
    if (labels[i] !== 1) continue
    all++
    if (scores[i]! > threshold) found++
  }
  return found / all
}

/** Area under the curve: the chance that a speech frame scores above a silent one; ties are half. */
export function areaUnderCurve(scores: Float64Array, labels: Int8Array): number {
  const speech = scores.filter((_, i) => labels[i] === 1).sort()
  const silent = scores.filter((_, i) => labels[i] === 0).sort()
  let below = 0
  let upTo = 0
  let wins = 0
  for (const value of speech) {
    while (below < silent.length && silent[below]! < value) below++
    if (upTo < below) upTo = below
    while (upTo < silent.length && silent[upTo]! <= value) upTo++
    wins += below + 0.5 * (upTo - below)
  }
  return wins / speech.length / silent.length
}

/** The value below which `share` of the list lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}
