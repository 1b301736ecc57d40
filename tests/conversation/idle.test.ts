import { describe, expect, it } from 'vitest'
import { IdleWatch } from '../../server/conversation/idle.ts'

describe('idle', () => {
  it('prompts after 10 s of silence, three times, then says goodbye', () => {
    const idle = new IdleWatch({ idleTimeoutSec: 10, inactivityMaxRetries: 3 })
    const decisions: string[] = []
    for (let atMs = 0; atMs <= 40_100; atMs += 20) {
      const decision = idle.tick(atMs, true)
      if (decision !== 'none') decisions.push(`${decision} ${atMs}`)
    }
    expect(decisions).toEqual(['prompt 10000', 'prompt 20020', 'prompt 30040', 'goodbye 40060'])
  })

  it('counts only quiet time without a break', () => {
    const idle = new IdleWatch({ idleTimeoutSec: 10, inactivityMaxRetries: 1 })
    idle.tick(0, true)
    idle.tick(9_000, false)
    expect(idle.tick(10_000, true)).toBe('none')
    expect(idle.tick(19_980, true)).toBe('none')
    expect(idle.tick(20_000, true)).toBe('prompt')
  })

  it('begins anew after a turn of the user', () => {
    const idle = new IdleWatch({ idleTimeoutSec: 5, inactivityMaxRetries: 1 })
    idle.tick(0, true)
    expect(idle.tick(5_000, true)).toBe('prompt')
    idle.userTurn()
    idle.tick(6_000, true)
    expect(idle.tick(11_000, true)).toBe('prompt')
  })

  it('says goodbye at once with 0 retries', () => {
    const idle = new IdleWatch({ idleTimeoutSec: 5, inactivityMaxRetries: 0 })
    idle.tick(0, true)
    expect(idle.tick(5_000, true)).toBe('goodbye')
  })
})
