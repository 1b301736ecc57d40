import { describe, expect, it } from 'vitest'
import { OutboundPace } from '../../server/call/outbound-pace.ts'

describe('outbound pace', () => {
  it('lets 2 calls of a second begin; the 3rd waits exactly until the 1st is a second old', () => {
    const pace = new OutboundPace({ maxCalls: 100, callsPerSec: 2 })
    expect(pace.take(0, 0)).toEqual({ ok: true })
    expect(pace.take(1, 300)).toEqual({ ok: true })
    expect(pace.take(2, 400)).toEqual({ ok: false, reason: 'tooFast', waitMs: 600 })
    expect(pace.take(2, 999)).toMatchObject({ ok: false, waitMs: 1 })
    expect(pace.take(2, 1_000)).toEqual({ ok: true })
    expect(pace.take(3, 1_100)).toMatchObject({ ok: false, waitMs: 200 })
  })

  it('lets no call begin while 3 of 3 are up, and counts none that it refuses', () => {
    const pace = new OutboundPace({ maxCalls: 3, callsPerSec: 1 })
    for (let i = 0; i < 5; i++) {
      expect(pace.take(3, 0)).toEqual({ ok: false, reason: 'tooMany', waitMs: 5_000 })
    }
    expect(pace.take(2, 0)).toEqual({ ok: true })
  })
})
