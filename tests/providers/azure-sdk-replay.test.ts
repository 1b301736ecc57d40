/** The memory of audio that the recogniser has confirmed: it comes back from the SDK installed. */
import { describe, expect, it } from 'vitest'
import { sparePieces } from '../../server/providers/azure-audio.ts'
import { loadAzureSdk } from '../../server/providers/azure-sdk.ts'
import { giveBackConfirmed } from '../../server/providers/azure-sdk-replay.ts'

/** Of 100 ms. */
const RATES = [
  { rateHz: 8_000, bytes: 1_600 },
  { rateHz: 16_000, bytes: 3_200 },
] as const
const TICKS_PER_PIECE = 1_000_000

interface Node {
  read(): Promise<unknown>
  shrinkBuffers(offset: number): void
}

/** The SDK's own replay of a recognition whose audio is `pieces`. */
async function replayOf(pieces: ArrayBuffer[]): Promise<Node> {
  const bytesPerSecond = pieces[0]!.byteLength * 10
  await loadAzureSdk()
  const file: string =
    'microsoft-cognitiveservices-speech-sdk/distrib/lib/src/common.browser/ReplayableAudioNode.js'
  const { ReplayableAudioNode } = (await import(file)) as {
    ReplayableAudioNode: new (source: unknown, bytesPerSecond: number) => Node
  }
  const waiting = [...pieces]
  const read = (): Promise<unknown> => Promise.resolve({ buffer: waiting.shift(), isEnd: false })
  const node = new ReplayableAudioNode({ read }, bytesPerSecond)
  for (let i = 0; i < pieces.length; i++) await node.read()
  return node
}

const piecesOf = (count: number, bytes: number) =>
  Array.from({ length: count }, () => new ArrayBuffer(bytes))

describe('audio that a final has confirmed', () => {
  it.each(RATES)(
    'comes back to be used again at $rateHz Hz, each piece once: 12 of 30, then 8 more',
    async ({ rateHz, bytes }) => {
      const spare = sparePieces[rateHz]
      const pieces = piecesOf(30, bytes)
      const node = await replayOf(pieces)
      const before = spare.count
      node.shrinkBuffers(12 * TICKS_PER_PIECE)
      expect(spare.count - before).toBe(12)
      node.shrinkBuffers(20.5 * TICKS_PER_PIECE)
      expect(spare.count - before).toBe(20)
      const taken = Array.from({ length: 20 }, () => spare.take())
      expect(new Set(taken)).toEqual(new Set(pieces.slice(0, 20)))
    },
  )

  it.each(RATES)(
    'stays with the SDK where it was read in the last second, though the service confirms all of it: at $rateHz Hz',
    async ({ rateHz, bytes }) => {
      const spare = sparePieces[rateHz]
      const node = await replayOf(piecesOf(30, bytes))
      const before = spare.count
      node.shrinkBuffers(100 * TICKS_PER_PIECE)
      expect(spare.count - before).toBe(20)
    },
  )

  it('is left to an SDK with another inside', () => {
    const shrinkBuffers = (): string => 'another'
    const prototype = { shrinkBuffers }
    expect(giveBackConfirmed({ prototype }, () => undefined)).toBe(false)
    expect(prototype.shrinkBuffers).toBe(shrinkBuffers)
  })
})
