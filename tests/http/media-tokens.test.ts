import { describe, expect, it } from 'vitest'
import { MediaTokens, TOKENS_MAX } from '../../server/http/media-tokens.ts'

describe('media tokens', () => {
  it('open once', () => {
    const tokens = new MediaTokens()
    const token = tokens.issue({ client: 'browser', agentId: 'a' }, 0)
    expect(token).toMatch(/^[\w-]{32}$/)
    expect(tokens.take(token, 1)).toEqual({ client: 'browser', agentId: 'a' })
    expect(tokens.take(token, 2)).toBeNull()
  })

  it('open until 60 s have passed, not after', () => {
    const tokens = new MediaTokens()
    const [a, b] = [tokens.issue({ client: 'twilio' }, 0), tokens.issue({ client: 'twilio' }, 0)]
    expect(tokens.take(a, 59_999)).not.toBeNull()
    expect(tokens.take(b, 60_000)).toBeNull()
  })

  it('differ from each other, and an unknown one opens nothing', () => {
    const tokens = new MediaTokens()
    const issued = new Set(
      Array.from({ length: 1_000 }, () => tokens.issue({ client: 'browser' }, 0)),
    )
    expect(issued.size).toBe(1_000)
    for (const wrong of ['', 'x', '__proto__']) expect(tokens.take(wrong, 0)).toBeNull()
  })

  it('are at most 10 000: the oldest gives way and is counted, expired ones go uncounted', () => {
    const tokens = new MediaTokens()
    const first = tokens.issue({ client: 'browser' }, 0)
    for (let i = 0; i < TOKENS_MAX; i += 1) tokens.issue({ client: 'browser' }, 1)
    expect([tokens.size, tokens.dropped]).toEqual([TOKENS_MAX, 1])
    expect(tokens.take(first, 1)).toBeNull()
    tokens.issue({ client: 'browser' }, 60_001)
    expect([tokens.size, tokens.dropped]).toEqual([1, 1])
  })
})
