/**
 * The Speech SDK keeps what it has handed over: every chunk of a sentence until its end, then all of them once more in one piece,
 * for a result that nobody here reads.
 *
 *   chunk ─┬─► synthesizing ─► AzureSentence        (its only owner)
 *          └─► the SDK's stream ─► result.audioData  ✗ not filled
 *
 * That doubles the memory of every sentence that waits to be played. This reaches into the SDK (version 1.52, pinned): where its
 * inside is not as expected nothing is changed, and the SDK works as it came.
 */
import { hasText } from './azure-sdk-guard.ts'

/** `SynthesisTurn` of the SDK, as far as it keeps audio. */
export interface SynthesisTurnInside {
  prototype: Record<string, unknown>
}

/** @returns whether the SDK now keeps no audio. */
export function keepNoAudio({ prototype }: SynthesisTurnInside): boolean {
  const received = prototype['onAudioChunkReceived']
  const isKnown = hasText(received, 'this.privAudioOutputStream.write(data)')
  // What else it does is to time the first byte and to fill a file or a loudspeaker: we have neither.
  if (isKnown) prototype['onAudioChunkReceived'] = () => undefined
  return isKnown
}
