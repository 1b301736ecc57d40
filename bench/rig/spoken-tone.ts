/** Utterances as plain tones, whose pitch says which one it is: the same audio always gives the same words. Pure. */
const LOWEST_HZ = 300
const STEP_HZ = 60
/** 300…3 900 Hz. */
export const TONES = 61

export function phraseOf(index: number): string {
  return `frase ${index} fin`
}

/** What emulated ears write for a tone. */
export function textOfTone({ hz }: { hz: number }): string {
  return phraseOf(Math.round((hz - LOWEST_HZ) / STEP_HZ))
}

const made = new Map<string, Int16Array>()

/** 20 ms of utterance `index` (0 … TONES - 1), from `fromMs` within it, at 16 kHz unless said. Shared: do not write to it. */
export function toneFrame(index: number, fromMs: number, rateHz = 16_000): Int16Array {
  const key = `${index} ${fromMs} ${rateHz}`
  const known = made.get(key)
  if (known !== undefined) return known
  const hz = LOWEST_HZ + STEP_HZ * index
  const frame = Int16Array.from({ length: rateHz / 50 }, (_, i) =>
    Math.round(6_000 * Math.sin((2 * Math.PI * hz * ((fromMs * rateHz) / 1_000 + i)) / rateHz)),
  )
  made.set(key, frame)
  return frame
}
