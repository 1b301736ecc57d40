import { describe, expect, it } from 'vitest'
import { DigitEntry } from '../../server/conversation/digits.ts'

describe('digits', () => {
  it('ends an entry with #', () => {
    const entry = new DigitEntry()
    expect([entry.push('1', 0), entry.push('2', 100), entry.push('#', 200)]).toEqual([
      null,
      null,
      '12#',
    ])
    expect(entry.pending).toBe(false)
  })

  it('ends an entry 2000 ms after its last key', () => {
    const entry = new DigitEntry()
    entry.push('1', 0)
    entry.push('2', 1_500)
    expect(entry.tick(3_480)).toBeNull()
    expect(entry.tick(3_500)).toBe('12')
    expect(entry.tick(9_000)).toBeNull()
  })

  it('ignores what is no key and ends at 32 keys', () => {
    const entry = new DigitEntry()
    expect(entry.push('12', 0)).toBeNull()
    expect(entry.push('x', 0)).toBeNull()
    expect(entry.pending).toBe(false)
    for (let i = 0; i < 31; i++) expect(entry.push('5', i)).toBeNull()
    expect(entry.push('5', 40)).toBe('5'.repeat(32))
  })
})
