import { describe, expect, it } from 'vitest'
import { NumberRows } from '../../server/media/number-rows.ts'

describe('number rows', () => {
  it('gives 600 rows of 5 numbers that do not touch each other', () => {
    const rows = new NumberRows(5)
    const taken = Array.from({ length: 600 }, () => rows.take())
    taken.forEach(({ values, at }, i) => values.fill(i + 1, at, at + 5))
    const sums = taken.map(({ values, at }) => values.slice(at, at + 5).reduce((a, b) => a + b))
    expect(sums).toEqual(taken.map((_, i) => 5 * (i + 1)))
  })

  it('gives a row that came back again, as 5 zeros', () => {
    const rows = new NumberRows(5)
    const first = rows.take()
    first.values.fill(7, first.at, first.at + 5)
    rows.give(first)
    const again = rows.take()
    expect(again).toBe(first)
    expect([...again.values.slice(again.at, again.at + 5)]).toEqual([0, 0, 0, 0, 0])
  })

  it('never gives its spent row to anybody', () => {
    const rows = new NumberRows(2)
    rows.give(rows.spent)
    expect(rows.take().values).not.toBe(rows.spent.values)
  })
})
