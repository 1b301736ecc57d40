import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { SeenEvents } from '../../server/http/seen-events.ts'

describe('seen events', () => {
  it('are seen for the first time once, whole: neither one part nor the parts in another order is the same event', () => {
    const seen = new SeenEvents()
    expect([seen.first('CA1', '0', 'ringing'), seen.first('CA1', '0', 'ringing')]).toEqual([
      true,
      false,
    ])
    expect([seen.first('CA1'), seen.first('0', 'CA1', 'ringing')]).toEqual([true, true])
  })

  it('are at most 3, the oldest goes first', () => {
    const seen = new SeenEvents(3)
    for (const id of ['a', 'b', 'c', 'd']) seen.first(id)
    expect(seen.size).toBe(3)
    expect([seen.first('b'), seen.first('a')]).toEqual([false, true])
  })

  it('hold less than 150 bytes each when they have three parts, as a report of Twilio has', () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const held = (): number => {
      collect()
      return process.memoryUsage().heapUsed
    }
    const count = 20_000
    const before = held()
    const seen = new SeenEvents(count)
    for (let i = 0; i < count; i++) {
      // As a form has them: copies of their own.
      const [callSid = '', status = ''] = [`CA${String(i).padStart(32, '0')}`, 'completed'].map(
        (part) => Buffer.from(part).toString(),
      )
      seen.first(callSid, '0', status)
    }
    expect((held() - before) / count).toBeLessThan(150)
    expect(seen.size).toBe(count)
  })
})
