import { describe, expect, it } from 'vitest'
import { CallLength } from '../../server/conversation/call-length.ts'

describe('call-length', () => {
  it('warns 30 s before the end, in the first quiet moment, once', () => {
    const length = new CallLength(1_000, 600)
    expect(length.tick(570_980, true)).toBe('none')
    expect(length.tick(571_000, false)).toBe('none')
    expect(length.tick(572_000, true)).toBe('warn')
    expect(length.tick(573_000, true)).toBe('none')
  })

  it('ends once at the longest duration, quiet or not', () => {
    const length = new CallLength(1_000, 600)
    expect(length.tick(601_000, false)).toBe('end')
    expect(length.tick(601_020, true)).toBe('none')
  })

  it('does not warn in calls shorter than 60 s', () => {
    const length = new CallLength(0, 59)
    expect(length.tick(58_980, true)).toBe('none')
    expect(length.tick(59_000, true)).toBe('end')
  })
})
