import { describe, expect, it } from 'vitest'
import { SpareMemory } from '../server/spare-memory.ts'

describe('spare memory', () => {
  it('keeps 2 blocks of its own length at most, and makes new ones when it has none', () => {
    const spare = new SpareMemory({ bytes: 320, most: 2 })
    const given = [new ArrayBuffer(320), new ArrayBuffer(640), new ArrayBuffer(320)]
    for (const block of [...given, new ArrayBuffer(320)]) spare.give(block)
    expect(spare.count).toBe(2)
    const taken = [spare.take(), spare.take(), spare.take()]
    expect(new Set(taken.slice(0, 2))).toEqual(new Set([given[0], given[2]]))
    const fresh = new Uint8Array(taken[2]!)
    expect([fresh.length, fresh.every((byte) => byte === 0)]).toEqual([320, true])
  })
})
