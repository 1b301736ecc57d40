/**
 * The Speech SDK keeps the audio that no final has confirmed, to send it again, and then lets go of it. The pieces are ours, and
 * here they come back.
 *
 *   azure-audio: a piece ─► the SDK's replay ─ a final confirms it ─► spare-memory ─► azure-audio: another piece
 *
 * This reaches into the SDK (version 1.52, pinned): where its inside is not as expected nothing is changed, and the garbage
 * collector gets the pieces.
 */
import { hasText } from './azure-sdk-guard.ts'

/** `ReplayableAudioNode` of the SDK, as far as it keeps audio. */
export interface ReplayInside {
  privBuffers?: { chunk: { buffer: ArrayBuffer } }[]
}

type Shrink = (this: ReplayInside, offset: number) => void

/**
 * What was read last may not have been sent yet, and a service that confirms audio that it has not been sent must not have it
 * overwritten with another call's: the last second stays the SDK's.
 */
const UNTOUCHED_PIECES = 10

/** @returns whether pieces come back. `give` gets each once. */
export function giveBackConfirmed(
  { prototype }: { prototype: Record<string, unknown> },
  give: (piece: ArrayBuffer) => void,
): boolean {
  const shrink = prototype['shrinkBuffers']
  if (!hasText<Shrink>(shrink, 'this.privBuffers = this.privBuffers.slice(i)')) return false
  prototype['shrinkBuffers'] = function (this: ReplayInside, offset: number): void {
    const before = this.privBuffers ?? []
    shrink.call(this, offset)
    const letGo = before.length - (this.privBuffers ?? []).length
    const ours = Math.min(letGo, before.length - UNTOUCHED_PIECES)
    for (let i = 0; i < ours; i++) give(before[i]!.chunk.buffer)
  }
  return true
}
