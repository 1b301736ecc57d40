import { describe, expect, it } from 'vitest'
import { encodePcmu } from '../../bench/rig/mulaw.ts'
import { PlayedLevel } from '../../server/media/played-level.ts'

const tone = (amplitude: number) =>
  Int16Array.from({ length: 160 }, (_, i) => Math.round(amplitude * Math.sin(i * 0.7)))

const LOUD = encodePcmu(tone(10_362))
const SOFT = encodePcmu(tone(1_000))

/** Four frames that leave at 1 000 ms, to be played one after the other: soft, loud, soft, soft. */
function burst(): PlayedLevel {
  const level = new PlayedLevel({ codec: 'PCMU', sampleRateHz: 8_000 })
  for (const [i, payload] of [SOFT, LOUD, SOFT, SOFT].entries()) level.sent(payload, 1_020 + i * 20)
  return level
}

describe('played level', () => {
  it('is that of each frame while the line plays it, not when it was sent: −34, −13, −34 dBFS, then −90', () => {
    const level = burst()
    const heard = [1_015, 1_035, 1_055, 1_075, 1_095, 1_115].map((atMs) =>
      Math.round(level.playedDbfs(atMs)),
    )
    expect(heard).toEqual([-34, -13, -34, -34, -90, -90])
  })

  it('tells the loudest frame of 60 ms in which nobody asked, and the one that plays when it is asked twice at once', () => {
    const level = burst()
    expect(Math.round(level.playedDbfs(1_055))).toBe(-13)
    expect(Math.round(level.playedDbfs(1_055))).toBe(-34)
  })

  it('forgets what was cleared before it began, not the frame that plays', () => {
    const level = burst()
    level.cleared(1_005)
    expect([1_015, 1_035, 1_055].map((atMs) => Math.round(level.playedDbfs(atMs)))).toEqual([
      -34, -90, -90,
    ])
  })

  it('reads L16 as little-endian', () => {
    const level = new PlayedLevel({ codec: 'L16', sampleRateHz: 8_000 })
    level.sent(new Uint8Array(tone(10_362).buffer), 1_020)
    expect(level.playedDbfs(1_015)).toBeCloseTo(-13, 0)
  })
})
