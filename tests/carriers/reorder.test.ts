import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { Reorder } from '../../server/carriers/reorder.ts'

let out: [number, number][]
let order: Reorder

beforeEach(() => {
  out = []
  order = new Reorder((payload, timestampMs) => out.push([payload[0]!, timestampMs]))
})

/** A payload whose first byte is its chunk; the bytes are overwritten afterwards, as the stream's scratch is. */
function push(...chunks: number[]): void {
  for (const chunk of chunks) {
    const bytes = Uint8Array.of(chunk, 0)
    order.push(chunk, chunk * 20, bytes)
    bytes[0] = 0xee
  }
}
const chunks = () => out.map(([chunk]) => chunk)

describe('reorder', () => {
  it('passes payloads that come in order at once, with their times', () => {
    push(1, 2)
    expect(out).toEqual([
      [1, 20],
      [2, 40],
    ])
  })

  it('begins wherever the first payload does', () => {
    push(41, 42)
    expect(chunks()).toEqual([41, 42])
  })

  it('holds 6 until 5 has come, with the bytes that 6 had', () => {
    push(4, 6)
    expect(chunks()).toEqual([4])
    push(5, 7)
    expect(chunks()).toEqual([4, 5, 6, 7])
  })

  it('waits for a missing one while 3 are held, gives it up at the 4th', () => {
    push(1, 3, 4, 5)
    expect(chunks()).toEqual([1])
    push(6)
    expect(chunks()).toEqual([1, 3, 4, 5, 6])
    expect(order.late).toBe(0)
  })

  it('counts what comes twice or after it was given up, and passes it no more', () => {
    push(1, 1, 3, 3, 4, 5, 6, 2)
    expect(chunks()).toEqual([1, 3, 4, 5, 6])
    expect(order.late).toBe(3)
  })

  it('stops at a second gap and goes on when that is given up too', () => {
    push(1, 3, 5, 7, 9)
    expect(chunks()).toEqual([1, 3])
    push(11)
    expect(chunks()).toEqual([1, 3, 5])
  })

  it('of any sequence lets out rising chunks only, each one that came at most once', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 80 }), (sequence) => {
        out = []
        order = new Reorder((payload) => out.push([payload[0]!, 0]))
        push(...sequence)
        const passed = chunks()
        expect(passed).toEqual([...new Set(passed)].sort((a, b) => a - b))
        for (const chunk of passed) expect(sequence).toContain(chunk)
        // What is neither passed nor counted is held, and never more than three are.
        expect(sequence.length - passed.length - order.late).toBeLessThanOrEqual(3)
        expect(sequence.length - passed.length - order.late).toBeGreaterThanOrEqual(0)
      }),
      { seed: 4, numRuns: 300 },
    )
  })

  it('swapped by at most 3 places loses nothing', () => {
    push(1, 4, 3, 2, 6, 5, 9, 8, 7, 10)
    expect(chunks()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(order.late).toBe(0)
  })
})
