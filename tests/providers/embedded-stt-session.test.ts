/** When a call's ear wishes for a partial: its desk only writes down what is asked, and grants what the test grants. */
import { describe, expect, it } from 'vitest'
import {
  EmbeddedSttSession,
  type RecognitionDesk,
  type RecognitionJob,
} from '../../server/providers/embedded-stt-session.ts'
import { NO_STT_EVENTS, STT_OPTIONS } from './doubles.ts'

const FRAME = new Int16Array(320)

function setUp() {
  /** Audio time of each wish: 20 ms a frame, the end of the frame that it came with. */
  const wishesMs: number[] = []
  let atMs = 0
  const desk: RecognitionDesk = {
    wishPartial: () => wishesMs.push(atMs),
    recogniseFinal: () => undefined,
    forget: () => undefined,
  }
  const options = { ...STT_OPTIONS, speechLanguage: 'es' } as const
  const session = new EmbeddedSttSession(options, NO_STT_EVENTS, desk)
  const push = (ms: number): void => {
    for (let spentMs = 0; spentMs < ms; spentMs += 20) {
      atMs += 20
      session.push(FRAME, atMs - 20)
    }
  }
  /** The partial that was wished for last begins to run. */
  const granted = (): RecognitionJob => session.takePartial()!
  push(1_000)
  session.speechStarted(1_000)
  return { session, wishesMs, push, granted }
}

describe('wishes for partials', () => {
  it('come when 500 ms of an utterance are there, 300 of them from before its onset, and 600 ms later', () => {
    const { wishesMs, push, granted } = setUp()
    push(200)
    expect(wishesMs).toEqual([1_200])
    expect(granted().audio.pcm).toHaveLength(16 * 500)
    push(580)
    expect(wishesMs).toEqual([1_200])
    push(20)
    expect(wishesMs).toEqual([1_200, 1_800])
  })

  it('come again 20 ms after the partial was given up for a final, for all the audio there is then', () => {
    const { session, wishesMs, push, granted } = setUp()
    push(200)
    const job = granted()
    push(100)
    session.gaveUp(job)
    expect(wishesMs).toEqual([1_200])
    push(20)
    expect(wishesMs).toEqual([1_200, 1_320])
    expect(granted().audio.pcm).toHaveLength(16 * 620)
    push(580)
    expect(wishesMs).toHaveLength(2)
  })

  it('do not come sooner for a partial of an earlier utterance that was given up', () => {
    const { session, wishesMs, push, granted } = setUp()
    push(200)
    const job = granted()
    session.speechEnded(1_200)
    push(1_000)
    session.speechStarted(2_200)
    push(200)
    expect(wishesMs).toEqual([1_200, 2_400])
    granted()
    session.gaveUp(job)
    push(580)
    expect(wishesMs).toEqual([1_200, 2_400])
  })
})
