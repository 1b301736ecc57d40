import { describe, expect, it } from 'vitest'
import { LineClock } from '../../server/media/line-clock.ts'

describe('line clock', () => {
  it('is due until 140 ms lie ahead, and again 20 ms later', () => {
    const clock = new LineClock()
    for (let sent = 0; sent < 7; sent++) {
      expect(clock.due(500)).toBe(true)
      clock.sent(500, 0)
    }
    expect([clock.due(500), clock.due(519), clock.due(520)]).toEqual([false, false, true])
    expect(clock.busyUntilMs).toBe(640)
  })

  it('runs dry when its last frame has ended, not before', () => {
    const clock = new LineClock()
    clock.sent(500, 20)
    expect([clock.dry(519), clock.dry(520)]).toEqual([false, true])
  })

  it('counts a frame by the clock: 5 of 20 ms after 5 ms', () => {
    const clock = new LineClock()
    clock.sent(500, 20)
    clock.sent(500, 40)
    expect([500, 505, 520, 530, 540, 900].map((at) => clock.playedAgentMs(at))).toEqual([
      0, 5, 20, 30, 40, 40,
    ])
  })

  it('counts 0 ms for a frame of bed between two frames of voice', () => {
    const clock = new LineClock()
    clock.sent(0, 20)
    clock.sent(0, 20)
    clock.sent(0, 40)
    expect([20, 30, 40, 50, 60].map((at) => clock.playedAgentMs(at))).toEqual([20, 20, 20, 30, 40])
  })

  it('begins at 0 after clear()', () => {
    const clock = new LineClock()
    clock.sent(500, 20)
    clock.clear()
    expect([clock.playedAgentMs(600), clock.due(500), clock.dry(500)]).toEqual([0, true, true])
  })
})
