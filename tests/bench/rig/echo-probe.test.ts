import { describe, expect, it } from 'vitest'
import { EchoProbe } from '../../../bench/rig/echo-probe.ts'
import { ToneCode } from '../../../bench/rig/tone-code.ts'

const CODE = new ToneCode(1)
const SILENCE = Buffer.alloc(160, 0xff)

/**
 * Sends `count` frames through `line` (which returns what arrives in that frame's place) with a
 * delay of 30 ms.
 */
function run(count: number, line: (frame: Buffer, index: number) => Buffer[], warmUpFrames = 0) {
  const probe = new EchoProbe(CODE, { callIndex: 3, codeFrames: count, warmUpFrames })
  let arrived = 0
  for (let index = 0; index < count + 100; index++) {
    const frame = Buffer.from(probe.frame(index, index * 20).toString('latin1'), 'base64')
    for (const payload of line(frame, index)) probe.receive(payload, arrived++ * 20 + 30)
  }
  return probe.finish()
}

describe('echo probe', () => {
  it('finds all 500 frames of a clean echo again, each 30 ms late', () => {
    const result = run(500, (frame) => [frame])
    expect(result).toMatchObject({ sent: 500, matched: 500, lost: 0, damaged: 0, holes: 0 })
    expect(result.delaysMs.every((delay) => delay === 30)).toBe(true)
  })

  it('counts 3 lost frames although silence fills their places', () => {
    const lost = new Set([120, 300, 301])
    const result = run(500, (frame, index) => [lost.has(index) ? SILENCE : frame])
    expect(result).toMatchObject({ matched: 497, lost: 3, repeated: 0, holes: 3 })
  })

  it('counts a frame that is skipped without a filler as lost', () => {
    const result = run(500, (frame, index) => (index === 200 ? [] : [frame]))
    expect(result).toMatchObject({ matched: 499, lost: 1, holes: 0 })
  })

  it('sees the delay of the frames behind a silent frame that was put between them', () => {
    const result = run(200, (frame, index) => (index === 150 ? [SILENCE, frame] : [frame]))
    expect(result).toMatchObject({ matched: 200, lost: 0, holes: 1 })
    expect(result.delaysMs.at(-1)).toBe(50)
  })

  it('keeps the delays of the 400 frames behind a warm-up of 100, and counts a frame lost in it', () => {
    const result = run(500, (frame, index) => (index === 90 ? [SILENCE] : [frame]), 100)
    expect(result).toMatchObject({ matched: 499, lost: 1 })
    expect(result.delaysMs).toHaveLength(400)
  })

  it.each([20, 60, 80, 100, 140])('matches an echo that is shifted by %i samples', (shift) => {
    let before: Buffer = SILENCE
    const result = run(300, (frame) => {
      const joined = Buffer.concat([before, frame])
      before = frame
      return [joined.subarray(160 - shift, 320 - shift)]
    })
    expect(result).toMatchObject({ matched: 300, lost: 0, damaged: 0 })
  })

  it('does not take the audio of another call for its own', () => {
    const other = new EchoProbe(CODE, { callIndex: 4, codeFrames: 200 })
    const result = run(200, (_, index) => {
      return [Buffer.from(other.frame(index, 0).toString('latin1'), 'base64')]
    })
    expect(result.matched).toBeLessThan(165)
    expect(result.lost + result.damaged).toBeGreaterThan(30)
  })
})
