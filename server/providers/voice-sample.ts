/** A sentence in a voice, whole: for hearing voices before choosing one. */
import type { TtsProvider, Voice } from './tts.ts'

const SAMPLE_MS = 15_000

/** @throws ProviderError when no voice can speak */
export async function speakSample(
  tts: TtsProvider,
  text: string,
  voice: Voice,
): Promise<{ pcm: Int16Array; sampleRateHz: number }> {
  const chunks: Int16Array[] = []
  const signal = AbortSignal.timeout(SAMPLE_MS)
  for await (const event of tts.synthesize({ callId: '', text, voice }, signal)) {
    if (event.kind === 'audio') chunks.push(event.pcm)
  }
  const pcm = new Int16Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    pcm.set(chunk, at)
    at += chunk.length
  }
  return { pcm, sampleRateHz: tts.sampleRateHz }
}
