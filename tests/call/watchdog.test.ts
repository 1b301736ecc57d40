import { describe, expect, it } from 'vitest'
import { Watchdog } from '../../server/call/watchdog.ts'

describe('watchdog: media', () => {
  it('ends a call as noMedia 15 s after its last payload, not 1 ms earlier', () => {
    const dog = new Watchdog(1_000)
    dog.mediaSeen(2_000)
    expect(dog.check(16_999, 0)).toBeNull()
    expect(dog.check(17_000, 0)).toBe('noMedia')
  })

  it('ends a call that never brought a payload 15 s after it was opened', () => {
    const dog = new Watchdog(1_000)
    expect(dog.check(15_999, 0)).toBeNull()
    expect(dog.check(16_000, 0)).toBe('noMedia')
  })

  it('lets a call of an hour live whose payloads come every 20 ms', () => {
    const dog = new Watchdog(0)
    for (let nowMs = 0; nowMs <= 3_600_000; nowMs += 20) {
      dog.mediaSeen(nowMs)
      if (dog.check(nowMs, 0) !== null) expect.unreachable(`ended at ${nowMs} ms`)
    }
  })
})

describe('watchdog: a half-dead socket', () => {
  /** Checks every 5 ms with media coming; `bytes(ms)` is what the socket holds back. */
  function watch(bytes: (nowMs: number) => number, untilMs = 20_000): string | null {
    const dog = new Watchdog(0)
    for (let nowMs = 0; nowMs <= untilMs; nowMs += 5) {
      dog.mediaSeen(nowMs)
      const reason = dog.check(nowMs, bytes(nowMs))
      if (reason) return `${reason} at ${nowMs}`
    }
    return null
  }

  it('ends a call as socketStalled after 5 s in which the socket took nothing', () => {
    expect(watch((nowMs) => (nowMs < 1_000 ? 0 : 300))).toBe('socketStalled at 6000')
  })

  it('ends it after the same 5 s while we go on adding 300 bytes every 20 ms', () => {
    expect(watch((nowMs) => (nowMs < 1_000 ? 0 : Math.floor(nowMs / 20) * 300))).toBe(
      'socketStalled at 6000',
    )
  })

  it('lets a slow socket live that takes less than we add, but takes something every 4 s', () => {
    expect(watch((nowMs) => 10_000 + nowMs - (nowMs % 4_000 < 5 ? 2_000 : 0))).toBeNull()
  })

  it('begins to count anew when the socket has emptied', () => {
    expect(watch((nowMs) => (nowMs % 4_990 === 0 ? 0 : 300))).toBeNull()
  })

  it('names the stalled socket when media has stopped as well', () => {
    const dog = new Watchdog(0)
    dog.check(0, 300)
    expect(dog.check(15_000, 300)).toBe('socketStalled')
  })
})
