import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { OwedGuard } from '../../server/providers/owed-guard.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function guard() {
  let stalls = 0
  const owed = new OwedGuard({ firstMs: 1_000, gapMs: 300 }, () => stalls++)
  return { owed, stalls: () => stalls }
}

describe('the limits of a voice that waits for text', () => {
  it('run from the end of the text: 1000 ms to the first audio', () => {
    const { owed, stalls } = guard()
    vi.advanceTimersByTime(60_000)
    owed.owe()
    owed.owe()
    vi.advanceTimersByTime(999)
    expect(stalls()).toBe(0)
    vi.advanceTimersByTime(1)
    expect([stalls(), owed.stalled]).toEqual([1, 'first'])
  })

  it('are 300 ms from there when audio has come before', () => {
    const { owed, stalls } = guard()
    owed.progress()
    vi.advanceTimersByTime(60_000)
    owed.owe()
    vi.advanceTimersByTime(299)
    owed.progress()
    vi.advanceTimersByTime(299)
    expect(stalls()).toBe(0)
    vi.advanceTimersByTime(1)
    expect([stalls(), owed.stalled]).toEqual([1, 'gap'])
  })

  it('rest while the receiver is busy, and end with stop()', () => {
    const { owed, stalls } = guard()
    owed.owe()
    owed.pause()
    vi.advanceTimersByTime(60_000)
    owed.progress()
    owed.stop()
    vi.advanceTimersByTime(60_000)
    const late = guard()
    late.owed.stop()
    late.owed.owe()
    vi.advanceTimersByTime(60_000)
    expect([stalls(), late.stalls()]).toEqual([0, 0])
  })
})
