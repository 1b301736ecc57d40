import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AzureAudio } from '../../server/providers/azure-audio.ts'
import type { FrameSound } from '../../server/providers/stt.ts'

const FRAME_MS = 20
const RATES = [8_000, 16_000] as const
type RateHz = (typeof RATES)[number]
const rates = fc.constantFrom(...RATES)
const frameSamples = (rateHz: RateHz): number => rateHz / 50
const QUIET: FrameSound = { levelDbfs: -70, probability: 0.01, speech: false }
const VOICE: FrameSound = { levelDbfs: -20, probability: 0.9, speech: true }

/** A sound or a quiet of so many frames, behind a gap of so many that the line left out; ticks of the clock behind it. */
interface Stretch {
  isVoice: boolean
  frames: number
  gapFrames: number
  ticks: number
}
const stretch: fc.Arbitrary<Stretch> = fc.record({
  isVoice: fc.boolean(),
  frames: fc.integer({ min: 1, max: 400 }),
  gapFrames: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 200 })),
  ticks: fc.integer({ min: 0, max: 3 }),
})

interface Sent {
  frame: number
  streamMs: number
}

/** Frames are numbered from 1 in their samples. */
function play(stretches: readonly Stretch[], rateHz: RateHz) {
  const pieces: Int16Array[] = []
  const tally = { sentMs: 0, heldMs: 0 }
  const audio = new AzureAudio({
    ...{ rateHz, silence: 'held', segmentationSilenceMs: 500 },
    tally: (sentMs, heldMs) => {
      tally.sentMs += sentMs
      tally.heldMs += heldMs
    },
  })
  audio.attach({ write: (exact) => void pieces.push(new Int16Array(exact)) })
  const voiced: number[] = []
  let pushed = 0
  let frame = 1
  for (const { isVoice, frames, gapFrames, ticks } of stretches) {
    frame += gapFrames
    for (let i = 0; i < frames; i++, frame++, pushed++) {
      const atMs = frame * FRAME_MS
      audio.push(new Int16Array(frameSamples(rateHz)).fill(frame), atMs, isVoice ? VOICE : QUIET)
      if (isVoice) voiced.push(frame)
    }
    for (let tick = 0; tick < ticks; tick++) audio.tick()
  }
  const sentMs = audio.sentMs
  audio.close()
  return { audio, pieces, voiced, pushed, sentMs, tally }
}

function framesOf(pieces: readonly Int16Array[], rateHz: RateHz): Sent[] {
  const sent: Sent[] = []
  pieces.forEach((piece, p) => {
    expect(piece).toHaveLength(rateHz / 10)
    for (let at = 0; at < piece.length; at += frameSamples(rateHz)) {
      const frame = piece[at]!
      if (frame !== 0) sent.push({ frame, streamMs: p * 100 + (at * 1_000) / rateHz })
    }
  })
  return sent
}

describe('audio of a recognition at Azure', () => {
  it('is sent in order and once at 8 and 16 kHz, with every frame that is heard and the 600 ms before, each at its time', () => {
    fc.assert(
      fc.property(
        rates,
        fc.array(stretch, { minLength: 1, maxLength: 12 }),
        (rateHz, stretches) => {
          const { audio, pieces, voiced, pushed, sentMs, tally } = play(stretches, rateHz)
          const sent = framesOf(pieces, rateHz)
          const numbers = sent.map(({ frame }) => frame)
          expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
          // The last piece is not full yet: up to four frames wait in it.
          const there = new Set(numbers)
          expect(voiced.slice(0, -4).filter((frame) => !there.has(frame))).toEqual([])
          for (const { frame, streamMs } of sent) {
            expect(audio.callMs(streamMs)).toBe(frame * FRAME_MS)
          }
          expect(tally.sentMs).toBe(sentMs)
          expect(pieces.length * 100).toBeGreaterThan(sentMs - 100)
          const silenceMs = sentMs - (pushed * FRAME_MS - tally.heldMs)
          expect(silenceMs).toBeGreaterThanOrEqual(0)
        },
      ),
    )
  })

  it.each(RATES)(
    'has 30 frames from before a sound behind a long quiet, and the first 125 of the call, at %i Hz',
    (rateHz) => {
      const { pieces } = play(
        [
          { isVoice: false, frames: 1_000, gapFrames: 0, ticks: 0 },
          { isVoice: true, frames: 50, gapFrames: 0, ticks: 0 },
        ],
        rateHz,
      )
      const numbers = framesOf(pieces, rateHz).map(({ frame }) => frame)
      expect(numbers.slice(0, 125)).toEqual(Array.from({ length: 125 }, (_, i) => i + 1))
      expect(numbers[125]).toBe(1_000 - 30 + 1)
      expect(numbers).toHaveLength(125 + 30 + 50)
    },
  )

  it('knows the times of the last 99 sounds of 150', () => {
    const { audio, pieces } = play(
      Array.from({ length: 300 }, (_, i) => ({
        ...{ isVoice: i % 2 === 1, frames: i % 2 === 1 ? 5 : 130, gapFrames: 0, ticks: 0 },
      })),
      8_000,
    )
    const sent = framesOf(pieces, 8_000)
    const fromFrame = (150 - 99) * 135
    const known = sent.filter(({ frame }) => frame > fromFrame)
    expect(known.length).toBeGreaterThan(10_000)
    expect(known.filter((one) => audio.callMs(one.streamMs) !== one.frame * FRAME_MS)).toEqual([])
  })
})
