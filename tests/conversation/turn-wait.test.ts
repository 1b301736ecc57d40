import { describe, expect, it } from 'vitest'
import { waitBounds, waitMs } from '../../server/conversation/turn-wait.ts'

const BOUNDS = waitBounds({ silenceTimeoutMs: 700, endpointingMinMs: 240, endpointingMaxMs: 1_500 })

describe('turn wait', () => {
  it('takes the shortest and longest wait from the profile, and derives those that are 0', () => {
    expect(BOUNDS).toEqual({ minMs: 240, midMs: 700, maxMs: 1_500 })
    const derived = { silenceTimeoutMs: 700, endpointingMinMs: 0, endpointingMaxMs: 0 }
    expect(waitBounds(derived)).toEqual({ minMs: 420, midMs: 700, maxMs: 2_100 })
  })

  it('keeps the order min ≤ mid ≤ max whatever is set', () => {
    const odd = { silenceTimeoutMs: 500, endpointingMinMs: 900, endpointingMaxMs: 300 }
    expect(waitBounds(odd)).toEqual({ minMs: 500, midMs: 500, maxMs: 500 })
  })

  it('lets the learned floor count in full for an unknown sentence and not for a sure end', () => {
    expect(waitMs(0.5, BOUNDS, 900)).toBe(900)
    expect(waitMs(0.85, BOUNDS, 900)).toBe(240)
    expect(waitMs(0.675, BOUNDS, 900)).toBe(570)
  })
})
