/** The memory of audio that the recogniser has confirmed: it comes back from the SDK installed. */
import { describe, expect, it } from 'vitest'
import { sparePieces } from '../../server/providers/azure-audio.ts'
import { loadAzureSdk } from '../../server/providers/azure-sdk.ts'
import { giveBackConfirmed } from '../../server/providers/azure-sdk-replay.ts'
import { SpareAudio } from '../../server/providers/spare-audio.ts'

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
    const taken = Array.from({ length: 20 }, () => sparePieces.take().buffer)
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

describe('spare audio', () => {
  it('keeps 2 pieces of its own length at most, and makes new ones when it has none', () => {
    const spare = new SpareAudio({ samples: 160, most: 2 })
    const given = [new ArrayBuffer(320), new ArrayBuffer(640), new ArrayBuffer(320)]
    for (const buffer of [...given, new ArrayBuffer(320)]) spare.give(buffer)
    expect(spare.count).toBe(2)
    const taken = [spare.take(), spare.take(), spare.take()]
    expect(new Set(taken.slice(0, 2).map(({ buffer }) => buffer))).toEqual(
      new Set([given[0], given[2]]),
    )
    expect([taken[2]!.length, taken[2]!.every((sample) => sample === 0)]).toEqual([160, true])
  })
})
