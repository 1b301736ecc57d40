import { describe, expect, it } from 'vitest'
import { Endpointing, waitBounds, waitMs } from '../../server/conversation/endpointing.ts'

const SETTINGS = { language: 'es-MX', silenceTimeoutMs: 500 }
const DONE = 'Quiero una cita para el martes.'
const OPEN = 'Quiero una cita y.'

const bounds = (silenceTimeoutMs: number) => waitBounds({ silenceTimeoutMs })

/** Speech of 1 s, its end seen by the VAD 200 ms later. */
function spoken(): Endpointing {
  const endpointing = new Endpointing(SETTINGS)
  endpointing.speechStarted(1_000)
  endpointing.speechEnded(2_000)
  return endpointing
}

/** The audio time of the first decision other than to wait, in steps of 20 ms. */
function decidedMs(endpointing: Endpointing, fromMs: number): number | null {
  for (let atMs = fromMs; atMs < fromMs + 10_000; atMs += 20) {
    if (endpointing.decide(atMs).kind !== 'wait') return atMs
  }
  return null
}

describe('endpointing', () => {
  it('waits 300, 500 and 1500 ms with a silence timeout of 500 ms, by completeness', () => {
    expect(waitBounds(SETTINGS)).toEqual({ minMs: 300, midMs: 500, maxMs: 1_500 })
    expect([0.95, 0.8, 0.6, 0.5, 0.15].map((p) => waitMs(p, bounds(500), 0))).toEqual([
      300, 300, 500, 500, 1_500,
    ])
  })

  it('waits 420, 700 and 2100 ms with 700 ms, and at most 2500 ms with 1000 ms', () => {
    expect([0.85, 0.5, 0.1].map((p) => waitMs(p, bounds(700), 0))).toEqual([420, 700, 2_100])
    expect([0.85, 0.5, 0.1].map((p) => waitMs(p, bounds(1_000), 0))).toEqual([600, 1_000, 2_500])
  })

  it('never waits longer for a more complete sentence', () => {
    for (const timeoutMs of [100, 500, 700, 2_000, 5_000]) {
      const waits = Array.from({ length: 21 }, (_, i) => waitMs(i / 20, bounds(timeoutMs), 0))
      expect(waits).toEqual(waits.toSorted((a, b) => b - a))
    }
  })

  it('ends a closed sentence 300 ms after the last voiced sample', () => {
    const endpointing = spoken()
    endpointing.transcript({ text: DONE, isFinal: true, endMs: 2_000 }, 2_100)
    expect(decidedMs(endpointing, 2_200)).toBe(2_300)
  })

  it('ends an open sentence after 1500 ms', () => {
    const endpointing = spoken()
    endpointing.transcript({ text: OPEN, isFinal: true, endMs: 2_000 }, 2_100)
    expect(decidedMs(endpointing, 2_200)).toBe(3_500)
  })

  it('does not end the turn in a 900 ms pause inside a phone number', () => {
    const endpointing = spoken()
    endpointing.transcript({ text: 'Mi número es 55 12', isFinal: true, endMs: 2_000 }, 2_100)
    expect(endpointing.decide(2_900).kind).toBe('wait')
    endpointing.speechStarted(2_900)
    expect(endpointing.decide(5_000).kind).toBe('wait')
  })

  it('ends at once when the final comes after the wait, and says how long it waited for it', () => {
    const endpointing = spoken()
    expect(endpointing.decide(3_000).kind).toBe('wait')
    endpointing.transcript({ text: DONE, isFinal: true, endMs: 2_000 }, 3_000)
    expect(endpointing.decide(3_000)).toEqual({
      kind: 'commit',
      startMs: 1_000,
      speechEndMs: 2_000,
      dueMs: 2_300,
    })
  })

  it('gives up 2500 ms after speech when no transcript arrives', () => {
    const endpointing = spoken()
    expect(decidedMs(endpointing, 2_200)).toBe(4_500)
    expect(endpointing.pending).toBe(false)
  })

  it('ends with the partial 2500 ms after speech when no final arrives', () => {
    const endpointing = spoken()
    endpointing.transcript({ text: 'quiero una cita para', isFinal: false, endMs: 1_900 }, 2_100)
    expect(decidedMs(endpointing, 2_200)).toBe(4_500)
  })

  it('ends early on a partial that sounds complete and has not changed for 20 ms', () => {
    const endpointing = spoken()
    endpointing.transcript({ text: DONE, isFinal: false, endMs: 2_000 }, 2_200)
    expect(decidedMs(endpointing, 2_220)).toBe(2_300)
    const late = spoken()
    late.transcript({ text: DONE, isFinal: false, endMs: 2_000 }, 2_280)
    expect(decidedMs(late, 2_280)).toBe(2_300)
  })

  it('does not end early on a partial that ends 260 ms before the last voiced sample', () => {
    const endpointing = spoken()
    endpointing.transcript({ text: DONE, isFinal: false, endMs: 1_740 }, 2_000)
    expect(endpointing.decide(4_000).kind).toBe('wait')
    endpointing.transcript({ text: DONE, isFinal: true, endMs: 2_000 }, 4_000)
    expect(endpointing.decide(4_000).kind).toBe('commit')
  })

  it('does not take the late final of the speech before for that of the last speech', () => {
    const endpointing = spoken()
    endpointing.speechStarted(2_600)
    endpointing.speechEnded(3_600)
    endpointing.transcript({ text: DONE, isFinal: true, endMs: 2_000 }, 3_800)
    expect(endpointing.decide(5_000).kind).toBe('wait')
  })

  it('waits for the transcript of speech that came after the last final', () => {
    const endpointing = spoken()
    endpointing.transcript({ text: DONE, isFinal: true, endMs: 2_000 }, 2_100)
    endpointing.speechStarted(2_150)
    endpointing.speechEnded(3_000)
    expect(endpointing.decide(3_600).kind).toBe('wait')
    endpointing.transcript({ text: `${DONE} Por la tarde.`, isFinal: true, endMs: 3_000 }, 3_700)
    expect(endpointing.decide(3_700).kind).toBe('commit')
  })

  it('does not wait for the transcript of a cough of 100 ms after the final', () => {
    const endpointing = spoken()
    endpointing.transcript({ text: DONE, isFinal: true, endMs: 2_000 }, 2_100)
    endpointing.speechStarted(2_500)
    endpointing.speechEnded(2_600)
    expect(decidedMs(endpointing, 2_800)).toBe(2_900)
  })

  it('ends the turn when the VAD hangs on noise for 2500 ms after the final', () => {
    const endpointing = new Endpointing(SETTINGS)
    endpointing.speechStarted(1_000)
    endpointing.transcript({ text: DONE, isFinal: true, endMs: 2_000 }, 2_400)
    expect(decidedMs(endpointing, 2_400)).toBe(4_900)
  })

  it('takes words that the VAD did not notice', () => {
    const endpointing = new Endpointing(SETTINGS)
    endpointing.transcript({ text: DONE, isFinal: true, endMs: 2_000 }, 2_600)
    expect(endpointing.decide(2_600).kind).toBe('commit')
  })

  it('learns a longer minimum from pauses of 400 ms inside turns, up to the silence timeout', () => {
    const endpointing = new Endpointing(SETTINGS)
    for (let i = 0; i < 10; i++) endpointing.learnPause(400)
    expect(endpointing.floorMs).toBeGreaterThan(440)
    for (let i = 0; i < 10; i++) endpointing.learnPause(2_000)
    expect(endpointing.floorMs).toBe(500)
    endpointing.learnPause(9_000)
    expect(endpointing.floorMs).toBe(500)
  })

  it('ends a complete turn inside the hangover, 240 ms after the last voiced sample', () => {
    const endpointing = new Endpointing({ ...SETTINGS, endpointingMinMs: 240 })
    endpointing.speechStarted(1_000)
    const frame = { pitchHz: 0, voicedLevelDbfs: 0, lastVoicedMs: 2_000 }
    endpointing.transcript({ text: 'Sí, claro.', isFinal: false, endMs: 1_980 }, 2_100)
    for (let atMs = 2_020; atMs < 2_240; atMs += 20) {
      endpointing.frame(frame)
      expect(endpointing.decide(atMs).kind).toBe('wait')
    }
    expect(endpointing.decide(2_240)).toMatchObject({ kind: 'commit', speechEndMs: 2_000 })
    endpointing.reset()
    expect(endpointing.speaking).toBe(false)
    expect(endpointing.frame(frame)).toBe(false)
    expect(endpointing.frame({ ...frame, lastVoicedMs: 2_260 })).toBe(true)
  })
})
