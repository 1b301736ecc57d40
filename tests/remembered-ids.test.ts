import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { RememberedIds } from '../server/remembered-ids.ts'
import { heldBytes } from './support/held-bytes.ts'

const LIMIT = 1_000

function sid(index: number): string {
  return `CA${String(index).padStart(32, '0')}`
}

describe('remembered ids', () => {
  it('are new once', () => {
    const ids = new RememberedIds({ limit: LIMIT })
    expect([ids.has('CA1'), ids.add('CA1'), ids.add('CA1'), ids.has('CA1')]).toEqual([
      ...[false, true, false, true],
    ])
    expect([ids.has('CA2'), ids.has('')]).toEqual([false, false])
  })

  it('are, of 10 500, the newest 1 000 for certain, the oldest 8 500 no more, and never more than 2 000', () => {
    const ids = new RememberedIds({ limit: LIMIT })
    const sizes: number[] = []
    for (let i = 0; i < 10_500; i++) {
      expect(ids.add(sid(i))).toBe(true)
      sizes.push(ids.size)
    }
    const known = Array.from({ length: 10_500 }, (_, i) => ids.has(sid(i)))
    expect(known.slice(-LIMIT).every(Boolean)).toBe(true)
    expect(known.slice(0, 8_500).some(Boolean)).toBe(false)
    expect([Math.max(...sizes), sizes.at(-1)]).toEqual([2_000, 1_500])
  })

  it('give the UUID each was added with, also when its place was another’s before', () => {
    const ids = new RememberedIds({ limit: LIMIT, withUuids: true })
    const uuids = Array.from({ length: 4 * LIMIT }, () => randomUUID())
    for (const [i, uuid] of uuids.entries()) ids.add(sid(i), uuid)
    const newest = uuids.map((_, i) => i).slice(-LIMIT)
    expect(newest.map((i) => ids.uuidOf(sid(i)))).toEqual(newest.map((i) => uuids[i]))
    expect([ids.uuidOf(sid(0)), ids.uuidOf('unknown')]).toEqual([undefined, undefined])
  })

  it('keep the first UUID, and take nothing that is none', () => {
    const ids = new RememberedIds({ limit: LIMIT, withUuids: true })
    const [first, second] = [randomUUID(), randomUUID()]
    expect([ids.add('CA1', first), ids.add('CA1', second)]).toEqual([true, false])
    expect(ids.uuidOf('CA1')).toBe(first)
    expect(() => ids.add('CA2', 'call-1')).toThrow(RangeError)
    expect(() => ids.add('CA2')).toThrow(RangeError)
  })

  it('hold less than 3 bytes each: 100 000 change nothing on the heap or beside it', () => {
    const ids = new RememberedIds({ limit: 10_000, withUuids: true })
    const uuid = randomUUID()
    const addTo = (from: number, to: number): void => {
      for (let i = from; i < to; i++) ids.add(sid(i), uuid)
    }
    // The code is compiled first.
    addTo(0, 20_000)
    const before = heldBytes()
    addTo(20_000, 120_000)
    expect((heldBytes() - before) / 100_000).toBeLessThan(3)
  })
})
