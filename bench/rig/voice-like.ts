/**
 * Audio that is speech to whoever measures energy and pitch: a harmonic tone in syllables, made once and cut to length.
 * It costs nothing per sentence, which is what an emulator of hundreds of calls needs.
 */
const CANNED_SEC = 20
const MS_PER_CHARACTER = 65
const SYLLABLE_MS = 180

const canned = new Map<number, Int16Array>()

/** Mono, 65 ms per character, at most 20 s. A view of shared samples: do not write to it. */
export function voiceLike(text: string, rateHz: number): Int16Array {
  const made = canned.get(rateHz) ?? record(rateHz)
  const samples = Math.max(0.2, (text.length * MS_PER_CHARACTER) / 1_000) * rateHz
  return made.subarray(0, Math.min(made.length, Math.round(samples)))
}

function record(rateHz: number): Int16Array {
  const pcm = new Int16Array(CANNED_SEC * rateHz)
  canned.set(rateHz, pcm)
  let phase = 0
  for (let i = 0; i < pcm.length; i++) {
    const atMs = (i * 1_000) / rateHz
    const hz = 170 + 40 * Math.sin((2 * Math.PI * atMs) / 900)
    phase += (2 * Math.PI * hz) / rateHz
    const envelope = Math.sin((Math.PI * (atMs % SYLLABLE_MS)) / SYLLABLE_MS) ** 0.5
    const tone = Math.sin(phase) + 0.6 * Math.sin(2 * phase) + 0.4 * Math.sin(5 * phase)
    pcm[i] = Math.round(5_000 * envelope * tone)
  }
  return pcm
}
