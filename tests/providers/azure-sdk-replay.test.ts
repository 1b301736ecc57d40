/** The memory of audio that the recogniser has confirmed: it comes back from the SDK installed. */
import { describe, expect, it } from 'vitest'
import { sparePieces } from '../../server/providers/azure-audio.ts'
import { loadAzureSdk } from '../../server/providers/azure-sdk.ts'
import { giveBackConfirmed } from '../../server/providers/azure-sdk-replay.ts'

const PIECE_BYTES = 3_200
const TICKS_PER_PIECE = 1_000_000

interface Node {
  read(): Promise<unknown>
  shrinkBuffers(offset: number): void
}

/** The SDK's own replay of a recognition whose audio is `pieces`. */
async function replayOf(pieces: ArrayBuffer[]): Promise<Node> {
  await loadAzureSdk()
  const file: string =
    'microsoft-cognitiveservices-speech-sdk/distrib/lib/src/common.browser/ReplayableAudioNode.js'
  const { ReplayableAudioNode } = (await import(file)) as {
    ReplayableAudioNode: new (source: unknown, bytesPerSecond: number) => Node
  }
  const waiting = [...pieces]
  const read = (): Promise<unknown> => Promise.resolve({ buffer: waiting.shift(), isEnd: false })
  const node = new ReplayableAudioNode({ read }, PIECE_BYTES * 10)
  for (let i = 0; i < pieces.length; i++) await node.read()
  return node
}

const piecesOf = (count: number) =>
  Array.from({ length: count }, () => new ArrayBuffer(PIECE_BYTES))

describe('audio that a final has confirmed', () => {
  it('comes back to be used again, each piece once: 12 of 30, then 8 more', async () => {
    const pieces = piecesOf(30)
    const node = await replayOf(pieces)
    const before = sparePieces.count
    node.shrinkBuffers(12 * TICKS_PER_PIECE)
    expect(sparePieces.count - before).toBe(12)
    node.shrinkBuffers(20.5 * TICKS_PER_PIECE)
    expect(sparePieces.count - before).toBe(20)
    const taken = Array.from({ length: 20 }, () => sparePieces.take())
    expect(new Set(taken)).toEqual(new Set(pieces.slice(0, 20)))
  })

  it('stays with the SDK where it was read in the last second, though the service confirms all of it', async () => {
    const node = await replayOf(piecesOf(30))
    const before = sparePieces.count
    node.shrinkBuffers(100 * TICKS_PER_PIECE)
    expect(sparePieces.count - before).toBe(20)
  })

  it('is left to an SDK with another inside', () => {
    const shrinkBuffers = (): string => 'another'
    const prototype = { shrinkBuffers }
    expect(giveBackConfirmed({ prototype }, () => undefined)).toBe(false)
    expect(prototype.shrinkBuffers).toBe(shrinkBuffers)
  })
})
