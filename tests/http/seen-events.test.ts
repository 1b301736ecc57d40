import { describe, expect, it } from 'vitest'
import { SeenEvents } from '../../server/http/seen-events.ts'
import { heldBytes } from '../support/held-bytes.ts'

describe('seen events', () => {
  it('are seen for the first time once, whole: neither one part nor the parts in another order is the same event', () => {
    const seen = new SeenEvents()
    expect([seen.first('CA1', '0', 'ringing'), seen.first('CA1', '0', 'ringing')]).toEqual([
      true,
      false,
    ])
    expect([seen.first('CA1'), seen.first('0', 'CA1', 'ringing')]).toEqual([true, true])
  })

  it('are forgotten when twice as many as the limit have come since, and not before as many as it have', () => {
    const seen = new SeenEvents(3)
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) seen.first(id)
    expect([seen.first('e'), seen.first('g'), seen.first('a')]).toEqual([false, false, true])
  })

  it('hold less than 5 bytes each when they have three parts, as a report of Twilio has', () => {
    const seen = new SeenEvents()
    const report = (from: number, to: number): void => {
      for (let i = from; i < to; i++) {
        // As a form has them: copies of their own.
        const [callSid = '', status = ''] = [`CA${String(i).padStart(32, '0')}`, 'completed'].map(
          (part) => Buffer.from(part).toString(),
        )
        seen.first(callSid, '0', status)
      }
    }
    report(0, 10_000)
    const before = heldBytes()
    report(10_000, 110_000)
    expect((heldBytes() - before) / 100_000).toBeLessThan(5)
    expect(seen.size).toBe(60_000)
  })
})
